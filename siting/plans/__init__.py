"""A chosen plan: the sites it is chosen among, how each is run, what it serves, and the figures of it."""
