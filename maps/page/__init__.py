"""Self-contained map pages: frame, base map, scripts and styles."""
