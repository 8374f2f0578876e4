"""The study as a use case: inputs read, siting run, files written."""
