"""Stations in a rider's pocket: the nearest one, the next break, what is said of them, codes for the wall."""
