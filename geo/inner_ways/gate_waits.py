"""How long riders wait at each gate, by hour of the day.

A wait is the time within 60 m of the gate, beyond what riding that far takes this rider. Each rider has one
voice at a gate (their median). The median of a gate is shrunk towards that of all gates of its kind, and an
hour of a gate towards what the gate and the hour let expect, as far as riders agree with each other less than
gates do (credibility: H. Bühlmann and E. Straub 1970, see `geo.learned.shrinkage`; of medians here, since
some wait for nobody and some for ten minutes).
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.inner_ways.trodden import Trodden, rows_between
from geo.localtime import hour_of_day, local_s

__all__ = ["GatePasses", "WaitsAtGates", "gate_passes", "gate_waits", "shrunk_medians"]

AROUND_M: Final = 60.0
AT_GATE_M: Final = 30.0
"""A halt so near to the gate is the wait itself, whatever it was taken for."""
WINDOW_S: Final = 900.0
LONGEST_GAP_S: Final = 120.0
PORTION: Final = 4096
OF_MEDIAN: Final = np.pi / 2
"""The variance of a median is so many times that of a mean (normal, many observations)."""


class GatePasses(NamedTuple):
    """Passes through gates, one row each. Raw: before anything is published, the k rule applies.

    Attributes
    ----------
    node : int64 (p,)
        Of the network.
    compound : int64 (p,)
        The one that is entered, -1 at a gate of none.
    rider : int64 (p,)
    t_s : float64 (p,)
        Epoch seconds.
    wait_s : float64 (p,)
        0 or more.
    """

    node: NDArray[np.int64]
    compound: NDArray[np.int64]
    rider: NDArray[np.int64]
    t_s: NDArray[np.float64]
    wait_s: NDArray[np.float64]


def gate_passes(trodden: Trodden) -> GatePasses:
    """Return the passes through gates: into a compound where it begins, or past a gate node of the map."""
    network, ridden = trodden.network, trodden.ridden
    row = np.flatnonzero(trodden.follows)
    before, after = ridden.directed[row] >> 1, ridden.directed[row + 1] >> 1
    compound = network.edge_compound.astype(np.int64)
    enters = (compound[after] >= 0) & (compound[after] != compound[before])
    leaves = (compound[before] >= 0) & (compound[after] != compound[before])
    gate = enters | (network.node_gate[trodden.head[row]] & ~leaves)
    row, into = row[gate], np.where(enters, compound[after], -1)[gate]
    node, rider, at_s = trodden.head[row], ridden.rider[row], ridden.enter_s[row + 1]
    speed = network.edge_length_m[before[gate]] / trodden.plain_s[ridden.directed[row]]
    speed /= trodden.pace[rider]
    parts = [
        _waits(trodden, node[part], rider[part], at_s[part], speed[part])
        for part in np.array_split(np.arange(len(row)), max(1, len(row) // PORTION))
    ]
    start, wait = (np.concatenate(column) for column in zip(*parts, strict=True))
    # A phone that jitters while its owner waits goes to and fro: one pass.
    kept = np.flatnonzero(np.isfinite(wait))
    kept = kept[np.lexsort((start[kept], node[kept], rider[kept]))]
    first = np.ones(len(kept), np.bool_)
    first[1:] = (
        (np.diff(rider[kept]) != 0) | (np.diff(node[kept]) != 0) | (np.diff(start[kept]) > LONGEST_GAP_S)
    )
    kept = kept[first]
    return GatePasses(node[kept], into[kept], rider[kept], at_s[kept], wait[kept])


def _waits(
    trodden: Trodden,
    node: NDArray[np.int64],
    rider: NDArray[np.int64],
    at_s: NDArray[np.float64],
    speed: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return when each pass comes near its gate and how long it waits, NaN where nothing tells."""
    traces, count = trodden.traces, len(node)
    here = trodden.network.project(trodden.network.node_lonlat[node])
    low, high = (
        np.searchsorted(trodden.points_line, trodden.line(rider, at_s + side))
        for side in (-WINDOW_S, WINDOW_S)
    )
    # A window never reaches over to another rider: days lie between them on the line.
    point, owner = rows_between(low, high)
    away = np.hypot(*(trodden.xy_m[point] - here[owner]).T)
    outside, early = away > AROUND_M, traces.t_s[point] <= at_s[owner]
    before, after = np.full(count, -1), np.full(count, -1)
    some = np.flatnonzero(outside & early)
    before[owner[some]] = some
    some = np.flatnonzero(outside & ~early)[::-1]
    after[owner[some]] = some
    good = (before >= 0) & (after >= 0) & np.isfinite(speed) & (speed > 0)
    b, a = np.maximum(before, 0), np.maximum(after, 1)
    if not len(point):
        return np.full(count, np.nan), np.full(count, np.nan)
    t = traces.t_s[point].astype(np.float64)
    good &= (t[np.minimum(b + 1, len(t) - 1)] - t[b] <= LONGEST_GAP_S) & (t[a] - t[a - 1] <= LONGEST_GAP_S)
    # Outside of the circle nobody waits for the gate: riding time is taken off there.
    start = np.minimum(t[b] + (away[b] - AROUND_M) / speed, t[np.minimum(b + 1, len(t) - 1)])
    end = np.maximum(t[a] - (away[a] - AROUND_M) / speed, t[a - 1])
    way_m = np.full(count, 2 * AROUND_M)
    start, end, way_m, halted = _without_halts(trodden, here, rider, at_s, (start, end, way_m))
    wait = np.where(good & ~halted, np.maximum(end - start - way_m / speed, 0.0), np.nan)
    return start, wait


def _without_halts(
    trodden: Trodden,
    here: NDArray[np.float64],
    rider: NDArray[np.int64],
    at_s: NDArray[np.float64],
    span: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """End the time near the gate where a halt at another place begins, and begin it where one ends."""
    start, end, way_m = (column.copy() for column in span)
    halts = trodden.halts
    halted = np.zeros(len(rider), np.bool_)
    if not len(halts):
        return start, end, way_m, halted
    last = np.searchsorted(trodden.halts_line, trodden.line(rider, at_s), side="right") - 1
    for number, later in ((last, False), (last + 1, True)):
        known = (number >= 0) & (number < len(halts))
        row = np.clip(number, 0, len(halts) - 1)
        away = np.hypot(*(trodden.halts_xy_m[row] - here).T)
        counts = known & (halts.rider[row] == rider) & (away > AT_GATE_M)
        if later:
            cut = counts & (halts.start_s[row] < end)
            end = np.where(cut, halts.start_s[row], end)
        else:
            halted |= counts & (halts.end_s[row] > at_s)
            cut = counts & (halts.end_s[row] > start)
            start = np.where(cut, halts.end_s[row], start)
        way_m = np.where(cut, way_m - AROUND_M + np.minimum(away, AROUND_M), way_m)
    return start, end, way_m, halted


class ShrunkMedians(NamedTuple):
    """Of each group, by rising key: the median as observed, shrunk, and the riders behind it; (g,) each."""

    key: NDArray[np.int64]
    own: NDArray[np.float64]
    shrunk: NDArray[np.float64]
    riders: NDArray[np.int64]


def shrunk_medians(
    key: NDArray[np.int64],
    rider: NDArray[np.int64],
    value: NDArray[np.float64],
    expected: NDArray[np.float64],
) -> ShrunkMedians:
    """Return the median over riders (of each the median) in each group, shrunk towards what is expected.

    Parameters
    ----------
    key, rider : int64 (n,)
        Group and rider of each row, 0 or more.
    value : float64 (n,)
    expected : float64 (n,)
        The same for all rows of a group.
    """
    if not len(key):
        none = np.empty(0)
        return ShrunkMedians(np.empty(0, np.int64), none, none, np.empty(0, np.int64))
    pair, mine = _medians(key * (int(rider.max()) + 1) + rider, value)
    of_pair = pair // (int(rider.max()) + 1)
    groups, own = _medians(of_pair, mine)
    number = np.searchsorted(groups, of_pair)
    riders = np.bincount(number)
    prior = np.zeros(len(groups))
    prior[np.searchsorted(groups, key)] = expected
    free = int((riders - 1).sum())
    mean = np.bincount(number, mine) / riders
    within = float(((mine - mean[number]) ** 2).sum()) / free if free else 0.0
    noise = OF_MEDIAN * within / riders
    between = float((riders * ((own - prior) ** 2 - noise)).sum()) / float(riders.sum())
    believed = np.zeros(len(groups))
    if free and between > 0.0:
        believed = between / (between + noise)
    return ShrunkMedians(groups, own, prior + believed * (own - prior), riders)


def _medians(
    key: NDArray[np.int64], value: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the groups, rising, and the median of each."""
    order = np.lexsort((value, key))
    key, value = key[order], value[order]
    groups, first, size = np.unique(key, return_index=True, return_counts=True)
    return groups, (value[first + (size - 1) // 2] + value[first + size // 2]) / 2.0


@dataclass(frozen=True, eq=False)
class WaitsAtGates:
    """Waits at gates.

    Attributes
    ----------
    node, compound : int64 (g,)
        As of `GatePasses`; one row a gate and compound, by rising node.
    riders, passes : int64 (g,)
    wait_s, own_s : float64 (g,)
        Median, shrunk and as observed.
    hour_s : float64 (g, 24)
        Shrunk, by local hour of the day.
    hour_riders : int64 (g, 24)
    """

    node: NDArray[np.int64]
    compound: NDArray[np.int64]
    riders: NDArray[np.int64]
    passes: NDArray[np.int64]
    wait_s: NDArray[np.float64]
    own_s: NDArray[np.float64]
    hour_s: NDArray[np.float64]
    hour_riders: NDArray[np.int64]


def gate_waits(trodden: Trodden, passes: GatePasses, k: int) -> WaitsAtGates:
    """Return the waits at each gate that somebody passed.

    Parameters
    ----------
    trodden : Trodden
    passes : GatePasses
        Of `gate_passes`.
    k : int
        Gates of a kind expect the median of their kind where so many riders passed one of it, else what the
        network takes.
    """
    network, count = trodden.network, len(trodden.network.compounds) + 1
    gate, row = np.unique(passes.node * count + passes.compound + 1, return_inverse=True)
    row = row.astype(np.int64)
    compound = gate % count - 1
    usual = np.full(len(gate), network.gate_delay_s)
    if len(network.compounds):
        given = network.compounds.gate_delay_s[np.maximum(compound, 0)]
        usual = np.where((compound >= 0) & ~np.isnan(given), given, usual)
    for kind in (compound >= 0, compound < 0):
        mine = kind[row]
        of_kind = shrunk_medians(
            np.zeros(int(mine.sum()), np.int64), passes.rider[mine], passes.wait_s[mine], usual[row][mine]
        )
        if len(of_kind.key) and of_kind.riders[0] >= k:
            usual[kind] = of_kind.own[0]
    found = shrunk_medians(row, passes.rider, passes.wait_s, usual[row])
    hour = hour_of_day(local_s(passes.t_s.astype(np.int64), trodden.timezone))
    # What the hour does at all gates: as a share of what each gate takes, so long as that is something.
    base = np.maximum(found.shrunk, 1.0)
    of_hour = shrunk_medians(hour, passes.rider, passes.wait_s / base[row], np.ones(len(row)))
    profile = np.ones(24)
    profile[of_hour.key] = np.maximum(of_hour.shrunk, 0.0)
    expected = found.shrunk[:, None] * profile
    cell = shrunk_medians(row * 24 + hour, passes.rider, passes.wait_s, expected[row, hour])
    hours, riders = expected.copy(), np.zeros((len(gate), 24), np.int64)
    hours.ravel()[cell.key], riders.ravel()[cell.key] = np.maximum(cell.shrunk, 0.0), cell.riders
    return WaitsAtGates(
        node=gate // count,
        compound=compound,
        riders=found.riders,
        passes=np.bincount(row, minlength=len(gate)),
        wait_s=np.maximum(found.shrunk, 0.0),
        own_s=found.own,
        hour_s=hours,
        hour_riders=riders,
    )
