"""Siting problems as data, in one order, as reach lists or as a mixed-integer program."""
