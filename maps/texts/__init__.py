"""maps/texts."""
