"""The study file: its tables, and the files it names."""
