"""Street reports as a collection: what stands on the public board, read from the store with each request.

No person, no words of reporters, whole hours; what is marked is not there and not counted either.
"""

import datetime
from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

from api.civic.reports import codec
from api.civic.reports.translate import rounded_entry
from api.ogc import (
    CRS84,
    Collection,
    Feature,
    FeaturePage,
    FeatureTable,
    Interval,
    ItemsQuery,
    Sources,
)
from api.store import SERVICE
from api.store.civic import matters, offices
from geo.localtime import HOUR_S
from routing.civic import OVER

__all__ = ["STREET_REPORTS"]

_ALWAYS: Interval = (-np.inf, np.inf)
# What one may filter by: what is known before a page is cut out of the board.
_PROPERTIES = dict.fromkeys(("kind", "stage", "office", "reported", "updated"), "string")


def _hour(epoch_s: float, zone: datetime.tzinfo) -> str:
    return datetime.datetime.fromtimestamp(epoch_s // HOUR_S * HOUR_S, zone).isoformat(timespec="minutes")


def _table(sources: Sources) -> FeatureTable:
    """Return all of the board, without what only the page itself needs."""
    found: list[matters.BoardPlace] = []
    titles: Mapping[str, str] = {}
    if sources.database is not None:
        with sources.database.reading() as connection:
            found = matters.board_places(connection, SERVICE)
            titles = {row.tenant_id: row.title for row in offices.list_all(connection, SERVICE)}
    zone, rows, times = sources.city.zone, [], []
    for one in found:
        rows.append({
            "kind": one.kind, "stage": one.stage, "office": titles.get(one.tenant_id, one.tenant_id),
            "reported": _hour(one.opened_s, zone), "updated": _hour(one.updated_s, zone),
        })  # fmt: skip
        # A matter is there from its first report until its office is done with it.
        ends_s = one.updated_s // HOUR_S * HOUR_S if one.stage in OVER else np.inf
        times.append((one.opened_s // HOUR_S * HOUR_S, ends_s))
    places = np.array([(one.lon, one.lat) for one in found], np.float64).reshape(-1, 2)
    ids = tuple(one.matter_id for one in found)
    return FeatureTable(ids, np.asarray(shapely.points(places.round(6))), rows, times)


def _with_results(sources: Sources, features: list[Feature], now_s: float) -> list[Feature]:
    """Add what stands in the matters themselves; whatever was marked meanwhile is left out."""
    if sources.database is None or not features:
        return features
    ids, zone = [one.feature_id for one in features], sources.city.zone
    with sources.database.reading() as connection:
        only = matters.MatterFilter(ids=ids)
        found = matters.page_of_board(connection, SERVICE, None, len(ids), only)
    entries = {row.matter_id: rounded_entry(codec.matter_state_of(row.state), now_s) for row in found}
    told = []
    for one in features:
        entry = entries.get(one.feature_id)
        if entry is None:
            continue
        more: dict[str, Any] = {
            "due": _hour(entry.due_s, zone), "overdue": entry.left_s is not None and entry.left_s < 0,
            "level": entry.level, "result": entry.result or None,
        }  # fmt: skip
        told.append(Feature(one.feature_id, one.shape, {**one.properties, **more}))
    return told


def _find(sources: Sources, asked: ItemsQuery) -> FeaturePage:
    page = _table(sources).select(asked)
    return FeaturePage(_with_results(sources, list(page.features), sources.now_s), page.matched)


def _one(sources: Sources, feature_id: str, crs: str) -> Feature | None:
    table = _table(sources)
    if feature_id not in table.ids:
        return None
    at = table.ids.index(feature_id)
    found = [Feature(feature_id, table.shapes_in(crs)[at], table.rows[at])]
    return next(iter(_with_results(sources, found, sources.now_s)), None)


def _extent(sources: Sources) -> tuple[tuple[float, float, float, float], Interval]:
    table = _table(sources)
    if not table.ids:
        return sources.city.study.bounds, _ALWAYS
    west, south, east, north = shapely.total_bounds(table.shapes_in(CRS84)).tolist()
    return (west, south, east, north), (min(time[0] for time in table.times), np.inf)


STREET_REPORTS = Collection("street_reports", _find, _one, lambda _: _PROPERTIES, _extent)
"""The public board as a collection."""
