"""Routes of the civic side: reports, the board, matters of offices, photos, points, Open311."""

from api.http.routes.civic import (
    ledger,
    matters,
    open311,
    overrides,
    photos,
    public_board,
    reports,
    rewards,
)
from api.http.routes.civic.shared import open_rates

__all__ = ["open_rates", "routers"]

routers = (
    reports.router,
    photos.router,
    public_board.router,
    overrides.router,
    matters.router,
    ledger.router,
    rewards.router,
    open311.router,
)
