"""``GET /healthz``: is the service up, and on which study does it stand."""

from fastapi import APIRouter

from api.forms import Health
from api.http.deps import Served

__all__ = ["router"]

router = APIRouter(tags=["service"])


@router.get("/healthz", summary="Is the service up?")
async def health(served: Served) -> Health:
    """Say on which study the service stands."""
    # From memory, on the event loop: it must stay quick while matches are computed.
    return Health(
        status="ok", city=served.meta.city, edges=len(served.network), stations=len(served.stations)
    )
