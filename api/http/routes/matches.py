"""``POST /v1/matches`` and ``POST /v1/alerts``: who does which task on the way, whom an emergency alerts.

Nothing of a request is kept.
"""

from fastapi import APIRouter, Response

from api.http.deps import Lang, Served
from api.http.offload.bodies import LargeBodyRoute, told
from api.matching.forms import AlertRequest, AlertResponse, MatchRequest, MatchResponse
from api.matching.translate import alerts, answer

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["matching"], route_class=LargeBodyRoute)


@router.post("/matches", summary="Match tasks with riders on their way", response_model=MatchResponse)
def match(served: Served, lang: Lang, request: MatchRequest, response: Response) -> Response:
    """Stateless: riders with their plans and tasks come in, and only they are considered.

    For each task the answer names the rider, the place in the plan, what it costs, the slack of every stop
    before and after, and the way; or the reason for refusal, in the language of `Accept-Language`.
    """
    # A plain ``def``: the work runs in a thread, the event loop stays free.
    return told(answer(served.network, request, lang), response)


@router.post("/alerts", summary="Whom to alert in an emergency, in phases", response_model=AlertResponse)
def alert(served: Served, lang: Lang, request: AlertRequest, response: Response) -> Response:
    """Plan whom to alert: the soonest capable riders in phases, and the chance of being in time.

    Whoever accepts goes at once, so deliveries may get late: each alert names them. Nothing is booked.
    """
    return told(alerts(served.network, request, lang), response)
