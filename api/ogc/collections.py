"""The table of collections: each is a function from what is asked to features.

Collections of a study are made from its published layers, in which whatever fewer than k riders stand behind
is None already. A collection from a store gets the scope of the caller and decides itself what they see.
"""

import dataclasses
import datetime
import functools
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from api.forms import Station
from api.ogc.asking import Interval, ItemsQuery
from api.ogc.crs import offered_systems, reprojected
from api.ogc.errors import NoSuchFeatureError
from api.store import Database, Scope
from maps.exports import Layer, study_layers
from siting.results import Study

__all__ = [
    "COLLECTIONS",
    "Collection",
    "Feature",
    "FeaturePage",
    "FeatureTable",
    "Sources",
    "StudySource",
    "collection_of",
]

Shapes = NDArray[np.object_]
ALWAYS: Interval = (-np.inf, np.inf)


@dataclasses.dataclass(frozen=True, slots=True)
class Feature:
    """One thing on the map."""

    feature_id: str
    shape: shapely.Geometry
    """In the system that was asked for, easting first."""
    properties: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class FeaturePage:
    """One page of features, and how many there are on all pages."""

    features: Sequence[Feature]
    matched: int


@dataclasses.dataclass(frozen=True, slots=True)
class FeatureTable:
    """Features in memory: ids, shapes in CRS84, properties, and when each holds."""

    ids: tuple[str, ...]
    shapes: Shapes
    rows: Sequence[Mapping[str, Any]]
    times: Sequence[Interval]
    _in: dict[str, Shapes] = dataclasses.field(default_factory=dict, compare=False, repr=False)

    def shapes_in(self, uri: str) -> Shapes:
        """Return the shapes in a system, easting first; kept, because the next page asks for them again."""
        if uri not in self._in:
            self._in[uri] = reprojected(self.shapes, uri)
        return self._in[uri]

    def select(self, asked: ItemsQuery) -> FeaturePage:
        """Return the page that is asked for, in the order of the table."""
        keep = np.ones(len(self.ids), np.bool_)
        if asked.bbox is not None and len(self.ids):
            keep &= asked.bbox.meets(self.shapes_in(asked.bbox.crs))
        if asked.during is not None:
            first, last = asked.during
            keep &= np.array([begins <= last and ends >= first for begins, ends in self.times], np.bool_)
        for name, value in asked.filters.items():
            keep &= np.array([_is(row[name], value) for row in self.rows], np.bool_)
        at = np.flatnonzero(keep)
        page = at[asked.offset : asked.offset + asked.limit].tolist()
        shapes = self.shapes_in(asked.crs) if page else self.shapes
        return FeaturePage([Feature(self.ids[n], shapes[n], self.rows[n]) for n in page], len(at))


def _is(value: object, wanted: str) -> bool:
    """Whether a property has a value as a query writes it; one of several where it lists some."""
    if value is None:
        return False
    if isinstance(value, bool):
        return wanted.lower() == str(value).lower()
    if isinstance(value, int | float):
        try:
            return float(wanted) == value
        except ValueError:
            return False
    return str(value) == wanted or wanted in str(value).split(";")


@dataclasses.dataclass(frozen=True, eq=False)
class StudySource:
    """A served study as collections; made once and kept, because its tables are.

    Parameters
    ----------
    study : Study
        Published: what the gate withholds is None in it.
    stations : tuple of Station
        Its stations, with the day from which each is shut.
    """

    study: Study
    stations: tuple[Station, ...]

    @functools.cached_property
    def layers(self) -> Mapping[str, Layer]:
        """The layers of the study."""
        return study_layers(self.study)

    @functools.cached_property
    def crs(self) -> tuple[str, ...]:
        """URIs of the systems that features are offered in."""
        return offered_systems(self.study.bounds)

    @functools.cached_property
    def zone(self) -> datetime.tzinfo:
        """Of the city."""
        return zoneinfo.ZoneInfo(self.study.timezone)

    @functools.cached_property
    def tables(self) -> Mapping[str, FeatureTable]:
        """The collections of the study by name."""
        return {name: make(self) for name, make in _OF_STUDY.items()}

    @property
    def period(self) -> Interval:
        """Epoch seconds of the first and the last moment of the study's days."""
        first, last = (
            datetime.datetime.fromisoformat(day).replace(tzinfo=self.zone) for day in self.study.period
        )
        return first.timestamp(), (last + datetime.timedelta(days=1)).timestamp() - 1e-3


@dataclasses.dataclass(frozen=True, slots=True)
class Sources:
    """What a request may be answered from.

    Parameters
    ----------
    city : StudySource
    database : Database, optional
        For collections that come from the store.
    scope : Scope, optional
        Who asks; None: anybody.
    now_s : float
        When it is asked, in epoch seconds.
    """

    city: StudySource
    database: Database | None = None
    scope: Scope | None = None
    now_s: float = 0.0


def _stations(city: StudySource) -> FeatureTable:
    layer, ids = city.layers["sites"], {site.site_id for site in city.study.sites if site.existing}
    shut = {station.station_id: station.closed_from for station in city.stations}
    rows, times = [], []
    for row in layer.rows:
        if row["id"] not in ids:
            continue
        day = shut.get(row["id"])
        rows.append({**row, "closed_from": None if day is None else day.isoformat()})
        end = datetime.datetime.combine(day, datetime.time(), city.zone) if day is not None else None
        times.append((-np.inf, np.inf if end is None else end.timestamp() - 1e-3))
    at = [n for n, row in enumerate(layer.rows) if row["id"] in ids]
    return FeatureTable(tuple(row["id"] for row in rows), layer.shapes[at], rows, times)


def _suggested(city: StudySource) -> FeatureTable:
    layer, ids = city.layers["sites"], {site.site_id for site in city.study.sites if not site.existing}
    at = [n for n, row in enumerate(layer.rows) if row["id"] in ids]
    rows = [layer.rows[n] for n in at]
    return FeatureTable(tuple(row["id"] for row in rows), layer.shapes[at], rows, [ALWAYS] * len(rows))


def _pickups(city: StudySource) -> FeatureTable:
    layer = city.layers["pickups"]
    return FeatureTable(
        tuple(row["id"] for row in layer.rows), layer.shapes, layer.rows, [ALWAYS] * len(layer.rows)
    )


def _counted(city: StudySource, layer: Layer, ids: tuple[str, ...]) -> FeatureTable:
    """Figures of the study's days: they say the days, and hold in them."""
    first, last = city.study.period
    rows = [{**row, "period_start": first, "period_end": last} for row in layer.rows]
    return FeatureTable(ids, layer.shapes, rows, [city.period] * len(rows))


def _grids(city: StudySource) -> FeatureTable:
    layer = city.layers["grids"]
    return _counted(city, layer, tuple(row["code"] for row in layer.rows))


def _flows(city: StudySource) -> FeatureTable:
    layer = city.layers["flows"]
    # Streets have no name of their own here; the order of a finished study does not change.
    return _counted(city, layer, tuple(f"F{n + 1:05d}" for n in range(len(layer.rows))))


_OF_STUDY: Mapping[str, Callable[[StudySource], FeatureTable]] = {
    "stations": _stations,
    "suggested_sites": _suggested,
    "pickup_points": _pickups,
    "unit_grids": _grids,
    "flows": _flows,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Collection:
    """One collection: what it is called, and the functions that answer for it.

    Parameters
    ----------
    name : str
        In addresses; its title and description stand in the catalogue under ``ogc``.
    find : callable
        From sources (study, database, scope) and what is asked to a page of features.
    one : callable
        From sources, an id and the URI of a system to the feature; None where there is none.
    properties : callable
        From sources to the properties one may filter by, with their JSON types.
    extent : callable
        From sources to the bounds (west, south, east, north) and the time it is about.
    """

    name: str
    find: Callable[[Sources, ItemsQuery], FeaturePage]
    one: Callable[[Sources, str, str], Feature | None]
    properties: Callable[[Sources], Mapping[str, str]]
    extent: Callable[[Sources], tuple[tuple[float, float, float, float], Interval]]


def _of_study(name: str) -> Collection:
    def find(sources: Sources, asked: ItemsQuery) -> FeaturePage:
        return sources.city.tables[name].select(asked)

    def one(sources: Sources, feature_id: str, crs: str) -> Feature | None:
        table = sources.city.tables[name]
        if feature_id not in table.ids:
            return None
        at = table.ids.index(feature_id)
        return Feature(feature_id, table.shapes_in(crs)[at], table.rows[at])

    def properties(sources: Sources) -> Mapping[str, str]:
        rows = sources.city.tables[name].rows
        return {key: _json_type([row[key] for row in rows]) for key in (rows[0] if rows else ())}

    def extent(sources: Sources) -> tuple[tuple[float, float, float, float], Interval]:
        table = sources.city.tables[name]
        if not table.ids:
            return sources.city.study.bounds, ALWAYS
        west, south, east, north = shapely.total_bounds(table.shapes).tolist()
        begins, ends = (min(time[0] for time in table.times), max(time[1] for time in table.times))
        return (west, south, east, north), (begins, ends)

    return Collection(name, find, one, properties, extent)


def _json_type(values: Sequence[object]) -> str:
    known = [value for value in values if value is not None]
    for kind, name in ((bool, "boolean"), (int, "integer"), (int | float, "number")):
        if known and all(isinstance(value, kind) for value in known):
            return name
    return "string"


COLLECTIONS: dict[str, Collection] = {name: _of_study(name) for name in _OF_STUDY}
"""By name, in the order in which they are listed. What another room adds here is served like the rest."""


def collection_of(name: str) -> Collection:
    """Return a collection.

    Raises
    ------
    NoSuchFeatureError
        When there is none of that name.
    """
    found = COLLECTIONS.get(name)
    if found is None:
        raise NoSuchFeatureError(f"there is no collection {name!r}; there are {', '.join(COLLECTIONS)}")
    return found
