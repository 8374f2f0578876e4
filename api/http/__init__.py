"""The HTTP service over one finished study."""
