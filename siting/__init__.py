"""Where rest stations and pick-up points should stand, of which kind, open at which hours."""
