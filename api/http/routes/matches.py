"""``POST /v1/matches`` and ``POST /v1/alerts``: who does which task on the way, whom an emergency alerts.

Nothing of a request is kept.
"""

from fastapi import APIRouter

from api.http.deps import Lang, Served
from api.matching.forms import AlertRequest, AlertResponse, MatchRequest, MatchResponse
from api.matching.translate import alerts, answer

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["matching"])


@router.post("/matches", summary="Match tasks with riders on their way")
def match(served: Served, lang: Lang, request: MatchRequest) -> MatchResponse:
    """Stateless: riders with their plans and tasks come in, and only they are considered.

    For each task the answer names the rider, the place in the plan, what it costs, the slack of every stop
    before and after, and the way; or the reason for refusal, in the language of `Accept-Language`.
    """
    # A plain ``def``: the work runs in a thread, the event loop stays free.
    return answer(served.network, request, lang)


@router.post("/alerts", summary="Whom to alert in an emergency, in phases")
def alert(served: Served, request: AlertRequest) -> AlertResponse:
    """Plan whom to alert: the soonest capable riders in phases, and the chance of being in time.

    Whoever accepts goes at once, so deliveries may get late: each alert names them. Nothing is booked.
    """
    return alerts(served.network, request)
