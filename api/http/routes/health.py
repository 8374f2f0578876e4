"""``GET /healthz`` and ``GET /readyz``: is the service up, and is it warm."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from api.forms import Health, Ready
from api.http.deps import Clock, Served
from api.http.live import AdminCaller
from api.http.metrics import Metrics
from api.http.problems.errors import BUSY, problem_response

__all__ = ["router"]

router = APIRouter(tags=["service"])


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {}}, "description": "The text form of Prometheus."}},
)
def metrics(request: Request, caller: AdminCaller, clock: Clock) -> PlainTextResponse:
    """Return requests, tasks and offers by status, time to match, lag of readers; no names, no positions."""
    found: Metrics = request.app.state.metrics
    text = found.text(request.app.state.desk, clock().timestamp())
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


@router.get("/healthz", summary="Is the service up?")
async def health(served: Served) -> Health:
    """Say on which study the service stands."""
    # From memory, on the event loop: it must stay quick while matches are computed.
    return Health(
        status="ok", city=served.meta.city, edges=len(served.network), stations=len(served.stations)
    )


@router.get("/readyz", summary="Is the service warm?", response_model=Ready)
async def ready(request: Request) -> Ready | Response:
    """Say whether all machine code is there: before, the first answers of a new installation take long."""
    if request.app.state.ready.is_set():
        return Ready(status="ready")
    detail = "machine code for matching is being made; this happens once after an installation"
    return problem_response(BUSY, detail, request, headers={"retry-after": "5"})
