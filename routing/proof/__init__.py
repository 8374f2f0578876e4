"""Independent verification of plans."""
