"""All pages, in the order in which their addresses are looked for."""

from fastapi import APIRouter

from api.http.pages import (
    admin,
    duty,
    grids,
    live,
    planner,
    plans,
    rider,
    sign_in,
    static_files,
    stations,
    tasks,
)

__all__ = ["router"]

router = APIRouter()
for part in (static_files, sign_in, rider, stations, tasks, grids, duty, live, planner, plans, admin):
    router.include_router(part.router)
