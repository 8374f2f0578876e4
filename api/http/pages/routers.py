"""All pages, in the order in which their addresses are looked for."""

from fastapi import APIRouter

from api.http.pages import find_station, my_points, news, rider, sign_in, static_files, street_reports
from api.http.pages.office import (
    admin,
    city_now,
    city_offices,
    duty,
    inbox,
    looked_at,
    my_grids,
    planner,
    rewards,
    tasks,
)

__all__ = ["router"]

router = APIRouter()
for module in (
    static_files, sign_in, news, rider, my_points, find_station, street_reports, inbox, tasks, my_grids, duty,
    city_now, planner, looked_at, rewards, admin, city_offices,
):  # fmt: skip
    router.include_router(module.router)
