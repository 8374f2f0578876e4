"""The address under which people reach the service."""

from fastapi import Request

from api.settings import Settings

__all__ = ["public_root"]


def public_root(request: Request) -> str:
    """Return the address of the study that a request is about, without a slash at the end."""
    settings: Settings = request.app.state.settings
    base = settings.public_url or str(request.base_url)
    name: str | None = request.path_params.get("study")
    return base.rstrip("/") + ("" if name is None else f"/s/{name}")
