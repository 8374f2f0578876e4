"""Which rider does which civic task on the way, with proof that no delivery becomes late."""
