"""The query of a request for items: read once, strictly, as OGC API - Features asks for it."""

import dataclasses
import datetime
import re
from collections.abc import Collection as AnyOf
from collections.abc import Iterable, Mapping

import numpy as np
import shapely
from numpy.typing import NDArray

from api.ogc.crs import CRS84, easting_first, is_geographic
from api.ogc.errors import BadParameterError

__all__ = ["COMMON", "MOST", "Interval", "ItemsQuery", "QueryBox", "read_asked", "single_values"]

USUAL, MOST = 100, 10_000
"""Features a page, where nothing is said and at the most; whoever wants more is given so many."""
COMMON = frozenset({"f", "lang"})
"""Parameters that every address takes."""
_OF_ITEMS = COMMON | {"bbox", "bbox-crs", "crs", "limit", "offset", "datetime"}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

Shapes = NDArray[np.object_]
Interval = tuple[float, float]
"""Epoch seconds from and to, both included; infinite where it has no end."""


@dataclasses.dataclass(frozen=True, slots=True)
class QueryBox:
    """A box with its sides along the axes of a system, easting first: (low x, low y, high x, high y).

    In degrees low x may be larger than high x: the box then crosses the 180th meridian.
    """

    numbers: tuple[float, float, float, float]
    crs: str

    def meets(self, shapes: Shapes) -> NDArray[np.bool_]:
        """Return which shapes, given in the system of the box, have a point in it or on its edge."""
        west, south, east, north = self.numbers
        if west <= east:
            return np.asarray(shapely.intersects(shapes, shapely.box(west, south, east, north)))
        parts = (shapely.box(west, south, 180.0, north), shapely.box(-180.0, south, east, north))
        return np.asarray(shapely.intersects(shapes, parts[0]) | shapely.intersects(shapes, parts[1]))


@dataclasses.dataclass(frozen=True, slots=True)
class ItemsQuery:
    """What a request for items asks for."""

    bbox: QueryBox | None = None
    crs: str = CRS84
    limit: int = USUAL
    offset: int = 0
    during: Interval | None = None
    filters: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Property and the value that it must have."""


def single_values(query: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return parameters by name.

    Raises
    ------
    BadParameterError
        When one is given twice.
    """
    found: dict[str, str] = {}
    for name, value in query:
        if name in found:
            raise BadParameterError(f"the parameter {name} is given twice")
        found[name] = value
    return found


def read_asked(
    query: Mapping[str, str], crs: AnyOf[str], properties: AnyOf[str], zone: datetime.tzinfo
) -> ItemsQuery:
    """Read the query of a request for items.

    Parameters
    ----------
    query : mapping of str to str
    crs : collection of str
        URIs of the systems that the collection is offered in.
    properties : collection of str
        What one may filter by.
    zone : tzinfo
        Of the city: a day without a time is one of its days.

    Raises
    ------
    BadParameterError
        When a parameter is not known or has no such value.
    """
    filters = {name: value for name, value in query.items() if name not in _OF_ITEMS}
    for name in filters:
        if name not in properties:
            known = ", ".join(sorted(_OF_ITEMS))
            raise BadParameterError(
                f"there is no parameter {name!r} here; there are {known}, and the properties of the"
                f" collection: {', '.join(properties) or 'none'}"
            )
    box_crs = _system("bbox-crs", query.get("bbox-crs", CRS84), crs)
    if "bbox-crs" in query and "bbox" not in query:
        raise BadParameterError("bbox-crs says what the numbers of bbox are: send both, or none")
    return ItemsQuery(
        bbox=_box(query["bbox"], box_crs) if "bbox" in query else None,
        crs=_system("crs", query.get("crs", CRS84), crs),
        limit=min(_whole("limit", query.get("limit", str(USUAL)), 1), MOST),
        offset=_whole("offset", query.get("offset", "0"), 0),
        during=_interval(query["datetime"], zone) if "datetime" in query else None,
        filters=filters,
    )


def _system(name: str, uri: str, offered: AnyOf[str]) -> str:
    # Some clients put the URI into brackets, as headers have it, or write https.
    plain = uri.strip("<>[] ").replace("https://", "http://", 1)
    if plain not in offered:
        raise BadParameterError(f"{name} is {uri!r}; this collection is offered in {', '.join(offered)}")
    return plain


def _whole(name: str, text: str, least: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 12 and int(text) >= least):
        raise BadParameterError(f"{name} is {text!r}; it must be a whole number from {least} on")
    return int(text)


def _box(text: str, crs: str) -> QueryBox:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (4, 6) or not np.isfinite(numbers).all():
        raise BadParameterError(f"bbox is {text!r}; it must be 4 numbers with commas (or 6, with heights)")
    size = len(numbers) // 2
    (first, second), (third, fourth) = numbers[:2], numbers[size : size + 2]
    low, high = (
        ((first, second), (third, fourth)) if easting_first(crs) else ((second, first), (fourth, third))
    )
    degrees = is_geographic(crs)
    if low[1] > high[1] or (low[0] > high[0] and not degrees):
        raise BadParameterError(f"bbox is {text!r}; its lower corner must come before its upper one")
    if degrees and (max(abs(low[1]), abs(high[1])) > 90 or max(abs(low[0]), abs(high[0])) > 180):
        order = "lon,lat,lon,lat" if easting_first(crs) else "lat,lon,lat,lon"
        raise BadParameterError(f"bbox is {text!r}; in {crs} it reads {order}, in degrees")
    return QueryBox((*low, *high), crs)


def _interval(text: str, zone: datetime.tzinfo) -> Interval:
    parts = text.split("/")
    if len(parts) > 2 or all(part in ("", "..") for part in parts):
        raise BadParameterError(
            f"datetime is {text!r}; it must be a moment, or two with a slash between them"
        )
    if len(parts) == 1:
        return _moment(parts[0], text, zone)
    begins = -np.inf if parts[0] in ("", "..") else _moment(parts[0], text, zone)[0]
    ends = np.inf if parts[1] in ("", "..") else _moment(parts[1], text, zone)[1]
    if begins > ends:
        raise BadParameterError(f"datetime is {text!r}; it ends before it begins")
    return float(begins), float(ends)


def _moment(part: str, text: str, zone: datetime.tzinfo) -> Interval:
    """Return the first and the last second of a moment: the same, but for a day."""
    try:
        if _DAY.fullmatch(part):
            day = datetime.datetime.fromisoformat(part).replace(tzinfo=zone)
            return day.timestamp(), (day + datetime.timedelta(days=1)).timestamp() - 1e-3
        # In a query a plus sign that nobody encoded is a space; RFC 3339 lets T and Z be small.
        moment = datetime.datetime.fromisoformat(part[:11].upper() + part[11:].replace(" ", "+").upper())
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadParameterError(
            f"datetime is {text!r}; a moment reads 2026-03-04T12:00:00Z, a day 2026-03-04, no end .."
        )
    return moment.timestamp(), moment.timestamp()
