"""``POST /v1/slots``: which windows can be offered for a task."""

from fastapi import APIRouter, Response

from api.http.deps import Lang, Served
from api.http.offload.bodies import LargeBodyRoute, told
from api.matching.slots import SlotsRequest, SlotsResponse, offered

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["matching"], route_class=LargeBodyRoute)


@router.post("/slots", summary="Which windows can be offered for a task", response_model=SlotsResponse)
def slots(served: Served, lang: Lang, request: SlotsRequest, response: Response) -> Response:
    """Say for each window whether a rider can do the task, and at which least extra cost.

    The windows are given, or cut a day into quarters of an hour. Each is judged as if it were the only one,
    for the plans as they are sent; where nobody can, the reason and the smallest change are named.
    """
    return told(offered(served.network, request, lang), response)
