"""The civic side of the live service: street reports, closures and points, carried out at the desk."""

__all__: list[str] = []
