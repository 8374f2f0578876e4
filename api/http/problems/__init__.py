"""What went wrong, as problem+json in the language asked for."""
