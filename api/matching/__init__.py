"""A match request to `routing` and back."""
