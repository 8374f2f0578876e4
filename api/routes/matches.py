"""``POST /v1/matches``: which rider does which task on the way. Nothing of the request is kept."""

from fastapi import APIRouter

from api.deps import Served
from api.match_schemas import MatchRequest, MatchResponse
from api.matching import answer

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["matching"])


@router.post("/matches", summary="Match tasks with riders on their way")
def match(served: Served, request: MatchRequest) -> MatchResponse:
    """Stateless: riders with their plans and tasks come in, and only they are considered.

    For each task the answer names the rider, the place in the plan, what it costs, the slack of every stop
    before and after, and the way; or the reason for refusal. A plain ``def``: the work runs in a thread, the
    event loop stays free.
    """
    return answer(served.network, request)
