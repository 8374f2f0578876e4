"""The city at a glance: what a caller may see of it now, for the live map."""
