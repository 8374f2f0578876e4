"""``POST /v1/vroom``: VROOM's JSON in, VROOM's JSON out."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.http.deps import Lang, Served
from api.http.offload.bodies import LargeBodyRoute, told
from api.vroom.answer import vroom
from api.vroom.forms import VroomRequest, VroomResponse
from geo.datum import Datum

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["matching"], route_class=LargeBodyRoute)


@router.post("/vroom", summary="A VROOM problem with given steps", response_model=VroomResponse)
def vroom_door(
    served: Served,
    lang: Lang,
    request: VroomRequest,
    response: Response,
    datum: Annotated[
        Datum, Query(description="Datum of every position in the request and answer.")
    ] = "wgs84",
) -> Response:
    """Keep every given step of every vehicle in its order, and insert the other jobs and shipments.

    Each goes where it takes least time without making a step late; what no vehicle can do comes back in
    `unassigned` with its reason. Seconds may be relative or absolute. A break is taken where the vehicle is
    after the step before it; a vehicle without a time window is ready at the first window of the request. The
    rules of breaks (20 min after 4 h) and hours of the day hold as everywhere, counted from the start of the
    vehicle. What cannot be mapped is refused, with the JSON pointer to it.
    Where the streets speak for another datum than `datum`, `warnings` says so with the evidence; VROOM has no
    such field.
    """
    return told(vroom(served.network, request, datum, lang), response, exclude_none=True)
