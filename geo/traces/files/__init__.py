"""Readers of trace files: what a file is, its columns, its rows in batches, and what is said about it."""
