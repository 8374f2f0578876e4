"""Studies as jobs of the service: taken in, run one after the other in processes of their own, published."""

__all__: list[str] = []
