"""Columns of a map file into `RawWays`: streets with their rules, barriers, turn restrictions."""

import re
from collections.abc import Iterable

import numpy as np

from geo.arrays import BoolArray, Int64Array, UInt8Array
from geo.osm.access import CLASSES, WAY_KEYS, NodeRule, WayRule, node_rule, way_rule
from geo.osm.columns import StreetColumns
from geo.osm.opl import Objects, OsmColumns, Relation, parse_tags
from geo.osm.turns import restrictions_on
from geo.rings import spans
from geo.streets.raw import MODES, Compounds, RawWays

__all__ = ["NAME_KEYS", "STREET_KEYS", "raw_ways", "read_streets"]

NAME_KEYS = ("name", "name:zh", "name:en", "ref")
STREET_KEYS = WAY_KEYS | frozenset(NAME_KEYS)
_NAME_TAG = re.compile("(?:^|,)(name(?::zh|:en)?|ref)=([^,]*)")


def read_streets(file: OsmColumns) -> StreetColumns:
    """Pick the ways that somebody may use, with their nodes; squares only where they touch a street."""
    rules: dict[WayRule, int] = {}
    names: dict[str, int] = {}
    by_rest: dict[str, int] = {}
    # Rule, name and whether it is a square, of each distinct text; most texts occur on many ways.
    kinds: dict[str, tuple[int, int, bool]] = {}
    streets = np.flatnonzero(file.ways.street)
    found = []
    for text in file.ways.texts(streets):
        kind = kinds.get(text)
        if kind is None:
            rest, called = _split_name(text)
            index = by_rest.get(rest)
            if index is None:
                rule_found = way_rule(parse_tags(rest))
                index = -1 if rule_found is None else rules.setdefault(rule_found, len(rules))
                by_rest[rest] = index
            number = names.setdefault(called, len(names)) if called and index >= 0 else -1
            kind = kinds[text] = (index, number, "area=yes" in rest)
        found.append(kind)
    rule, name, square = np.array(found, dtype=np.int32).reshape(-1, 3).T
    used = rule >= 0
    ways, rule, name, square = streets[used], rule[used], name[used], square[used] == 1
    lengths = np.diff(file.ways.ref_ptr)[ways]
    kept = (lengths >= 2) & ~_lonely(file, ways, square)
    ways, lengths = ways[kept], lengths[kept]
    refs = file.ways.ref[spans(file.ways.ref_ptr[ways], lengths)]
    node_id, way_ref = np.unique(refs, return_inverse=True)
    lonlat = file.lonlat(file.find(node_id))
    blocked, gate, private = _barriers(file.nodes, node_id)
    return StreetColumns(
        way_id=file.ways.id[ways],
        way_ptr=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        way_ref=way_ref.astype(np.int32),
        ref_compound=np.full(len(way_ref), -1, dtype=np.int32),
        rule=rule[kept],
        rules=tuple(rules),
        name=name[kept],
        names=tuple(parse_tags(f"n={called}")["n"] for called in names),
        node_id=node_id,
        node_lonlat=lonlat,
        node_blocked=blocked,
        node_gate=gate,
        node_private=private,
    )


def _lonely(file: OsmColumns, ways: Int64Array, square: BoolArray) -> BoolArray:
    """Mask of the squares (``area=yes``) that touch no street: an island nobody can walk to."""
    lonely = square.copy()
    if square.any():
        lengths = np.diff(file.ways.ref_ptr)[ways]
        refs = file.ways.ref[spans(file.ways.ref_ptr[ways], lengths)]
        way = np.repeat(np.arange(len(ways)), lengths)
        on_street = np.isin(refs, refs[~square[way]])
        lonely[way[on_street]] = False
    return lonely


def _split_name(text: str) -> tuple[str, str]:
    """Tags without names, so that equal rules look equal, and the best name, as OPL writes it."""
    found = dict(_NAME_TAG.findall(text))
    if not found:
        return text, ""
    best = next(found[key] for key in NAME_KEYS if key in found)
    return _NAME_TAG.sub("", text).lstrip(","), best


def _barriers(nodes: Objects, node_id: Int64Array) -> tuple[UInt8Array, BoolArray, UInt8Array]:
    gate = np.zeros(len(node_id), np.bool_)
    blocked, private = np.zeros(len(node_id), np.uint8), np.zeros(len(node_id), np.uint8)
    if not len(node_id):
        return blocked, gate, private
    at = np.minimum(np.searchsorted(node_id, nodes.id), len(node_id) - 1)
    on_street = np.flatnonzero(node_id[at] == nodes.id)
    known: dict[str, NodeRule] = {}
    for row, text in zip(at[on_street].tolist(), nodes.texts(on_street), strict=True):
        if "barrier=" in text or "highway=elevator" in text:
            rule = known.get(text)
            if rule is None:
                rule = known[text] = node_rule(parse_tags(text))
            blocked[row], gate[row], private[row] = rule
    return blocked, gate, private


def raw_ways(relations: Iterable[Relation], streets: StreetColumns, compounds: Compounds) -> RawWays:
    """Columns of usable ways; `streets` may have been cut at compounds before (`geo.osm.compounds`)."""
    rules = streets.rules
    directions = [[rule.forward for rule in rules], [rule.backward for rule in rules]]
    access = np.array(directions, dtype=np.uint8).reshape(2, -1)
    private = np.array([r.private for r in rules], dtype=np.uint8)
    speed = np.array([r.speed_mps for r in rules], dtype=np.float32).reshape(-1, len(MODES)).T
    highway = np.array([r.highway for r in rules], dtype=np.uint8)
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
        **restrictions_on(relations, streets)._asdict(),
    )
