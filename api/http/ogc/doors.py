"""``/ogc``: published layers as OGC API - Features, for QGIS, ArcGIS and other GIS, and for browsers.

Parameters are read here and not declared: the standard wants status 400 for what is wrong with them.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse, Response

from api.civic.reports.board_layer import STREET_REPORTS
from api.forms import Language
from api.http.access.auth import BEARER, Access, caller_of
from api.http.deps import Clock, Served
from api.http.language import preferred
from api.http.pages.plain import plain_page
from api.http.public import public_root
from api.ogc import (
    COLLECTIONS,
    COMMON,
    CONFORMANCE,
    CRS84,
    GEOJSON,
    JSON,
    OPENAPI,
    SCHEMA,
    BadParameterError,
    DoorAddress,
    NoSuchFeatureError,
    Sources,
    api_document,
    collection_document,
    collection_of,
    collections_document,
    feature_document,
    items_document,
    landing_document,
    queryables_document,
    read_asked,
    single_values,
)

__all__ = ["router"]

# The rooms below do not know of reports.
COLLECTIONS[STREET_REPORTS.name] = STREET_REPORTS
router = APIRouter(prefix="/ogc", tags=["ogc"], include_in_schema=False)
OPEN = {"access-control-allow-origin": "*", "access-control-expose-headers": "content-crs"}
"""Maps on pages of others may read what everybody may read."""


class Asking:
    """One request: its parameters, the form and language of the answer, and where it may come from."""

    def __init__(self, request: Request, sources: Sources) -> None:
        self.sources = sources
        self.query = single_values(request.query_params.multi_items())
        self.form = _form(self.query, request.headers.get("accept", ""))
        self.place = DoorAddress(f"{public_root(request)}/ogc", _lang(self.query, request))

    def only(self, *names: str) -> None:
        """Refuse parameters that this address does not know.

        Raises
        ------
        BadParameterError
        """
        for name in self.query:
            if name not in COMMON | set(names):
                known = ", ".join(sorted(COMMON | set(names)))
                raise BadParameterError(f"there is no parameter {name!r} here; there are {known}")

    def answer(self, document: dict[str, Any], kind: str, template: str, crs: str = "") -> Response:
        """Return a document as JSON or as a page."""
        headers = {**OPEN, "vary": "accept, accept-language", "content-language": self.place.lang}
        if crs:
            headers["content-crs"] = f"<{crs}>"
        if self.form == "json":
            return JSONResponse(document, media_type=kind, headers=headers)
        text = plain_page(f"ogc/{template}.html", lang=self.place.lang, place=self.place, document=document)
        return HTMLResponse(text.html, headers={**headers, "content-security-policy": text.policy})


def _form(query: dict[str, str], accept: str) -> str:
    form = query.get("f")
    if form is None:
        # What names no weight has the weight 1; browsers prefer pages, and name them.
        weights = {"json": 0.0, "html": 0.0}
        for part in accept.lower().split(","):
            kind, _, weight = part.partition(";q=")
            name = "html" if kind.strip() == "text/html" else "json" if "json" in kind else ""
            if name:
                number = weight.strip().replace(".", "", 1)
                weights[name] = max(weights[name], float(weight) if number.isdigit() else 1.0)
        return "html" if weights["html"] > weights["json"] else "json"
    if form not in ("json", "html"):
        raise BadParameterError(f"f is {form!r}; there are json and html")
    return form


def _lang(query: dict[str, str], request: Request) -> Language:
    lang = query.get("lang")
    if lang is None:
        return preferred(request.headers.get("accept-language", ""))
    if lang == "zh":
        return "zh"
    if lang == "en":
        return "en"
    raise BadParameterError(f"lang is {lang!r}; there are zh and en")


async def _asking(request: Request) -> Asking:
    scope = None
    access: Access = request.app.state.access
    if "authorization" in request.headers:
        # Everybody may come without a key; who brings one is known, and a bad one is refused.
        scope = (await caller_of(request, await BEARER(request))).scope
    shown = await run_in_threadpool(request.app.state.shelf.get, request.path_params.get("study"))
    now_s = request.app.state.clock().timestamp()
    return Asking(request, Sources(shown.city, access.database, scope, now_s))


Ask = Annotated[Asking, Depends(_asking)]


@router.get("")
@router.get("/")
def landing(ask: Ask, served: Served) -> Response:
    """Landing page."""
    ask.only()
    title = served.meta.titles.get(ask.place.lang, served.meta.title)
    return ask.answer(landing_document(ask.place, title, served.meta.attribution, ask.form), JSON, "landing")


@router.get("/conformance")
def conformance(ask: Ask) -> Response:
    """Say what of the standards is kept."""
    ask.only()
    document = {"conformsTo": list(CONFORMANCE), "links": ask.place.both("/conformance", ask.form)}
    return ask.answer(document, JSON, "conformance")


@router.get("/api")
def api(ask: Ask, served: Served) -> Response:
    """Definition of this door."""
    ask.only()
    title = served.meta.titles.get(ask.place.lang, served.meta.title)
    return ask.answer(api_document(ask.place, ask.sources, title), OPENAPI, "api")


@router.get("/collections")
def collections(ask: Ask) -> Response:
    """All collections."""
    ask.only()
    return ask.answer(collections_document(ask.place, ask.sources, ask.form), JSON, "collections")


@router.get("/collections/{name}")
def collection(ask: Ask, name: str) -> Response:
    """One collection."""
    ask.only()
    document = collection_document(ask.place, ask.sources, collection_of(name), ask.form)
    return ask.answer(document, JSON, "collection")


@router.get("/collections/{name}/queryables")
def queryables(ask: Ask, name: str) -> Response:
    """Properties one may filter by."""
    ask.only()
    return ask.answer(queryables_document(ask.place, ask.sources, collection_of(name)), SCHEMA, "queryables")


@router.get("/collections/{name}/items")
@router.get("/collections/{name}/items/")
def items(ask: Ask, clock: Clock, name: str) -> Response:
    """Features."""
    found = collection_of(name)
    city = ask.sources.city
    asked = read_asked(ask.query, city.crs, found.properties(ask.sources), city.zone)
    document = items_document(
        ask.place, found, found.find(ask.sources, asked), asked, ask.query, clock(), ask.form
    )
    document_title = {"title": ask.place.text(f"{name}_title"), "id": name}
    shown = document if ask.form == "json" else {**document, **document_title}
    return ask.answer(shown, GEOJSON, "items", asked.crs)


@router.get("/collections/{name}/items/{feature_id:path}")
def item(ask: Ask, name: str, feature_id: str) -> Response:
    """One feature; the codes of unit grids may have slashes in them."""
    ask.only("crs")
    found = collection_of(name)
    crs = read_asked(
        {key: value for key, value in ask.query.items() if key == "crs"},
        ask.sources.city.crs,
        (),
        ask.sources.city.zone,
    ).crs
    feature = found.one(ask.sources, feature_id, crs)
    if feature is None:
        raise NoSuchFeatureError(f"{name} has no feature {feature_id!r}")
    document = feature_document(ask.place, found, feature, crs, ask.form)
    shown = document if ask.form == "json" else {**document, "title": ask.place.text(f"{name}_title")}
    return ask.answer(shown, GEOJSON, "item", crs or CRS84)
