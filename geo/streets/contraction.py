"""From ways to edges: chains of segments between junctions become one edge each."""

import dataclasses
import itertools

import numpy as np

from geo.arrays import BoolArray, FloatArray, Int32Array, Int64Array, UInt8Array
from geo.earth import RADIUS_M
from geo.jit import kernel
from geo.streets.raw import RawWays, mode_bit
from geo.streets.turn_bans import Drive

__all__ = ["Chains", "contract", "great_circle_m", "morton_order"]

_CAR = mode_bit("car")
LONGEST_DEGREES = 1.0
"""A street does not run so far without a bend: one of its nodes has a wrong position."""


@dataclasses.dataclass(frozen=True, eq=False)
class Chains:
    """Edges as chains of segments; nodes are still those of the raw ways.

    Attributes
    ----------
    way : int64 (E,)
        The way (index) whose attributes hold for the whole edge.
    compound : int32 (E,)
    geom_ptr : int64 (E + 1,)
    geom_node : int32 (G,)
        Raw nodes along each edge, both ends included.
    turns_banned : int32 (k, 2)
        Pairs of directed edges (``2 * edge + against``) that may not be taken one after the other.
    turn_modes : uint8 (k,)
        Modes that each pair binds.
    drives_banned : dict
        Sequences of three directed edges or more that may not be driven, and the modes that each binds.
    """

    way: Int64Array
    compound: Int32Array
    geom_ptr: Int64Array
    geom_node: Int32Array
    turns_banned: Int32Array
    turn_modes: UInt8Array
    drives_banned: dict[Drive, int]


def great_circle_m(start: FloatArray, end: FloatArray) -> FloatArray:
    """Return metres between (lon, lat) rows on the sphere (haversine)."""
    lon_1, lat_1 = np.radians(start).T
    lon_2, lat_2 = np.radians(end).T
    h = np.sin((lat_2 - lat_1) / 2) ** 2 + np.cos(lat_1) * np.cos(lat_2) * np.sin((lon_2 - lon_1) / 2) ** 2
    return np.asarray(2 * RADIUS_M * np.arcsin(np.sqrt(h)))


def morton_order(lonlat: FloatArray) -> Int64Array:
    """Return the order of points along a Z-curve: what is near on the map is near in memory."""
    if not len(lonlat):
        return np.empty(0, np.int64)
    low = lonlat.min(axis=0)
    span = np.maximum(lonlat.max(axis=0) - low, 1e-12)
    cell = ((lonlat - low) / span * 65535).astype(np.uint64)
    key = _spread(cell[:, 0]) | (_spread(cell[:, 1]) << np.uint64(1))
    return np.argsort(key, kind="stable")


def _spread(
    value: np.ndarray[tuple[int, ...], np.dtype[np.uint64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        value = (value | (value << np.uint64(shift))) & np.uint64(mask)
    return value


@kernel
def _walk_chains(
    follow: Int32Array, is_head: BoolArray, order: Int32Array, chain_ptr: Int64Array
) -> tuple[int, int]:
    """List the segments of each chain one after the other; returns (chains, segments)."""
    count = len(follow)
    seen = np.zeros(count, np.bool_)
    chains = 0
    filled = 0
    # First the chains with a junction at their start, then what is left: rings without any junction.
    for turn in range(2):
        for first in range(count):
            if seen[first] or (turn == 0 and not is_head[first]):
                continue
            chain_ptr[chains] = filled
            segment = first
            while segment >= 0 and not seen[segment]:
                seen[segment] = True
                order[filled] = segment
                filled += 1
                segment = follow[segment]
            chains += 1
    chain_ptr[chains] = filled
    return chains, filled


def contract(raw: RawWays) -> Chains:
    """Join segments that meet end to start at a node where nothing happens.

    Such a node carries exactly these two segments, of equal attributes; it is no gate, no barrier and
    no corner of a turn restriction. Segments without a mode, without a located node, from a node to
    itself or longer than `LONGEST_DEGREES` are left out.
    """
    start, end, way, compound = _segments(raw)
    through, out = _through_nodes(raw, start, end, way, compound)
    follow = np.where(through[end], out[end], -1).astype(np.int32)
    order = np.empty(len(start), np.int32)
    chain_ptr = np.empty(len(start) + 1, np.int64)
    chains, _ = _walk_chains(follow, ~through[start], order, chain_ptr)
    chain_ptr = chain_ptr[: chains + 1]
    first = order[chain_ptr[:-1]]
    geom_ptr = chain_ptr + np.arange(chains + 1)
    geom_node = np.empty(len(start) + chains, np.int32)
    is_last = np.zeros(len(geom_node), np.bool_)
    is_last[geom_ptr[1:] - 1] = True
    geom_node[~is_last] = start[order]
    geom_node[is_last] = end[order[chain_ptr[1:] - 1]]
    segment_edge = np.empty(len(start), np.int32)
    segment_edge[order] = np.repeat(np.arange(chains, dtype=np.int32), np.diff(chain_ptr))
    turns, turn_modes = _turns_banned(raw, start, end, way, segment_edge)
    return Chains(
        way[first],
        compound[first],
        geom_ptr,
        geom_node,
        turns,
        turn_modes,
        _drives_banned(raw, start, end, way, segment_edge),
    )


def _segments(raw: RawWays) -> tuple[Int32Array, Int32Array, Int64Array, Int32Array]:
    inner = np.ones(len(raw.way_ref), np.bool_)
    ends = raw.way_ptr[1:][np.diff(raw.way_ptr) > 0] - 1
    inner[ends] = False
    at = np.flatnonzero(inner)
    way = np.repeat(np.arange(len(raw.way_id)), np.diff(raw.way_ptr))[at]
    start, end = raw.way_ref[at], raw.way_ref[at + 1]
    lost = np.isnan(raw.node_lonlat[:, 0]) | np.isnan(raw.node_lonlat[:, 1])
    used: BoolArray = (raw.way_access[0] | raw.way_access[1])[way] != 0
    keep: BoolArray = used & ~lost[start] & ~lost[end] & (start != end)
    at, start, end, way = at[keep], start[keep], end[keep], way[keep]
    step = np.abs(raw.node_lonlat[end] - raw.node_lonlat[start])
    keep = np.asarray((step <= LONGEST_DEGREES).all(axis=1))
    return start[keep], end[keep], way[keep], raw.ref_compound[at][keep]


def _through_nodes(
    raw: RawWays, start: Int32Array, end: Int32Array, way: Int64Array, compound: Int32Array
) -> tuple[BoolArray, Int32Array]:
    """Return which nodes are passed without a choice, and the segment out of each node."""
    nodes = len(raw.node_id)
    number = np.arange(len(start), dtype=np.int32)
    into = np.full(nodes, -1, np.int32)
    out = np.full(nodes, -1, np.int32)
    into[end] = number
    out[start] = number
    through = (np.bincount(start, minlength=nodes) == 1) & (np.bincount(end, minlength=nodes) == 1)
    through &= (raw.node_blocked == 0) & ~raw.node_gate & (raw.node_private == 0)
    through[raw.restrictions[:, 1]] = False
    through[raw.drive_node[raw.drive_ptr[:-1] + 1]] = False
    through[raw.drive_node[raw.drive_ptr[1:] - 2]] = False
    at = np.flatnonzero(through)
    one, two = into[at], out[at]
    way_1, way_2 = way[one], way[two]
    same: BoolArray = (compound[one] == compound[two]) & (one != two)
    other = np.flatnonzero(same & (way_1 != way_2))
    a, b = way_1[other], way_2[other]
    alike = np.ones(len(other), np.bool_)
    for table in (raw.way_access, raw.way_speed_mps):
        alike &= np.all(table[:, a] == table[:, b], axis=0)
    for column in (raw.way_private, raw.way_name, raw.way_class, raw.way_off_ground):
        alike &= column[a] == column[b]
    same[other] = alike
    through[at] = same
    return through, out


def _exit_modes(raw: RawWays, modes: int, only: bool, way: int) -> int:
    """Modes that may not leave by this way although another one is asked for.

    A sign "straight on only" speaks of the carriageway: bicycles may still turn into a cycle track or a path.
    """
    return modes if not only or (raw.way_access[:, way] & _CAR).any() else modes & _CAR


def _turns_banned(
    raw: RawWays, start: Int32Array, end: Int32Array, way: Int64Array, edge: Int32Array
) -> tuple[Int32Array, UInt8Array]:
    """Translate the restrictions to pairs of directed edges and their modes; "only" forbids other turns."""
    is_via = np.zeros(len(raw.node_id), np.bool_)
    is_via[raw.restrictions[:, 1]] = True
    arriving: dict[int, list[tuple[int, int]]] = {}
    leaving: dict[int, list[tuple[int, int]]] = {}
    for segment in np.flatnonzero(is_via[start] | is_via[end]).tolist():
        at_start, at_end, along = int(start[segment]), int(end[segment]), 2 * int(edge[segment])
        leaving.setdefault(at_start, []).append((int(way[segment]), along))
        arriving.setdefault(at_start, []).append((int(way[segment]), along + 1))
        arriving.setdefault(at_end, []).append((int(way[segment]), along))
        leaving.setdefault(at_end, []).append((int(way[segment]), along + 1))
    pairs: dict[tuple[int, int], int] = {}
    columns = (raw.restrictions.tolist(), raw.restriction_only.tolist(), raw.restriction_modes.tolist())
    for (from_way, via, to_way), only, modes in zip(*columns, strict=True):
        origins = [directed for number, directed in arriving.get(via, []) if number == from_way]
        onward = leaving.get(via, [])
        if not any(number == to_way for number, _ in onward):
            continue
        for origin, (number, directed) in itertools.product(origins, onward):
            bound = _exit_modes(raw, modes, only, number) if (number == to_way) != only else 0
            if bound:
                pairs[origin, directed] = pairs.get((origin, directed), 0) | bound
    order = sorted(pairs)
    return np.array(order, np.int32).reshape(-1, 2), np.array([pairs[p] for p in order], np.uint8)


def _drives_banned(
    raw: RawWays, start: Int32Array, end: Int32Array, way: Int64Array, edge: Int32Array
) -> dict[Drive, int]:
    """Translate the restrictions over ways to sequences of directed edges; "only" forbids all other ways on.

    Left out are those over a segment which is no street for anybody, or which two ways share.
    """
    on_drive = np.zeros(len(raw.node_id), np.bool_)
    on_drive[raw.drive_node] = True
    along: dict[tuple[int, int], set[int]] = {}
    way_of: dict[int, int] = {}
    for segment in np.flatnonzero(on_drive[start] | on_drive[end]).tolist():
        one, two, directed = int(start[segment]), int(end[segment]), 2 * int(edge[segment])
        along.setdefault((one, two), set()).add(directed)
        along.setdefault((two, one), set()).add(directed + 1)
        way_of[directed // 2] = int(way[segment])
    found: dict[Drive, int] = {}
    rows = itertools.pairwise(raw.drive_ptr.tolist())
    columns = (rows, raw.drive_only.tolist(), raw.drive_modes.tolist())
    for (low, high), only, modes in zip(*columns, strict=True):
        nodes = raw.drive_node[low:high].tolist()
        steps = [along.get(step, set()) for step in itertools.pairwise(nodes)]
        if any(len(step) != 1 for step in steps):
            continue
        drive = tuple(edge for edge, _ in itertools.groupby(edge for (edge,) in steps))
        onward = {d for (first, _), step in along.items() if first == nodes[-2] for d in step}
        for last in onward - {drive[-1]} if only else {drive[-1]}:
            bound, banned = _exit_modes(raw, modes, only, way_of[last // 2]), (*drive[:-1], last)
            if bound and len(banned) > 2:
                found[banned] = found.get(banned, 0) | bound
    return dict(sorted(found.items()))
