"""Turn restrictions of a map file on its streets: relations into rows of `geo.streets.raw.RawWays`."""

import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from geo.arrays import BoolArray, Int32Array, Int64Array, UInt8Array
from geo.osm.columns import StreetColumns
from geo.osm.files.opl import Relation
from geo.osm.rules.restrictions import TurnRule, turn_rule
from geo.streets.raw import MODES
from geo.streets.turn_bans import Drive, flat

__all__ = ["Restrictions", "restrictions_on"]


class Restrictions(NamedTuple):
    """Columns of `geo.streets.raw.RawWays` about turns."""

    restrictions: Int64Array
    restriction_only: BoolArray
    restriction_modes: UInt8Array
    drive_ptr: Int64Array
    drive_node: Int32Array
    drive_only: BoolArray
    drive_modes: UInt8Array


class _Bound(NamedTuple):
    """A relation, one mode that it binds, and whether it allows only its turn."""

    relation: Relation
    mode: int
    only: bool


class _Lookup(NamedTuple):
    """Ways by id, and nodes by id."""

    streets: StreetColumns
    order: Int64Array
    sorted_ids: Int64Array
    node_order: Int64Array
    sorted_nodes: Int64Array


def restrictions_on(
    relations: Iterable[Relation], streets: StreetColumns
) -> tuple[Restrictions, dict[str, int]]:
    """Translate the turn restrictions that bind a mode on these streets; count those left out by reason."""
    rules = [
        (relation, turn_rule(relation.tags))
        for relation in relations
        if relation.tags.get("type", "").startswith("restriction")
    ]
    bound = list(_binding(rules))
    order = np.argsort(streets.way_id, kind="stable")
    node_order = np.argsort(streets.node_id, kind="stable")
    lookup = _Lookup(streets, order, streets.way_id[order], node_order, streets.node_id[node_order])
    used: set[int] = set()
    turns, drives = _turns(bound, lookup, used), _drives(bound, lookup, used)
    drive_ptr, drive_node = flat([drive for drive, _ in drives])
    free = [rule for _, rule in rules if not rule.no | rule.only]
    left_out = {
        "turn_restrictions_at_certain_hours": sum(rule.timed for _, rule in rules),
        "turn_restrictions_of_others": sum(not rule.timed for rule in free),
        "turn_restrictions_not_on_these_streets": len({one.relation.id for one in bound} - used),
    }
    columns = Restrictions(
        restrictions=np.array([turn for turn, _ in turns], dtype=np.int64).reshape(-1, 3),
        restriction_only=np.array([only for _, only in turns], dtype=np.bool_),
        restriction_modes=np.array(list(turns.values()), dtype=np.uint8),
        drive_ptr=drive_ptr,
        drive_node=drive_node,
        drive_only=np.array([only for _, only in drives], dtype=np.bool_),
        drive_modes=np.array(list(drives.values()), dtype=np.uint8),
    )
    return columns, left_out


def _binding(rules: Iterable[tuple[Relation, TurnRule]]) -> Iterator[_Bound]:
    """Turn restrictions, once for each mode that they bind."""
    for relation, rule in rules:
        for mode in (1 << index for index in range(len(MODES))):
            if (rule.no | rule.only) & mode:
                yield _Bound(relation, mode, bool(rule.only & mode))


def _turns(bound: Iterable[_Bound], lookup: _Lookup, used: set[int]) -> dict[tuple[Drive, bool], int]:
    """Turn restrictions over one node, (from way, node, to way) and whether only this; the modes of each.

    `used` takes the ids of the relations that were found on the streets.

    Left out are those from a way to itself (a U-turn, which cars never make except at a dead end), and those
    that do not say from or to which side (see `_one_direction`). Those over a way: see `_drives`.
    """
    found: dict[tuple[Drive, bool], int] = {}
    for relation, mode, only in bound:
        via = [ref for kind, ref, role in relation.members if role == "via" and kind == "n"]
        if len(via) != 1:
            continue
        place = int(np.searchsorted(lookup.sorted_nodes, via[0]))
        if place == len(lookup.sorted_nodes) or lookup.sorted_nodes[place] != via[0]:
            continue
        node = int(lookup.node_order[place])
        ends = []
        for wanted, arriving in (("from", True), ("to", False)):
            ways = [ref for kind, ref, role in relation.members if role == wanted and kind == "w"]
            pieces = [piece for way in ways for piece in _pieces(lookup, way, node)]
            ends.append([p for p in pieces if _one_direction(lookup.streets, p, node, mode, arriving)])
        for start, end in itertools.product(*ends):
            if start != end:
                key = ((start, node, end), only)
                found[key] = found.get(key, 0) | mode
                used.add(relation.id)
    return found


def _drives(bound: Iterable[_Bound], lookup: _Lookup, used: set[int]) -> dict[tuple[Drive, bool], int]:
    """Turn restrictions over ways, as nodes from the last segment before to the first after; their modes.

    Left out are those of which the ways do not join in exactly one manner, or which do not say from or to
    which side.
    """
    drives: dict[tuple[Drive, bool], int] = {}
    for relation, mode, only in bound:
        roles: dict[str, list[int]] = {"from": [], "via": [], "to": []}
        for kind, ref, role in relation.members:
            if kind == "w" and role in roles:
                roles[role].append(ref)
        if not roles["via"]:
            continue
        links = _joined_ways([_whole(lookup, way, mode) for way in roles["via"]])
        for start, end in itertools.product(roles["from"], roles["to"]):
            before, after = _whole(lookup, start, mode), _whole(lookup, end, mode)
            found = {
                (first, *link, last)
                for link in links
                for first in _neighbours(before, link[0], arriving=True)
                for last in _neighbours(after, link[-1], arriving=False)
            }
            if len(found) == 1:
                key = (found.pop(), only)
                drives[key] = drives.get(key, 0) | mode
                used.add(relation.id)
    return drives


class _Line(NamedTuple):
    """Nodes of a way from end to end, and whether the mode may go along and against it."""

    nodes: tuple[int, ...]
    along: bool
    against: bool


def _whole(lookup: _Lookup, way: int, mode: int) -> _Line:
    """Put together what compounds have cut of a way; no nodes where it is no street."""
    streets = lookup.streets
    low, high = np.searchsorted(lookup.sorted_ids, [way, way + 1])
    nodes: list[int] = []
    along = against = bool(high > low)
    for piece in lookup.order[low:high].tolist():
        refs = streets.way_ref[streets.way_ptr[piece] : streets.way_ptr[piece + 1]].tolist()
        if nodes and nodes[-1] != refs[0]:
            return _Line((), False, False)
        nodes += refs[1:] if nodes else refs
        rule = streets.rules[int(streets.rule[piece])]
        along, against = along and bool(rule.forward & mode), against and bool(rule.backward & mode)
    return _Line(tuple(nodes), along, against)


def _joined_ways(lines: list[_Line]) -> list[tuple[int, ...]]:
    """Ways joined end to end, in each direction that the mode may go."""
    joined: list[tuple[int, ...]] = [()]
    for line in lines:
        runs = [line.nodes] * line.along + [line.nodes[::-1]] * line.against
        joined = [way + run[len(way) > 0 :] for way in joined for run in runs if not way or way[-1] == run[0]]
    return [way for way in joined if len(way) > 1]


def _neighbours(line: _Line, node: int, *, arriving: bool) -> list[int]:
    """Nodes from which the mode arrives at a node of the way (or to which it leaves)."""
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


def _one_direction(streets: StreetColumns, way: int, node: int, mode: int, arriving: bool) -> bool:
    """Whether the mode can arrive at (or leave) the node on this way from (to) one side only.

    A way that passes the node in both directions does not say which side a restriction means.
    """
    refs = streets.way_ref[streets.way_ptr[way] : streets.way_ptr[way + 1]]
    at = np.flatnonzero(refs == node)
    rule = streets.rules[int(streets.rule[way])]
    before, after = bool((at > 0).any()), bool((at < len(refs) - 1).any())
    along, against = bool(rule.forward & mode), bool(rule.backward & mode)
    if not arriving:
        before, after = after, before
    return (before and along) + (after and against) == 1


def _pieces(lookup: _Lookup, way: int, node: int) -> list[int]:
    """Ways (indices) that carry the id `way` and touch the node."""
    low, high = np.searchsorted(lookup.sorted_ids, [way, way + 1])
    ref, ptr = lookup.streets.way_ref, lookup.streets.way_ptr
    return [int(p) for p in lookup.order[low:high] if node in ref[ptr[p] : ptr[p + 1]]]
