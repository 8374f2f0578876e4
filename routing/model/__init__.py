"""Riders, tasks, policy and results: the data of matching."""
