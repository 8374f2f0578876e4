"""Columns of a map file into `RawWays`: streets with their rules, barriers, turn restrictions."""

import re
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from geo.arrays import BoolArray, Int64Array, UInt8Array
from geo.osm.areas import opl_text, way_rows
from geo.osm.columns import StreetColumns
from geo.osm.ferries import FERRY_WAIT_S, ferry_ways, lines_of, with_ferries
from geo.osm.files.opl import Objects, OsmColumns, Relation, parse_tags
from geo.osm.rules.access import (
    AT_HOURS,
    CLASSES,
    CONDITIONAL_ACCESS,
    CONDITIONAL_SPEED,
    FERRY,
    WAY_KEYS,
    WayRule,
    way_rule,
)
from geo.osm.rules.barriers import NodeRule, node_rule
from geo.osm.turns import restrictions_on
from geo.rings import spans
from geo.streets.raw import MODES, Compounds, RawWays

__all__ = ["NAME_KEYS", "STREET_KEYS", "raw_ways", "read_streets", "squares_not_whole"]

NAME_KEYS = ("name", "name:zh", "name:en", "ref")
STREET_KEYS = WAY_KEYS | CONDITIONAL_ACCESS | CONDITIONAL_SPEED | AT_HOURS | frozenset(NAME_KEYS)
_WAYS_LEFT_OUT = (
    "ways_of_unknown_class",
    "ways_closed_to_everybody",
    "ways_with_conditional_access",
    "ways_with_conditional_speed",
    "ways_open_at_certain_hours",
    "ways_of_fewer_than_two_nodes",
    "squares_beside_no_street",
    "nodes_without_position",
    "gates_open_at_certain_hours",
    "ferries_that_end_at_no_street",
)
"""In the order of the last fields of `_Kind`, then what follows from the geometry."""
_NAME_TAG = re.compile("(?:^|,)(name(?::zh|:en)?|ref)=([^,]*)")


class _Kind(NamedTuple):
    """What the tags of a way come to: rule (-1 for none), name (-1 for none), and what was left out."""

    rule: int
    name: int
    square: bool
    unknown: bool
    closed: bool
    access_at_times: bool
    speed_at_times: bool
    open_at_times: bool


class _Tables:
    """Distinct rules and names, and the kind of each distinct text; most texts occur on many ways."""

    def __init__(self) -> None:
        self.rules: dict[WayRule, int] = {}
        self.names: dict[str, int] = {}
        self._by_rest: dict[str, _Kind] = {}
        self._kinds: dict[str, _Kind] = {}

    def kind(self, text: str) -> _Kind:
        """Look up or make out what the tags of a way, as OPL text, come to."""
        kind = self._kinds.get(text)
        if kind is None:
            rest, called = _split_name(text)
            plain = self._by_rest.get(rest)
            if plain is None:
                plain = self._by_rest[rest] = self._plain(rest)
            named = bool(called) and plain.rule >= 0
            number = self.names.setdefault(called, len(self.names)) if named else -1
            kind = self._kinds[text] = plain._replace(name=number)
        return kind

    def _plain(self, rest: str) -> _Kind:
        tags = parse_tags(rest)
        rule = way_rule(tags)
        known = (tags.get("highway") or (FERRY if tags.get("route") == FERRY else "")) in CLASSES
        return _Kind(
            rule=-1 if rule is None else self.rules.setdefault(rule, len(self.rules)),
            name=-1,
            square="area=yes" in rest,
            unknown="highway" in tags and not known,
            closed=rule is None and known,
            access_at_times=known and not CONDITIONAL_ACCESS.isdisjoint(tags),
            speed_at_times=known and not CONDITIONAL_SPEED.isdisjoint(tags),
            open_at_times=known and any(tags.get(key, "no") not in ("no", "24/7") for key in AT_HOURS),
        )


def read_streets(file: OsmColumns, ferry_wait_s: float = FERRY_WAIT_S) -> StreetColumns:
    """Pick the ways that somebody may use, with their nodes; squares only where they touch a street.

    Parameters
    ----------
    file : OsmColumns
    ferry_wait_s : float
        Seconds until the next ferry leaves, a part of the time over each that does not tell its interval.
    """
    tables = _Tables()
    ferries = ferry_ways(file, STREET_KEYS)
    more = {row: text for row, text in _square_outlines(file) if row not in ferries}
    more |= {row: ferry.text for row, ferry in ferries.items() if not file.ways.street[row]}
    plain = np.flatnonzero(file.ways.street)
    streets = np.concatenate([plain, np.array(list(more), dtype=np.int64)])
    texts = [*file.ways.texts(plain), *more.values()]
    for at in np.flatnonzero(np.isin(streets, list(ferries))).tolist():
        texts[at] = ferries[int(streets[at])].text
    found = [tables.kind(text) for text in texts]
    rule, name, square, *left = np.array(found, dtype=np.int32).reshape(-1, len(_Kind._fields)).T
    used = rule >= 0
    ways, rule, name, square = streets[used], rule[used], name[used], square[used] == 1
    lengths = np.diff(file.ways.ref_ptr)[ways]
    side = (np.arange(len(streets)) >= len(plain))[used]
    lonely, long = _lonely(file, ways, square, side), lengths >= 2
    ways, lengths = ways[long & ~lonely], lengths[long & ~lonely]
    refs = file.ways.ref[spans(file.ways.ref_ptr[ways], lengths)]
    boat = np.array([one.highway == CLASSES.index(FERRY) for one in tables.rules], np.bool_)
    kept, ending = _boats(boat[rule[long & ~lonely]], lengths, refs)
    lengths = (
        np.add.reduceat(kept.astype(np.int64), np.cumsum(lengths) - lengths) if len(lengths) else lengths
    )
    node_id, way_ref = np.unique(refs[kept], return_inverse=True)
    lonlat = file.lonlat(file.find(node_id))
    blocked, gate, private, timed = _barriers(file.nodes, node_id)
    counts = [*(int(column.sum()) for column in left), int((~long).sum()), int((long & lonely).sum())]
    counts += [int(np.isnan(lonlat[:, 0]).sum()), timed, ending]
    return with_ferries(
        StreetColumns(
            way_id=file.ways.id[ways],
            way_ptr=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            way_ref=way_ref.astype(np.int32),
            ref_compound=np.full(len(way_ref), -1, dtype=np.int32),
            rule=rule[long & ~lonely],
            rules=tuple(tables.rules),
            name=name[long & ~lonely],
            names=tuple(parse_tags(f"n={called}")["n"] for called in tables.names),
            node_id=node_id,
            node_lonlat=lonlat,
            node_blocked=blocked,
            node_gate=gate,
            node_private=private,
            left_out=dict(zip(_WAYS_LEFT_OUT, counts, strict=True)),
        ),
        *lines_of(ferries, ways),
        ferry_wait_s,
    )


def _square_outlines(file: OsmColumns) -> list[tuple[int, str]]:
    """Ways (rows) around squares that are multipolygon relations, with the tags of the relation.

    Its outline may be walked as that of a square that is a closed way; what is a street already stays one.
    """
    sides = [
        (ref, opl_text({**tags, "area": "yes"}))
        for tags, members in ((_street_tags(r), r.members) for r in _squares(file))
        for kind, ref, role in members
        if kind == "w" and role in ("outer", "inner", "")
    ]
    rows = way_rows(file, np.array([ref for ref, _ in sides], dtype=np.int64)).tolist()
    found = [(row, text) for row, (_, text) in zip(rows, sides, strict=True) if row >= 0]
    return [(row, text) for row, text in dict(found).items() if not file.ways.street[row]]


def _squares(file: OsmColumns) -> list[Relation]:
    return [r for r in file.relations if r.tags.get("type") == "multipolygon" and "highway" in r.tags]


def squares_not_whole(file: OsmColumns) -> int:
    """Count the squares that are relations and of which a part of the outline is not in the file."""
    sides = [[ref for kind, ref, _ in square.members if kind == "w"] for square in _squares(file)]
    rows = [way_rows(file, np.array(refs, dtype=np.int64)) for refs in sides]
    return sum(not len(found) or bool((found < 0).any()) for found in rows)


def _street_tags(relation: Relation) -> dict[str, str]:
    return {key: value for key, value in relation.tags.items() if key in STREET_KEYS}


def _lonely(file: OsmColumns, ways: Int64Array, square: BoolArray, side: BoolArray) -> BoolArray:
    """Mask of the squares (``area=yes``) that touch no street: nobody can walk there.

    A `side` of a square that is a relation may also touch another such side that does.
    """
    lonely = square.copy()
    if square.any():
        lengths = np.diff(file.ways.ref_ptr)[ways]
        refs = file.ways.ref[spans(file.ways.ref_ptr[ways], lengths)]
        way = np.repeat(np.arange(len(ways)), lengths)
        lonely[way[np.isin(refs, refs[~square[way]])]] = False
        before = -1
        while side.any() and before != (before := int(lonely.sum())):
            touched = np.isin(refs, refs[(side & ~lonely)[way]])
            lonely[way[touched & side[way]]] = False
    return lonely


def _split_name(text: str) -> tuple[str, str]:
    """Tags without names, so that equal rules look equal, and the best name, as OPL writes it."""
    found = dict(_NAME_TAG.findall(text))
    if not found:
        return text, ""
    best = next(found[key] for key in NAME_KEYS if key in found)
    return _NAME_TAG.sub("", text).lstrip(","), best


def _boats(boat: BoolArray, lengths: Int64Array, refs: Int64Array) -> tuple[BoolArray, int]:
    """Return which nodes of ways stay, and how many ferries (`boat`) end where no other way does.

    Left out is where ferries cross each other on the water, each on its way: nobody changes boats there.
    """
    kept = np.ones(len(refs), np.bool_)
    if not boat.any():
        return kept, 0
    last = np.cumsum(lengths)
    end = np.zeros(len(refs), np.bool_)
    end[last - lengths] = end[last - 1] = True
    aboard = np.repeat(boat, lengths)
    node = np.unique(refs, return_inverse=True)[1]
    times, on_the_way = np.bincount(node), np.bincount(node, aboard & ~end)
    kept[aboard & ((times > 1) & (times == on_the_way))[node]] = False
    alone = end & aboard & (times[node] == 1)
    return kept, int(np.logical_or.reduceat(alone, last - lengths).sum())


def _barriers(nodes: Objects, node_id: Int64Array) -> tuple[UInt8Array, BoolArray, UInt8Array, int]:
    """Modes stopped, gates and modes that may only go in, by node, and how many gates have hours."""
    gate = np.zeros(len(node_id), np.bool_)
    blocked, private = np.zeros(len(node_id), np.uint8), np.zeros(len(node_id), np.uint8)
    timed = 0
    if not len(node_id):
        return blocked, gate, private, timed
    at = np.minimum(np.searchsorted(node_id, nodes.id), len(node_id) - 1)
    on_street = np.flatnonzero(node_id[at] == nodes.id)
    known: dict[str, NodeRule] = {}
    for row, text in zip(at[on_street].tolist(), nodes.texts(on_street), strict=True):
        if "barrier=" in text or "highway=elevator" in text:
            rule = known.get(text)
            if rule is None:
                rule = known[text] = node_rule(parse_tags(text))
            blocked[row], gate[row], private[row] = rule
            if ":conditional=" in text or "opening_hours=" in text:
                timed += 1
    return blocked, gate, private, timed


def raw_ways(relations: Iterable[Relation], streets: StreetColumns, compounds: Compounds) -> RawWays:
    """Columns of usable ways; `streets` may have been cut at compounds before (`geo.osm.compounds`)."""
    rules = streets.rules
    directions = [[rule.forward for rule in rules], [rule.backward for rule in rules]]
    access = np.array(directions, dtype=np.uint8).reshape(2, -1)
    private = np.array([r.private for r in rules], dtype=np.uint8)
    speed = np.array([r.speed_mps for r in rules], dtype=np.float32).reshape(-1, len(MODES)).T
    highway = np.array([r.highway for r in rules], dtype=np.uint8)
    turns, turns_left_out = restrictions_on(relations, streets)
    return RawWays(
        node_id=streets.node_id,
        node_lonlat=streets.node_lonlat,
        way_id=streets.way_id,
        way_ptr=streets.way_ptr,
        way_ref=streets.way_ref,
        ref_compound=streets.ref_compound,
        way_access=access[:, streets.rule],
        way_private=private[streets.rule],
        way_speed_mps=speed[:, streets.rule],
        way_name=streets.name,
        way_class=highway[streets.rule],
        names=streets.names,
        classes=CLASSES,
        node_blocked=streets.node_blocked,
        node_gate=streets.node_gate,
        node_private=streets.node_private,
        compounds=compounds,
        way_off_ground=np.array([r.off_ground for r in rules], dtype=np.bool_)[streets.rule],
        left_out={**streets.left_out, **turns_left_out},
        **turns._asdict(),
    )
