"""Pages of those who work for the city or a platform, one module for each of their jobs."""
