"""Columns of a map file into `RawWays`: streets with their rules, barriers, turn restrictions."""

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from geo.arrays import BoolArray, FloatArray, Int32Array, Int64Array, UInt8Array
from geo.osm.access import CLASSES, WAY_KEYS, NodeRule, WayRule, node_rule, way_rule
from geo.osm.opl import Objects, OsmColumns, Relation, parse_tags
from geo.rings import spans
from geo.streets.raw import MODES, Compounds, RawWays, mode_bit
from geo.streets.turn_bans import flat

__all__ = ["NAME_KEYS", "STREET_KEYS", "TURN_KEYS", "StreetColumns", "raw_ways", "read_streets"]

NAME_KEYS = ("name", "name:zh", "name:en", "ref")
STREET_KEYS = WAY_KEYS | frozenset(NAME_KEYS)
_NAME_TAG = re.compile("(?:^|,)(name(?::zh|:en)?|ref)=([^,]*)")
TURN_KEYS = ("restriction", "restriction:motorcar", "restriction:motor_vehicle")
_CAR = mode_bit("car")
_CAR_WORDS = frozenset({"motorcar", "motor_vehicle"})


class StreetColumns(NamedTuple):
    """Usable ways of a file: rules and nodes, before compounds cut them."""

    way_id: Int64Array
    way_ptr: Int64Array
    way_ref: Int32Array
    ref_compound: Int32Array
    rule: Int32Array
    rules: tuple[WayRule, ...]
    name: Int32Array
    names: tuple[str, ...]
    node_id: Int64Array
    node_lonlat: FloatArray
    node_blocked: UInt8Array
    node_gate: BoolArray


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
    blocked, gate = _barriers(file.nodes, node_id)
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


def _barriers(nodes: Objects, node_id: Int64Array) -> tuple[UInt8Array, BoolArray]:
    blocked, gate = np.zeros(len(node_id), np.uint8), np.zeros(len(node_id), np.bool_)
    if not len(node_id):
        return blocked, gate
    at = np.minimum(np.searchsorted(node_id, nodes.id), len(node_id) - 1)
    on_street = np.flatnonzero(node_id[at] == nodes.id)
    known: dict[str, NodeRule] = {}
    for row, text in zip(at[on_street].tolist(), nodes.texts(on_street), strict=True):
        if "barrier=" in text:
            rule = known.get(text)
            if rule is None:
                rule = known[text] = node_rule(parse_tags(text))
            blocked[row], gate[row] = rule
    return blocked, gate


def raw_ways(relations: Iterable[Relation], streets: StreetColumns, compounds: Compounds) -> RawWays:
    """Columns of usable ways; `streets` may have been cut at compounds before (`geo.osm.compounds`)."""
    rules = streets.rules
    directions = [[rule.forward for rule in rules], [rule.backward for rule in rules]]
    access = np.array(directions, dtype=np.uint8).reshape(2, -1)
    private = np.array([r.private for r in rules], dtype=np.uint8)
    speed = np.array([r.speed_mps for r in rules], dtype=np.float32).reshape(-1, len(MODES)).T
    highway = np.array([r.highway for r in rules], dtype=np.uint8)
    rules_of_turns = list(_binding(relations))
    turns, only = _turns(rules_of_turns, streets)
    drive_ptr, drive_node, drive_only = _drives(rules_of_turns, streets)
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
        compounds=compounds,
        restrictions=turns,
        restriction_only=only,
        drive_ptr=drive_ptr,
        drive_node=drive_node,
        drive_only=drive_only,
    )


def _binding(relations: Iterable[Relation]) -> Iterator[tuple[Relation, bool]]:
    """Turn restrictions that bind cars, and whether each allows only its turn."""
    for relation in relations:
        if not relation.tags.get("type", "").startswith("restriction"):
            continue
        rule = next((relation.tags[key] for key in TURN_KEYS if key in relation.tags), "")
        if rule[:3] in ("no_", "onl") and not _CAR_WORDS & set(relation.tags.get("except", "").split(";")):
            yield relation, rule.startswith("only_")


def _turns(
    relations: Iterable[tuple[Relation, bool]], streets: StreetColumns
) -> tuple[Int64Array, BoolArray]:
    """Turn restrictions over one node.

    Left out are those from a way to itself (a U-turn, which cars never make except at a dead end), and those
    that do not say from or to which side (see `_one_direction`). Those over a way: see `_drives`.
    """
    rows, only = [], []
    order = np.argsort(streets.way_id, kind="stable")
    sorted_ids = streets.way_id[order]
    node_order = np.argsort(streets.node_id, kind="stable")
    sorted_nodes = streets.node_id[node_order]
    for relation, alone in relations:
        via = [ref for kind, ref, role in relation.members if role == "via" and kind == "n"]
        if len(via) != 1:
            continue
        place = int(np.searchsorted(sorted_nodes, via[0]))
        if place == len(sorted_nodes) or sorted_nodes[place] != via[0]:
            continue
        node = int(node_order[place])
        ends = []
        for wanted, arriving in (("from", True), ("to", False)):
            ways = [ref for kind, ref, role in relation.members if role == wanted and kind == "w"]
            pieces = [piece for way in ways for piece in _pieces(streets, order, sorted_ids, way, node)]
            ends.append([piece for piece in pieces if _one_direction(streets, piece, node, arriving)])
        for start in ends[0]:
            for end in ends[1]:
                if start != end:
                    rows.append((start, node, end))
                    only.append(alone)
    return np.array(rows, dtype=np.int64).reshape(-1, 3), np.array(only, dtype=np.bool_)


def _drives(
    relations: Iterable[tuple[Relation, bool]], streets: StreetColumns
) -> tuple[Int64Array, Int32Array, BoolArray]:
    """Turn restrictions over ways, as nodes from the last segment before to the first after.

    Left out are those of which the ways do not join in exactly one manner, or which do not say from or to
    which side.
    """
    drives, only = [], []
    order = np.argsort(streets.way_id, kind="stable")
    sorted_ids = streets.way_id[order]
    for relation, alone in relations:
        roles: dict[str, list[int]] = {"from": [], "via": [], "to": []}
        for kind, ref, role in relation.members:
            if kind == "w" and role in roles:
                roles[role].append(ref)
        if not roles["via"]:
            continue
        links = _joined_ways([_whole(streets, order, sorted_ids, way) for way in roles["via"]])
        for start, end in itertools.product(roles["from"], roles["to"]):
            before = _whole(streets, order, sorted_ids, start)
            after = _whole(streets, order, sorted_ids, end)
            found = {
                (first, *link, last)
                for link in links
                for first in _neighbours(before, link[0], arriving=True)
                for last in _neighbours(after, link[-1], arriving=False)
            }
            if len(found) == 1:
                drives.append(found.pop())
                only.append(alone)
    return *flat(drives), np.array(only, dtype=np.bool_)


class _Line(NamedTuple):
    """Nodes of a way from end to end, and whether cars may go along and against it."""

    nodes: tuple[int, ...]
    along: bool
    against: bool


def _whole(streets: StreetColumns, order: Int64Array, sorted_ids: Int64Array, way: int) -> _Line:
    """Put together what compounds have cut of a way; no nodes where it is no street."""
    low, high = np.searchsorted(sorted_ids, [way, way + 1])
    nodes: list[int] = []
    along = against = bool(high > low)
    for piece in order[low:high].tolist():
        refs = streets.way_ref[streets.way_ptr[piece] : streets.way_ptr[piece + 1]].tolist()
        if nodes and nodes[-1] != refs[0]:
            return _Line((), False, False)
        nodes += refs[1:] if nodes else refs
        rule = streets.rules[int(streets.rule[piece])]
        along, against = along and bool(rule.forward & _CAR), against and bool(rule.backward & _CAR)
    return _Line(tuple(nodes), along, against)


def _joined_ways(lines: list[_Line]) -> list[tuple[int, ...]]:
    """Ways joined end to end, in each direction that cars may go."""
    joined: list[tuple[int, ...]] = [()]
    for line in lines:
        runs = [line.nodes] * line.along + [line.nodes[::-1]] * line.against
        joined = [way + run[len(way) > 0 :] for way in joined for run in runs if not way or way[-1] == run[0]]
    return [way for way in joined if len(way) > 1]


def _neighbours(line: _Line, node: int, *, arriving: bool) -> list[int]:
    """Nodes from which cars arrive at a node of the way (or to which they leave it)."""
    found = []
    for at in (at for at, other in enumerate(line.nodes) if other == node):
        before, after = line.along, line.against
        if not arriving:
            before, after = after, before
        if before and at > 0:
            found.append(line.nodes[at - 1])
        if after and at + 1 < len(line.nodes):
            found.append(line.nodes[at + 1])
    return found


def _one_direction(streets: StreetColumns, way: int, node: int, arriving: bool) -> bool:
    """Whether cars can arrive at (or leave) the node on this way from (to) one side only.

    A way that passes the node in both directions does not say which side a restriction means.
    """
    refs = streets.way_ref[streets.way_ptr[way] : streets.way_ptr[way + 1]]
    at = np.flatnonzero(refs == node)
    rule = streets.rules[int(streets.rule[way])]
    before, after = bool((at > 0).any()), bool((at < len(refs) - 1).any())
    along, against = bool(rule.forward & _CAR), bool(rule.backward & _CAR)
    if not arriving:
        before, after = after, before
    return (before and along) + (after and against) == 1


def _pieces(
    streets: StreetColumns, order: Int64Array, sorted_ids: Int64Array, way: int, node: int
) -> list[int]:
    """Ways (indices) that carry the id `way` and touch the node."""
    low, high = np.searchsorted(sorted_ids, [way, way + 1])
    return [
        int(piece)
        for piece in order[low:high]
        if node in streets.way_ref[streets.way_ptr[piece] : streets.way_ptr[piece + 1]]
    ]
