"""The JSON documents of the OGC door: landing page, conformance, collections, features and its OpenAPI."""

import dataclasses
import datetime
import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import shapely

from api.forms import Language
from api.ogc.asking import MOST, USUAL, ItemsQuery
from api.ogc.collections import COLLECTIONS, Collection, Feature, FeaturePage, Sources
from api.ogc.crs import CRS84, easting_first, is_geographic
from maps.texts import catalogue

__all__ = [
    "CONFORMANCE",
    "GEOJSON",
    "JSON",
    "OPENAPI",
    "SCHEMA",
    "DoorAddress",
    "api_document",
    "collection_document",
    "collections_document",
    "feature_document",
    "items_document",
    "landing_document",
    "queryables_document",
]

Json = dict[str, Any]
JSON, GEOJSON, HTML = "application/json", "application/geo+json", "text/html"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
SCHEMA = "application/schema+json"
_QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
CONFORMANCE = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters",
)


@dataclasses.dataclass(frozen=True, slots=True)
class DoorAddress:
    """Where the door stands, and in which language it speaks.

    Parameters
    ----------
    root : str
        Address of the landing page, without a slash at the end.
    lang : {"zh", "en"}
    """

    root: str
    lang: Language

    def text(self, key: str, **facts: object) -> str:
        """Return a text of the catalogue."""
        return catalogue(self.lang).text(f"ogc.{key}", **facts)

    def link(self, rel: str, path: str, kind: str, key: str = "") -> Json:
        """Return a link; `key`: of its title."""
        link = {"rel": rel, "href": f"{self.root}{path}", "type": kind}
        return {**link, "title": self.text(key)} if key else link

    def both(self, path: str, form: str, kind: str = JSON) -> list[Json]:
        """Return the links of a document to itself and to its other form; `form` is the one at hand."""
        mark = "&" if "?" in path else "?"
        return [
            self.link("self" if form == "json" else "alternate", f"{path}{mark}f=json", kind, "as_json"),
            self.link("self" if form == "html" else "alternate", f"{path}{mark}f=html", HTML, "as_html"),
        ]


def landing_document(place: DoorAddress, title: str, attribution: str, form: str) -> Json:
    """Return the landing page; `title` is that of the study."""
    return {
        "title": title,
        "description": place.text("about"),
        "attribution": attribution,
        "links": [
            *place.both("", form),
            place.link("service-desc", "/api?f=json", OPENAPI, "api"),
            place.link("service-doc", "/api?f=html", HTML, "api"),
            place.link("conformance", "/conformance", JSON, "conformance"),
            place.link("data", "/collections", JSON, "collections"),
        ],
    }


def collection_document(place: DoorAddress, sources: Sources, collection: Collection, form: str) -> Json:
    """Return what is said of one collection."""
    name, path = collection.name, f"/collections/{collection.name}"
    bounds, during = collection.extent(sources)
    return {
        "id": name,
        "title": place.text(f"{name}_title"),
        "description": place.text(f"{name}_about"),
        "itemType": "feature",
        "extent": {
            "spatial": {"bbox": [[round(x, 7) for x in bounds]], "crs": CRS84},
            "temporal": {
                "interval": [[_instant(end, sources) for end in during]],
                "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian",
            },
        },
        "crs": list(sources.city.crs),
        "storageCrs": CRS84,
        "links": [
            *place.both(path, form),
            place.link("items", f"{path}/items?f=json", GEOJSON, "as_geojson"),
            place.link("items", f"{path}/items?f=html", HTML, "as_html"),
            place.link(_QUERYABLES, f"{path}/queryables", SCHEMA, "queryables"),
        ],
    }


def _instant(epoch_s: float, sources: Sources) -> str | None:
    if not math.isfinite(epoch_s):
        return None
    moment = datetime.datetime.fromtimestamp(math.floor(epoch_s), datetime.UTC)
    return moment.isoformat().replace("+00:00", "Z")


def collections_document(place: DoorAddress, sources: Sources, form: str) -> Json:
    """Return all collections."""
    return {
        "links": place.both("/collections", form),
        "collections": [collection_document(place, sources, one, "json") for one in COLLECTIONS.values()],
    }


def queryables_document(place: DoorAddress, sources: Sources, collection: Collection) -> Json:
    """Return the properties one may filter by, as JSON Schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{place.root}/collections/{collection.name}/queryables",
        "type": "object",
        "title": place.text(f"{collection.name}_title"),
        "additionalProperties": False,
        "properties": {
            name: {"title": name, "type": kind} for name, kind in collection.properties(sources).items()
        },
    }


def _geometry(shape: shapely.Geometry, crs: str) -> Json:
    """Return GeoJSON, outer rings counter-clockwise on the map, in the axis order of the system."""
    # A centimetre in degrees, a millimetre in metres.
    digits = 7 if is_geographic(crs) else 3
    swapped = not easting_first(crs)

    def rounded(coords: Sequence[Any]) -> list[Any]:
        if coords and isinstance(coords[0], float):
            x, y = round(coords[0], digits), round(coords[1], digits)
            return [y, x] if swapped else [x, y]
        return [rounded(part) for part in coords]

    told = shapely.geometry.mapping(shapely.orient_polygons(shape))
    return {"type": told["type"], "coordinates": rounded(told["coordinates"])}


def _feature(feature: Feature, crs: str) -> Json:
    return {
        "type": "Feature",
        "id": feature.feature_id,
        "geometry": _geometry(feature.shape, crs),
        "properties": dict(feature.properties),
    }


def feature_document(
    place: DoorAddress, collection: Collection, feature: Feature, crs: str, form: str
) -> Json:
    """Return one feature."""
    path = f"/collections/{collection.name}"
    own = f"{path}/items/{quote(feature.feature_id, safe='')}"
    asked = "" if crs == CRS84 else "?" + urlencode({"crs": crs})
    links = [*place.both(own + asked, form, GEOJSON), place.link("collection", path, JSON)]
    return {**_feature(feature, crs), "links": links}


def items_document(
    place: DoorAddress, collection: Collection, found: FeaturePage, asked: ItemsQuery,
    query: Mapping[str, str], now: datetime.datetime, form: str,
) -> Json:  # fmt: skip
    """Return a page of features, with the way to the next one and the one before."""
    path = f"/collections/{collection.name}"
    plain = {name: value for name, value in query.items() if name != "f"}

    def page(offset: int) -> str:
        # A page that was asked for with a limit that is too large goes on with the one it got.
        return f"{path}/items?" + urlencode({**plain, "limit": asked.limit, "offset": offset, "f": form})

    kind = GEOJSON if form == "json" else HTML
    at = f"{path}/items" + (f"?{urlencode(plain)}" if plain else "")
    links = [*place.both(at, form, GEOJSON), place.link("collection", path, JSON)]
    after = asked.offset + len(found.features)
    if found.features and after < found.matched:
        links.append(place.link("next", page(after), kind, "next"))
    if asked.offset:
        # Behind the end, the page before is the last one.
        last = max(0, found.matched - 1) // asked.limit * asked.limit
        links.append(place.link("prev", page(max(0, min(asked.offset - asked.limit, last))), kind, "prev"))
    return {
        "type": "FeatureCollection",
        "features": [_feature(feature, asked.crs) for feature in found.features],
        "numberMatched": found.matched,
        "numberReturned": len(found.features),
        "timeStamp": now.astimezone(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "links": links,
    }


def api_document(place: DoorAddress, sources: Sources, title: str) -> Json:
    """Return the OpenAPI 3.0 definition of this door."""
    paths: Json = {
        "/": _get(place.text("landing"), [_F, _LANG], JSON),
        "/conformance": _get(place.text("conformance"), [_F, _LANG], JSON),
        "/api": _get(place.text("api"), [_F, _LANG], OPENAPI),
        "/collections": _get(place.text("collections"), [_F, _LANG], JSON),
    }
    crs = {"type": "string", "format": "uri", "enum": list(sources.city.crs), "default": CRS84}
    for name, collection in COLLECTIONS.items():
        told, path = place.text(f"{name}_title"), f"/collections/{name}"
        paths[path] = _get(told, [_F, _LANG], JSON)
        paths[f"{path}/queryables"] = _get(f"{told}: {place.text('queryables')}", [_F, _LANG], SCHEMA)
        filters = [_parameter(key, {"type": kind}) for key, kind in collection.properties(sources).items()]
        of_items = [_F, _LANG, *_OF_ITEMS, _parameter("crs", crs), _parameter("bbox-crs", crs), *filters]
        paths[f"{path}/items"] = _get(told, of_items, GEOJSON)
        one = {"name": "featureId", "in": "path", "required": True, "schema": {"type": "string"}}
        paths[f"{path}/items/{{featureId}}"] = _get(told, [one, _F, _LANG, _parameter("crs", crs)], GEOJSON)
    return {
        "openapi": "3.0.3",
        "info": {"title": title, "description": place.text("about"), "version": "1"},
        "servers": [{"url": place.root}],
        "paths": paths,
    }


def _parameter(name: str, schema: Json, **more: Any) -> Json:  # noqa: ANN401
    # Lists are written with commas (bbox), not as one parameter for each number.
    return {"name": name, "in": "query", "required": False, "schema": schema, "style": "form",
            "explode": False, **more}  # fmt: skip


_F = _parameter("f", {"type": "string", "enum": ["json", "html"]})
_LANG = _parameter("lang", {"type": "string", "enum": ["zh", "en"]})
_NUMBERS = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}
_OF_ITEMS = (
    _parameter("bbox", _NUMBERS),
    _parameter("datetime", {"type": "string"}),
    _parameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}),
    _parameter("offset", {"type": "integer", "minimum": 0, "default": 0}),
)


def _get(summary: str, parameters: Sequence[Json], kind: str) -> Json:
    content = {kind: {"schema": {"type": "object"}}}
    if kind != SCHEMA:
        content[HTML] = {"schema": {"type": "string"}}
    problem = {"application/problem+json": {"schema": {"type": "object"}}}
    return {
        "get": {
            "summary": summary,
            "parameters": list(parameters),
            "responses": {
                "200": {"description": summary, "content": content},
                "400": {"description": "400", "content": problem},
            },
        }
    }
