"""Readers of map files, pbf blocks and OPL text alike, into the columns of one object kind each."""
