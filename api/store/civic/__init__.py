"""What the civic side keeps: one module an aggregate."""

__all__: list[str] = []
