"""Which pages a role finds in its menu; what it may do is decided where it is done."""

from collections.abc import Mapping

from api.http.pages.frame.visitor import Visitor
from api.store import Role

__all__ = ["HOME", "menu_of"]

_PAGES: Mapping[Role | None, tuple[tuple[str, str], ...]] = {
    None: (("report", "/report"), ("board", "/board"), ("stations", "/stations")),
    "rider": (
        ("rider", "/rider"), ("report", "/report"), ("points", "/points"), ("stations", "/stations"),
        ("board", "/board"),
    ),
    "grid_staff": (
        ("tasks", "/tasks"), ("inbox", "/inbox"), ("report", "/report"), ("grids", "/grids"),
        ("duty", "/duty"), ("live", "/live"),
    ),
    "planner": (
        ("studies", "/planner"), ("inbox", "/inbox"), ("tasks", "/tasks"), ("grids", "/grids"),
        ("duty", "/duty"), ("live", "/live"), ("catalogue", "/catalogue"),
    ),
    "platform": (("live", "/live"), ("tasks", "/tasks"), ("stations", "/stations")),
    "admin": (
        ("admin", "/admin"), ("studies", "/planner"), ("inbox", "/inbox"), ("tasks", "/tasks"),
        ("duty", "/duty"), ("live", "/live"),
    ),
}  # fmt: skip
HOME: Mapping[Role, str] = {
    "rider": "/rider", "grid_staff": "/tasks", "planner": "/planner", "platform": "/live", "admin": "/admin",
}  # fmt: skip
"""Where each role begins."""


def menu_of(visitor: Visitor) -> list[tuple[str, str, bool]]:
    """Return name, address, and whether the reader is there, of each entry."""
    here = visitor.path
    return [
        (name, address, here == address or here.startswith(f"{address}/"))
        for name, address in _PAGES[visitor.role]
    ]
