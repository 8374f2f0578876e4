"""Street reports: forms, commands on matters, offices, photos, and what each reader is told."""

__all__: list[str] = []
