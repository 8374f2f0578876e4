"""Ferry lines: ways that say only in a relation that they are one, and the time over the water."""

from typing import NamedTuple

import numpy as np

from geo.arrays import BoolArray, Int64Array
from geo.osm.areas import opl_text, way_rows
from geo.osm.columns import StreetColumns
from geo.osm.files.opl import OsmColumns, parse_tags
from geo.osm.rules.access import AT_HOURS, CLASSES, FERRY
from geo.osm.rules.words import ACCESS_KEYS
from geo.streets.contraction import great_circle_m

__all__ = ["FERRY_WAIT_S", "FERRY_WAY_KEYS", "FerryWay", "ferry_ways", "lines_of", "with_ferries"]

FERRY_WAIT_S = 600.0
"""Half of the twenty minutes between two ferries over a river."""
FERRY_WAY_KEYS = frozenset(ACCESS_KEYS) | AT_HOURS | {"duration", "interval", "oneway"}
"""A way with one of them is read with its tags even without ``highway`` or ``route``: it may be of a line."""
SLOWEST_MPS, FASTEST_MPS = 0.05, 20.0
"""Of a ferry: another speed speaks of a wrong ``duration``."""
ASHORE = ("platform", "stop", "terminal", "entrance", "exit")
BACK = "backward"


class FerryWay(NamedTuple):
    """A way of a ferry line that is a relation."""

    text: str
    """Its tags with those of the relation where it says nothing itself, in OPL notation."""
    line: int
    """Which line it is a part of, -1 where it tells its own duration."""
    back: bool
    """Whether boats go that way only in the other direction: its length is no part of the line's."""


def ferry_ways(file: OsmColumns, keys: frozenset[str]) -> dict[int, FerryWay]:
    """Return the ways of ``route=ferry`` relations by their rows in the file.

    Parameters
    ----------
    file : OsmColumns
    keys : frozenset of str
        Tags of a relation that say something of its ways.

    Returns
    -------
    dict
        Streets among the members, such as a pier, are left out; of several relations the first one counts.
        What a way says itself comes before what the relation says.
    """
    lines = [
        one for one in file.relations if one.tags.get("type") == "route" and one.tags.get("route") == FERRY
    ]
    members = [
        (ref, role, number)
        for number, line in enumerate(lines)
        for kind, ref, role in line.members
        if kind == "w" and not role.startswith(ASHORE)
    ]
    rows = way_rows(file, np.array([ref for ref, _, _ in members], dtype=np.int64))
    texts = iter(file.ways.texts(rows[rows >= 0]))
    found: dict[int, FerryWay] = {}
    for row, (_, role, number) in zip(rows.tolist(), members, strict=True):
        if row < 0:
            continue
        own = parse_tags(next(texts))
        if row in found or "highway" in own or own.get("route", FERRY) != FERRY:
            continue
        tags = {key: value for key, value in lines[number].tags.items() if key in keys}
        line = -1 if "duration" in own else number
        found[row] = FerryWay(opl_text({**tags, **own}), line, role == BACK)
    return found


def lines_of(ferries: dict[int, FerryWay], ways: Int64Array) -> tuple[Int64Array, BoolArray]:
    """Return the line of each way (rows in the file), -1 for none, and which of them lead back only."""
    line, back = np.full(len(ways), -1, np.int64), np.zeros(len(ways), np.bool_)
    for at in np.flatnonzero(np.isin(ways, list(ferries))).tolist():
        _, line[at], back[at] = ferries[int(ways[at])]
    return line, back


def with_ferries(streets: StreetColumns, line: Int64Array, back: BoolArray, wait_s: float) -> StreetColumns:
    """Give each ferry a rule with the speed that its duration and the wait come to.

    The ways of one `line` share both, by their lengths.
    """
    ferry = CLASSES.index(FERRY)
    rows = [way for way in range(len(streets.way_id)) if streets.rules[streets.rule[way]].highway == ferry]
    if not rows:
        return streets
    rules, rule = list(streets.rules), streets.rule.copy()
    length_m: dict[int, float] = {}
    for way in rows:
        at = streets.node_lonlat[streets.way_ref[streets.way_ptr[way] : streets.way_ptr[way + 1]]]
        length_m[way] = float(np.nansum(great_circle_m(at[:-1], at[1:])))
    of_line: dict[int, list[int]] = {}
    for way in rows:
        of_line.setdefault(int(line[way]), []).append(way)
    for way in rows:
        part = of_line[int(line[way])] if line[way] >= 0 else [way]
        whole_m = sum(length_m[one] for one in part if not back[one]) or sum(length_m[one] for one in part)
        old = streets.rules[int(rule[way])]
        time_s = (old.duration_s or whole_m / max(old.speed_mps)) + (old.interval_s / 2 or wait_s)
        pace = min(max(whole_m / time_s, SLOWEST_MPS), FASTEST_MPS)
        a, b, c, d = (pace if speed > 0 else 0.0 for speed in old.speed_mps)
        rule[way] = len(rules)
        rules.append(old._replace(speed_mps=(a, b, c, d)))
    return streets._replace(rules=tuple(rules), rule=rule)
