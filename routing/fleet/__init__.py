"""The fleet in columns, and the exact insertion of tasks into its plans."""

from routing.fleet.fleet import Fleet

__all__ = ["Fleet"]
