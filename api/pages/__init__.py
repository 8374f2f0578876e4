"""api/pages."""
