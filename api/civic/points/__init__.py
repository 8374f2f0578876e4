"""Points: what is booked and spent, the catalogue, the score, statements of benefit time."""

__all__: list[str] = []
