"""The HTTP service over one finished study."""

import datetime
import functools
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.staticfiles import StaticFiles

from api.http import openapi
from api.http.access.auth import Access, require
from api.http.access.rates import RateHeaders
from api.http.deps import new_id, utc_now
from api.http.metrics import Measured, Metrics
from api.http.middleware import (
    BodyLimit,
    BoundedWork,
    HeadAsGet,
    Lingering,
    NoNul,
    RequestId,
    SecurityHeaders,
)
from api.http.offload.bodies import MATCHING_ROLES
from api.http.ogc import doors
from api.http.pages import routers as pages
from api.http.pages import start, station_sheets
from api.http.pages.office import looked_at, planner
from api.http.problems import errors
from api.http.quick_routes import QuickRoute
from api.http.routes import (
    audit,
    civic,
    emergencies,
    events,
    health,
    matches,
    offers,
    overview,
    results,
    riders,
    slots,
    studies,
    tasks,
    vroom,
    webhooks,
)
from api.http.running import live_service
from api.http.shelf import PREFIX, Shelf
from api.http.stations import endpoints as stations
from api.matching.datum_watch import DatumWatch
from api.settings import Settings, load_settings
from api.study.finished import load_finished

__all__ = ["create_app"]

TITLE = "Yilu 驿路"
DESCRIPTION = """
Which civic task goes to which rider on the way, and the nearest open rest station.

Positions are longitude and latitude in degrees; every request names its datum (`wgs84`, `gcj02` or `bd09`),
and the answer comes back in it. Durations are seconds (`_s`), lengths metres (`_m`). Refusals are
`application/problem+json` (RFC 9457). Of requests for matches, slots and stations nothing is kept; riders,
tasks and offers of the live service are, for those whose key sees them. An `X-Request-ID` comes back in the
answer and stands in the log; without one it is made. Bodies may be sent with `Content-Encoding: gzip`.
A service may show several studies: `/v1/studies/shown` lists them. Each has the addresses of map,
reports, layers, stations, grids and matching below its own, such as `/s/porto/map` and `/s/porto/v1/matches`.
OGC API - Features stands at `/ogc`, with a definition of its own at `/ogc/api`.
"""
ASSETS = "/docs/assets"


def create_app(
    study_dir: Path,
    *,
    named: Mapping[str, Path] | None = None,
    settings: Settings | None = None,
    access: Access | None = None,
    clock: Callable[[], datetime.datetime] = utc_now,
    ids: Callable[[], str] = new_id,
) -> FastAPI:
    """Make the service.

    Parameters
    ----------
    study_dir : Path
        Folder that ``yilu study`` or ``yilu demo`` wrote.
    named : mapping of name to Path, optional
        Further studies, each shown at ``/s/NAME/``.
    settings : Settings, optional
        None: from the environment.
    access : Access, optional
        The check of keys, with its database; None: no keys and nothing kept, for tests.
    clock : callable, optional
        Returns the present moment with its time zone; for tests.
    ids : callable, optional
        Returns names that nobody can guess; for tests.

    Returns
    -------
    FastAPI
        The application, with the study loaded.

    Raises
    ------
    InputError
        When the folder holds no finished study, or a setting is outside its range.
    """
    settings = settings or load_settings()
    routes = _often_asked_first()
    app = FastAPI(lifespan=live_service, title=TITLE, docs_url=None, redoc_url=None, routes=routes)
    app.state.served = load_finished(study_dir)
    jobs_dir = settings.jobs_dir or study_dir / "jobs"
    app.state.shelf = Shelf(
        app.state.served, {name: load_finished(where) for name, where in (named or {}).items()}, jobs_dir
    )
    app.state.access = access or Access(settings, None, dev=True)
    app.state.clock, app.state.ids = clock, ids
    app.state.settings = settings
    app.state.desk, app.state.news, app.state.metrics = None, None, Metrics()
    app.state.runner, app.state.workers, app.state.civic = None, None, None
    app.state.open_rates = civic.open_rates(settings)
    app.state.anywhere = {}
    app.state.datum_watch = DatumWatch()
    app.state.ready = threading.Event()
    app.state.ready.set()
    errors.install(app)
    app.add_middleware(Measured, metrics=app.state.metrics)
    # The form around the files takes some bytes more.
    most = int(settings.max_upload_mb * 1e6) + 1_000_000
    streamed = dict.fromkeys((studies.UPLOAD, planner.UPLOAD, looked_at.INSPECT), most)
    app.add_middleware(BodyLimit, max_bytes=int(settings.max_body_mb * 1e6), streamed=streamed)
    app.add_middleware(
        BoundedWork,
        max_bytes=int(settings.max_work_mb * 1e6),
        largest_bytes=int(settings.max_body_mb * 1e6),
        streamed=streamed,
    )
    app.add_middleware(NoNul)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RateHeaders)
    # Around all that refuse, so that what these refuse has an id too.
    app.add_middleware(RequestId)
    app.add_middleware(Lingering)
    app.add_middleware(HeadAsGet)
    app.openapi = _document  # type: ignore[method-assign]
    return app


@functools.cache
def _document() -> dict[str, Any]:
    return openapi.documented(TITLE, DESCRIPTION, _routes())


def _often_asked_first() -> list[BaseRoute]:
    """Return the routes, those of riders, tasks and offers before all others.

    A request tries one route after the other, which takes longer than reading it. No other route has one of
    their addresses; the document keeps its order. What changes something there is answered on a quick way.
    """
    often = [riders.router, tasks.router, offers.router]
    routes = sorted(_routes(), key=lambda route: getattr(route, "original_router", None) not in often)
    quick = [
        QuickRoute(one, full)
        for full in routes[: len(often)]
        for one in full.original_router.routes  # type: ignore[attr-defined]
        if isinstance(one, APIRoute) and one.methods in ({"POST"}, {"PUT"})
    ]
    return [*quick, *routes]


_MAKING = threading.Lock()


def _routes() -> tuple[BaseRoute, ...]:
    """Return what answers at which address: the same for every application, and made once.

    While FastAPI makes routes it silences a warning for all threads, so two must not do it at once.
    """
    with _MAKING:
        return _made_routes()


@functools.cache
def _made_routes() -> tuple[BaseRoute, ...]:
    router = APIRouter(responses=errors.PROBLEM_RESPONSES)
    # Swagger UI out of an installed package: a government network has no way to a content delivery network.
    router.mount(ASSETS, StaticFiles(packages=[("fastapi_offline", "static")]), name="docs-assets")
    router.add_api_route("/docs", _docs, include_in_schema=False)
    _answer_at_every_address(router)
    # FastAPI makes them when they are asked for first, while somebody waits.
    nowhere = {"type": "http", "method": "GET", "path": "/-", "root_path": "", "headers": [], "app": router}
    for route in router.routes:
        route.matches(dict(nowhere))
    return tuple(router.routes)


def _answer_at_every_address(router: APIRouter) -> None:
    # What a study publishes is for everybody; who asks for work says who it is.
    keyed = [Depends(require(*MATCHING_ROLES))]
    # Once for the study without a name, and the same below the name of any other.
    for prefix in ("", PREFIX):
        router.include_router(start.router, prefix=prefix, include_in_schema=False)
        # Before the stations by name: nobody is called "visits".
        router.include_router(stations.said_router, prefix=prefix, include_in_schema=not prefix)
        for part in (health, results, stations, station_sheets, doors):
            router.include_router(part.router, prefix=prefix, include_in_schema=not prefix)
        for part in (matches, slots, vroom):
            router.include_router(
                part.router, prefix=prefix, include_in_schema=not prefix, dependencies=keyed
            )
    router.include_router(pages.router)
    for part in (riders, tasks, offers, emergencies, events, webhooks, studies, audit, overview):
        router.include_router(part.router)
    for one in civic.routers:
        router.include_router(one)


def _docs() -> HTMLResponse:
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Yilu 驿路",
        swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{ASSETS}/favicon.png",
        # Swagger UI would otherwise ask an outside validator for a badge.
        swagger_ui_parameters={"validatorUrl": None},
    )
