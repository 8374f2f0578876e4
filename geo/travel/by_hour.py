"""Travel times by the hour: what streets take changes on the way, and who sets out later arrives no sooner.

At the middle of each hour of the week streets take what was learned of it, in between along a straight line
(FIFO as in B. C. Dean, "Shortest paths in FIFO time-dependent networks", 2004).
"""

import dataclasses
import functools
import math
import pathlib
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from geo.arrays import Float32Array, FloatArray, Int64Array, Integer, UInt32Array
from geo.errors import InputError
from geo.jit import kernel
from geo.localtime import HOUR_S, HOURS_A_WEEK, hour_of_week, local_s
from geo.streets.mode_graph import NO
from geo.streets.network import StreetNetwork
from geo.streets.snapping import Snapped
from geo.streets.storage import read_folder, write_folder
from geo.travel.ends import PlacesOnEdges, Touch, part_ms, touch_of
from geo.travel.search import (
    HOUR_MS,
    MOST_FALL_MS,
    Adjacency,
    Hours,
    Workspace,
    adjacency,
    between_hours,
    reset,
    share_of_hour,
    times_by_hour,
)
from geo.travel.times import limit_as_ms
from geo.travel.workspace import over_rows

__all__ = ["HourlyStreets", "travel_times_by_hour_s"]


class _Tables(NamedTuple):
    """Costs of directed edges (rows, 2E) and arcs (rows, m); in `longest` each takes as long as at most."""

    directed_ms: UInt32Array
    arc_ms: UInt32Array
    longest: StreetNetwork


@dataclasses.dataclass(frozen=True, eq=False)
class HourlyStreets:
    """Streets with times of one mode by hour of the week.

    Attributes
    ----------
    network : StreetNetwork
    mode : str
    factor : float32 or float64 (rows, 2E)
        As `StreetNetwork.with_times` takes it.
    row : int64 (168,)
        The row of each hour of the week (0: Monday, 0:00 to 1:00); holds at the middle of the hour.
    timezone : str
        Of the city.
    """

    network: StreetNetwork
    mode: str
    factor: FloatArray | Float32Array
    row: Int64Array
    timezone: str
    _other: list["HourlyStreets"] = dataclasses.field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        rows = len(self.factor)
        if self.row.shape != (HOURS_A_WEEK,) or not np.all((self.row >= 0) & (self.row < rows)):
            raise InputError(f"times by hour need a row, 0 to {rows - 1}, for each of {HOURS_A_WEEK} hours")

    def since_middle_s(self, at_s: FloatArray) -> FloatArray:
        """Return local seconds since the middle of the first hour of a week."""
        at_s = np.asarray(at_s, np.float64)
        local = local_s(np.floor(at_s).astype(np.int64), self.timezone)
        of_week = hour_of_week(local) * HOUR_S + local % HOUR_S + (at_s - np.floor(at_s))
        return np.asarray((of_week - HOUR_S / 2) % (HOURS_A_WEEK * HOUR_S), np.float64)

    def on(self, network: StreetNetwork) -> "HourlyStreets":
        """Return the same times on the network as it is now, with streets shut or slower; kept."""
        if network is self.network:
            return self
        for other in self._other:
            if other.network is network:
                return other
        other = HourlyStreets(network, self.mode, self.factor, self.row, self.timezone)
        self._other[:] = [other]
        return other

    def save(self, folder: pathlib.Path) -> None:
        """Write the times without the network; see `load`."""
        columns: dict[str, npt.NDArray[Any]] = {
            "factor": np.asarray(self.factor, np.float32),
            "row": self.row,
        }
        write_folder(folder, columns, {"mode": self.mode})

    @staticmethod
    def load(folder: pathlib.Path, network: StreetNetwork, timezone: str) -> "HourlyStreets":
        """Read what `save` wrote, for the network that the times are of.

        Raises
        ------
        InputError
            If the folder holds no times, or those of another network.
        """
        columns, meta = read_folder(folder)
        if columns["factor"].shape[1:] != (2 * len(network),):
            raise InputError(f"{folder} holds times of another network: make the study again")
        return HourlyStreets(network, str(meta["mode"]), columns["factor"], columns["row"], timezone)

    @functools.cached_property
    def tables(self) -> _Tables:
        """What every street takes in the rows: as learned, and without falls that let anybody overtake."""
        graph = self.network.graph(self.mode)
        directed = np.empty((len(self.factor), 2 * len(self.network)), np.uint32)
        arcs = np.empty((len(self.factor), len(graph.head)), np.uint32)
        for number, factor in enumerate(self.factor):
            learned = self.network.with_times(self.mode, factor).graph(self.mode)
            directed[number], arcs[number] = learned.directed_cost_ms, learned.cost_ms
        for number in _without_overtaking(directed, self.row):
            arcs[number] = graph.with_costs(directed[number]).cost_ms
        longest = self.network.with_times(self.mode, self.factor.max(axis=0))
        return _Tables(directed, arcs, longest)


def _without_overtaking(directed: UInt32Array, row: Int64Array) -> set[int]:
    """Raise what falls by more than `MOST_FALL_MS` from one hour to the next; return the rows that change."""
    raised: set[int] = set()
    # Hours share rows. What is raised may itself fall too far to the hour after it.
    following = np.unique(np.stack([row, np.roll(row, -1)], axis=1), axis=0).tolist()
    steep = True
    while steep:
        steep = False
        for one, then in following:
            least = directed[one] - np.minimum(directed[one], MOST_FALL_MS)
            if (least > directed[then]).any():
                np.maximum(directed[then], least, out=directed[then])
                raised.add(then)
                steep = True
    return raised


class _Week(NamedTuple):
    """What the kernel reads of the hours."""

    arc_ms: UInt32Array
    directed_ms: UInt32Array
    row: Int64Array
    length_m: FloatArray
    depart_ms: Int64Array


@kernel
def _whole(week: _Week, directed: int, at_ms: Integer) -> Integer:
    """Time of a whole directed edge, for whoever enters it at an instant."""
    hour = at_ms // HOUR_MS
    now, then = week.row[hour % HOURS_A_WEEK], week.row[(hour + 1) % HOURS_A_WEEK]
    share = share_of_hour(at_ms - hour * HOUR_MS)
    return between_hours(week.directed_ms[now, directed], week.directed_ms[then, directed], share)


@kernel
def _run(week: _Week, directed: int, offset_m: float, at_ms: Integer) -> Integer:
    """Time from the start of a directed edge to a place on it, as `run_ms`."""
    return part_ms(_whole(week, directed, at_ms), directed, offset_m, week.length_m[directed >> 1])


@kernel
def _rows(
    span: tuple[int, int],
    arcs: Adjacency,
    week: _Week,
    places: tuple[PlacesOnEdges, PlacesOnEdges],
    touches: tuple[Touch, Touch],
    limit_ms: int,
    space: Workspace,
    out_ms: UInt32Array,
) -> None:
    """Fill the rows of a span of the matrix; one search a row, forward."""
    source, target = places
    leave, enter = touches
    depart_ms = week.depart_ms
    dist = space.dist
    for i in range(span[0], span[1]):
        out_ms[i] = NO
        if source.edge[i] < 0:
            continue
        first, last = leave.ptr[2 * source.edge[i]], leave.ptr[2 * source.edge[i] + 2]
        seed_state, seed_ms = np.empty(last - first, np.int32), np.empty(last - first, np.uint32)
        filled = 0
        on_street_ms = depart_ms[i] + source.walk_ms[i]
        for directed in range(2 * source.edge[i], 2 * source.edge[i] + 2):
            if week.directed_ms[0, directed] == NO:
                continue
            part = _whole(week, directed, on_street_ms)
            part -= _run(week, directed, source.offset_m[i], on_street_ms)
            for k in range(leave.ptr[directed], leave.ptr[directed + 1]):
                seed_state[filled] = leave.state[k]
                seed_ms[filled] = np.uint32(source.walk_ms[i] + part + np.int64(leave.ms[k]))
                filled += 1
        hours = Hours(week.arc_ms, week.row, depart_ms[i])
        n = times_by_hour(arcs, seed_state[:filled], seed_ms[:filled], limit_ms, space, hours)
        for j in range(len(target.edge)):
            best = np.int64(NO)
            if target.edge[j] < 0:
                continue
            for directed in range(2 * target.edge[j], 2 * target.edge[j] + 2):
                if week.directed_ms[0, directed] == NO:
                    continue
                for k in range(enter.ptr[directed], enter.ptr[directed + 1]):
                    at = dist[enter.state[k]]
                    if at != NO:
                        ms = np.int64(at) + np.int64(enter.ms[k])
                        # The hour need not be looked up for what comes too late anyway.
                        if ms + target.walk_ms[j] >= best or ms > limit_ms:
                            continue
                        ms += _run(week, directed, target.offset_m[j], depart_ms[i] + ms)
                        best = min(best, ms + target.walk_ms[j])
                if target.edge[j] == source.edge[i]:
                    ahead = (target.offset_m[j] - source.offset_m[i]) * (1 - 2 * (directed & 1))
                    if ahead >= 0:
                        run = _run(week, directed, target.offset_m[j], on_street_ms)
                        run -= _run(week, directed, source.offset_m[i], on_street_ms)
                        best = min(best, run + source.walk_ms[i] + target.walk_ms[j])
            if best <= limit_ms:
                out_ms[i, j] = np.uint32(best)
        reset(dist, space.touched, n)


def travel_times_by_hour_s(
    streets: HourlyStreets,
    sources: Snapped,
    targets: Snapped,
    depart_s: FloatArray,
    limit_s: float = math.inf,
    threads: int = 1,
) -> FloatArray:
    """Return the time from every source to every target, for who sets out at an instant.

    Parameters
    ----------
    streets : HourlyStreets
    sources, targets : Snapped
        From ``network.snap`` with the mode of the streets.
    depart_s : float64 (sources,)
        Epoch seconds.
    limit_s : float
        Longer trips count as not reachable.
    threads : int
        Threads that share the rows.

    Returns
    -------
    float64 (sources, targets)
        Seconds as `travel_times_s` gives them; whoever sets out later arrives no sooner. A clock change
        during a trip is passed over.

    Raises
    ------
    InputError
        If the limit is negative.
    """
    limit_ms, tables, network = limit_as_ms(limit_s), streets.tables, streets.network
    graph = tables.longest.graph(streets.mode)
    ends = tuple(PlacesOnEdges(some.edge, some.offset_m, some.walk_ms) for some in (sources, targets))
    touches = touch_of(graph, entering=False), touch_of(graph, entering=True)
    depart_ms = np.round(streets.since_middle_s(depart_s) * 1000.0).astype(np.int64)
    week = _Week(tables.arc_ms, tables.directed_ms, streets.row, network.edge_length_m, depart_ms)
    out_ms = np.empty((len(sources), len(targets)), np.uint32)
    arcs = adjacency(graph, towards=False)

    def fill(first: int, last: int, space: Workspace) -> None:
        _rows((first, last), arcs, week, (ends[0], ends[1]), touches, limit_ms, space, out_ms)

    over_rows(tables.longest, streets.mode, len(sources), threads, fill)
    return np.where(out_ms == NO, np.inf, out_ms / 1000.0)
