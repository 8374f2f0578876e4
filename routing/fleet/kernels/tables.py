"""The tables that the kernels take: a mode's graph, fleet and tasks in columns, memory to work in.

They are named tuples because numba takes those as they are.
"""

from typing import NamedTuple, TypeAlias

import numpy as np

from geo.arrays import Float32Array, FloatArray, Int32Array, Int64Array, UInt8Array, UInt32Array
from geo.travel import Touch

__all__ = [
    "EVER",
    "FAR_MS",
    "NEVER",
    "NO",
    "TASK_STOP",
    "Columns",
    "Graph",
    "Ms",
    "Place",
    "PlaceColumns",
    "TaskColumns",
    "Work",
]

Ms: TypeAlias = int | np.int64
"""Whole milliseconds, rows and slots inside kernels."""
NO = 0xFFFFFFFF
"""No way: the value of every time that is not known."""
FAR_MS = 4 * 3600 * 1000
"""No leg is searched for longer than four hours on the network."""
EVER = np.int64(1) << 61
"""No due instant."""
NEVER = -(np.int64(1) << 61)
"""No earliest instant."""


TASK_STOP = 2
"""In the column `rest`: a task that was put into the plan."""


class Graph(NamedTuple):
    """The arrays of one mode's graph; departures (inverse) and arrivals (enter) also by state."""

    indptr: Int32Array
    head: Int32Array
    cost: UInt32Array
    rev_indptr: Int32Array
    rev_head: Int32Array
    rev_cost: UInt32Array
    directed: UInt32Array
    departures: Touch
    arrivals: Touch
    inverse_ptr: Int32Array
    inverse_edge: Int32Array
    inverse_ms: UInt32Array
    enter_ptr: Int32Array
    enter_edge: Int32Array
    enter_ms: UInt32Array
    state_x: FloatArray
    state_y: FloatArray
    component: Int32Array
    """Weak component of each edge, -1 where the mode may not go: no search between different ones."""
    fastest: float
    """Metres a millisecond that no way in this graph beats, in the plane of ``state_x``, ``state_y``."""
    private: bool
    """Whether there are private streets; without them a detour is never shorter than the direct way."""


class Work(NamedTuple):
    """Memory of one thread; clean between calls."""

    dist_to: UInt32Array
    dist_from: UInt32Array
    dist_leg: UInt32Array
    """For single legs, searched for while the two others are kept."""
    link: Int32Array
    ring: Int32Array
    touched_to: Int32Array
    touched_from: Int32Array
    touched_leg: Int32Array
    seed_state: Int32Array
    seed_ms: UInt32Array
    target_state: Int32Array
    target_ms: UInt32Array


class Columns(NamedTuple):
    """Columns by slot, by row (rider), by street, and single values in arrays of one."""

    # by slot
    edge: Int32Array
    from_u: Int32Array
    from_v: Int32Array
    walk: Int32Array
    x: Float32Array
    y: Float32Array
    ahead_x: Float32Array
    """Place of the next stop, infinite after the last one."""
    ahead_y: Float32Array
    ahead_state: Int32Array
    """(n, 2) States at which the next stop is reached; the first is -1 where they are not just one or two."""
    ahead_ms: UInt32Array
    """(n, 2) Time from there."""
    ahead_edge: Int32Array
    ahead_walk: Int32Array
    offset_m: FloatArray
    walk_m: FloatArray
    lonlat: FloatArray
    service: Int32Array
    earliest: Int64Array
    latest: Int64Array
    rest: UInt8Array
    """1: the break that the rules ask for; 2: a task, which ends before one falls due; 0: anything else."""
    change: Int32Array
    gaps: Int32Array
    """Row of ``closed`` with the spans between several windows; 0: one window."""
    leg: Int32Array
    """Time to the next slot, walks and factor included; 0 after the last stop, -1: no way."""
    arrive: Int64Array
    start: Int64Array
    leave: Int64Array
    room: Int64Array
    """Most delay of the arrival at the stop after this slot (after the last one: of the end of the plan)."""
    until: Int64Array
    """When the break falls due for work that is done after this slot."""
    following: Int32Array
    previous: Int32Array
    long_at: Int32Array
    # by row
    stops: Int32Array
    factor: Int32Array
    ready: Int64Array
    at: Int64Array
    ok: UInt8Array
    skills: Int64Array
    platform: Int64Array
    cap: Int64Array
    penalty: Int64Array
    order: Int64Array
    limit: Int64Array
    break_due: Int64Array
    capacity: Int32Array
    load: Int32Array
    # by street and state
    edge_head: Int32Array
    active: Int32Array
    # single values
    keep: Int64Array
    work_span: Int64Array
    break_span: Int64Array
    least_factor: Int64Array
    most_cap: Int64Array
    long_slot: Int32Array
    long_count: Int64Array
    long_leg: Int64Array
    """Legs above this stand in ``long_slot``; all others are at most this long."""
    closed: Int64Array
    """(n, 2 w) Spans in which nothing starts, open at both ends, in order; `EVER` after the last."""


class Place(NamedTuple):
    """One snapped place: its edge, milliseconds and metres from the edge's ends, its point in the plane."""

    edge: Ms
    from_u: Ms
    from_v: Ms
    offset_m: float
    x: float
    y: float


class PlaceColumns(NamedTuple):
    """Columns of `Place`."""

    edge: Int32Array | Int64Array
    from_u: Int64Array
    from_v: Int64Array
    offset_m: FloatArray
    x: FloatArray
    y: FloatArray


class TaskColumns(NamedTuple):
    """Places of tasks in columns: snapped for one mode, instants in epoch milliseconds."""

    edge: Int32Array
    from_u: Int64Array
    from_v: Int64Array
    offset_m: FloatArray
    walk: Int64Array
    x: FloatArray
    y: FloatArray
    service: Int64Array
    earliest: Int64Array
    latest: Int64Array
    gaps: Int32Array
    """As in `Columns`."""
    skills: Int64Array
    platforms: Int64Array
    """Bits of the platforms that may do it; 0: all."""
    barred: Int64Array
    """Row of a rider who is not asked, -1: none."""
    most: Int64Array
    """No rank above this counts."""
