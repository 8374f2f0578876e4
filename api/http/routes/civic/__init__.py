"""Routes of the civic side: reports, the board, matters of offices, photos."""

from api.http.routes.civic import board, catalogue, matters, overrides, photos, points, reports
from api.http.routes.civic.shared import open_rates

__all__ = ["open_rates", "routers"]

routers = (
    reports.router,
    photos.router,
    board.router,
    matters.router,
    overrides.router,
    points.router,
    catalogue.router,
)
