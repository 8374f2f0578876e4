"""The live city: commands of the service carried out one after the other, and kept before they count."""

__all__: list[str] = []
