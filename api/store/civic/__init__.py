"""The civic side: one module an aggregate."""
