"""Routes of the civic side: reports, the board, matters of offices, photos, points, Open311."""

from api.http.routes.civic import (
    board,
    catalogue,
    matters,
    open311,
    overrides,
    photos,
    points,
    reports,
)
from api.http.routes.civic.shared import open_rates

__all__ = ["open_rates", "routers"]

routers = (
    reports.router,
    photos.router,
    board.router,
    overrides.router,
    matters.router,
    points.router,
    catalogue.router,
    open311.router,
)
