"""What pages load: scripts, styles and the base map; the same for everybody."""

import hashlib

import orjson
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api.http.pages.frame.loaded import PREFIX, assets
from api.http.problems.errors import NotThereError
from api.http.shelf import Shown

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
FOR_GOOD = "public, max-age=31536000, immutable"


@router.get(f"{PREFIX}/{{digest}}/{{name}}")
async def static(digest: str, name: str) -> Response:
    """Return a script or style; its address names its contents, so that it is kept for good."""
    asset = assets().get(name)
    if asset is None or asset.digest != digest:
        raise NotThereError("there is no such file")
    return Response(asset.body, media_type=asset.media_type, headers={"cache-control": FOR_GOOD})


@router.get("/pages/base.json")
async def base_map(request: Request) -> Response:
    """Return the base map of the city, made when it is first asked for."""
    shown: Shown = request.app.state.shelf.default
    held: tuple[bytes, str] | None = getattr(request.app.state, "base_map", None)
    if held is None:
        body = await run_in_threadpool(_drawn, shown)
        held = body, f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        request.app.state.base_map = held
    headers = {"etag": held[1], "cache-control": "public, max-age=3600"}
    if request.headers.get("if-none-match") == held[1]:
        return Response(status_code=304, headers=headers)
    return Response(held[0], media_type="application/json", headers=headers)


def _drawn(shown: Shown) -> bytes:
    from maps.page import base_data

    return orjson.dumps(base_data(shown.reports.backdrop(), shown.served.meta.attribution))
