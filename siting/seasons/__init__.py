"""Demand that changes: seasons and parts of the week, forecasts, and plans that fail least in the worst."""
