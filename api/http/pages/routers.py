"""All pages, in the order in which their addresses are looked for."""

from fastapi import APIRouter

from api.http.pages import rider, sign_in, static_files, stations

__all__ = ["router"]

router = APIRouter()
for part in (static_files, sign_in, rider, stations):
    router.include_router(part.router)
