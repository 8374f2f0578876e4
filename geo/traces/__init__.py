"""Trace files of every make into checked points of pseudonyms, with an account of every row."""
