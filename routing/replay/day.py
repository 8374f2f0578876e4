"""A seeded day: riders, waves of orders with promises that can be kept, breaks, and civic tasks.

A wave is what a rider is given at one time: a pick-up and one to three drop-offs. It is dispatched when the
rider has done the last one. The platform promises when it dispatches: the time at which the rider will be
there as their plan stands, and a seeded buffer. So on a day without tasks nobody is late, and whoever is
late on a day with tasks is late because of them. What tasks in hand add to the
promises themselves is told apart.
"""

import dataclasses

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.arrays import BoolArray, FloatArray, Int32Array, Int64Array
from geo.errors import InputError
from geo.jit import kernel
from geo.streets import Snapped, StreetNetwork
from routing.fleet.kernels.legs import place_of, point_leg
from routing.fleet.kernels.tables import FAR_MS, NO, Graph, PlaceColumns, Work
from routing.fleet.mode_fleet import ModeFleet, runs_ms
from routing.model.checks import check_between
from routing.model.policy import Policy

__all__ = ["Day", "DayOptions", "make_day"]


@dataclasses.dataclass(frozen=True, slots=True)
class DayOptions:
    """Size and temper of a day; `InputError` outside of the ranges."""

    riders: int = 200
    tasks: int = 400
    emergencies: int = 10
    hours: float = 8.0
    start_s: float = 1_760_000_000.0
    seed: int = 0
    acceptance: float = 0.85
    """Probability that a rider accepts a task that is offered with its price."""
    buffer_s: tuple[float, float] = (60.0, 600.0)
    """Promises lie so much after the time of arrival. Ours: tight enough that a careless task harms."""
    gap_s: tuple[float, float] = (0.0, 900.0)
    """Idle time between waves."""

    def __post_init__(self) -> None:
        check_between("riders", self.riders, 1, 100_000)
        check_between("tasks", self.tasks, 0, 100_000)
        check_between("emergencies", self.emergencies, 0, 10_000)
        check_between("hours", self.hours, 0.5, 24.0)
        check_between("acceptance", self.acceptance, 0.0, 1.0)


@dataclasses.dataclass(frozen=True, eq=False)
class Day:
    """Stops of all waves, tasks and emergencies in columns. Instants in epoch milliseconds."""

    options: DayOptions
    start_place: Snapped
    """Where each rider starts."""
    wave_rider: Int64Array
    wave_known: Int64Array
    wave_ptr: Int64Array
    stop_place: Snapped
    stop_planned: Int64Array
    """When each stop is reached on a day without tasks."""
    stop_due: Int64Array
    """What is then promised; of a break: when it falls due."""
    stop_service: Int64Array
    stop_rest: BoolArray
    task_place: Snapped
    task_lonlat: FloatArray
    task_known: Int64Array
    task_latest: Int64Array
    task_service: Int64Array
    accept: FloatArray
    """(riders,) and tasks are hashed with it: see `accepts`."""
    emergency_place: Snapped
    emergency_known: Int64Array

    def accepts(self, rider: int, task: int) -> bool:
        """Whether a rider accepts a task: the same answer under every policy."""
        draw = (self.accept[rider] + (task + 1) * 0.6180339887498949) % 1.0
        return bool(draw < self.options.acceptance)


@kernel
def _legs(
    graph: Graph,
    at: PlaceColumns,
    walk_ms: Int64Array,
    start: Int64Array,
    end: Int64Array,
    out: Int64Array,
    work: Work,
) -> None:
    for q in range(len(start)):
        i, j = start[q], end[q]
        net = point_leg(graph, place_of(at, i), place_of(at, j), FAR_MS, work)
        out[q] = -1 if net == NO else net + walk_ms[i] + walk_ms[j]


def make_day(network: StreetNetwork, options: DayOptions, policy: Policy) -> Day:
    """Make a day on the largest part of the e-bike streets of a network.

    Parameters
    ----------
    network : StreetNetwork
    options : DayOptions
    policy : Policy
        For breaks and the walk to the street.

    Returns
    -------
    Day
        The same for the same seed.
    """
    rng = np.random.default_rng(options.seed)
    edges = np.flatnonzero(_there_and_back(network) & (network.edge_length_m > 5.0))
    if not len(edges):
        raise InputError("No street of the network can be reached and left by e-bike; a day needs some.")
    xy = network.project(network.middle_lonlat(edges))
    chosen = np.zeros(len(network), np.bool_)
    chosen[edges] = True
    places = network.snap(network.unproject(xy), "ebike", policy.walk_to_street_m)
    # A place in a tunnel is one on the street above to whoever is told its position alone.
    own = np.flatnonzero((places.edge >= 0) & chosen[np.maximum(places.edge, 0)])
    if not len(own):
        raise InputError("No street of the network is the nearest to its own middle; a day needs some.")
    places, xy = places.take(own), xy[own]
    tree = cKDTree(xy)
    mode_fleet = ModeFleet(network, "ebike", policy)
    draft = _Draft(network, mode_fleet, xy, tree, places, options, policy)
    for rider in range(options.riders):
        draft.rider(rider, np.random.default_rng([options.seed, rider]))
    wave_order = np.argsort(draft.known, kind="stable")
    sizes = np.array([len(wave) for wave in draft.waves], np.int64)[wave_order]
    stops = [stop for at in wave_order.tolist() for stop in draft.waves[at]]
    start_ms, span_ms = round(options.start_s * 1000), round(options.hours * 3_600_000)
    task_at = rng.integers(len(xy), size=options.tasks)
    task_known = np.sort(rng.integers(start_ms + 600_000, start_ms + int(span_ms * 0.85), options.tasks))
    urgent_at = rng.integers(len(xy), size=options.emergencies)
    return Day(
        options=options,
        start_place=places.take(np.array(draft.starts)),
        wave_rider=np.array(draft.riders, np.int64)[wave_order],
        wave_known=np.array(draft.known, np.int64)[wave_order],
        wave_ptr=np.concatenate([[0], np.cumsum(sizes)]),
        stop_place=places.take(np.array([stop[0] for stop in stops], np.int64)),
        stop_planned=np.array([stop[1] for stop in stops], np.int64),
        stop_due=np.array([stop[2] for stop in stops], np.int64),
        stop_service=np.array([stop[3] for stop in stops], np.int64),
        stop_rest=np.array([stop[4] for stop in stops], np.bool_),
        task_place=places.take(task_at),
        task_lonlat=places.lonlat[task_at],
        task_known=task_known.astype(np.int64),
        task_latest=(task_known + rng.integers(1_800_000, 7_200_000, options.tasks)).astype(np.int64),
        task_service=rng.integers(60_000, 300_000, options.tasks).astype(np.int64),
        accept=rng.random(options.riders),
        emergency_place=places.take(urgent_at),
        emergency_known=np.sort(rng.integers(start_ms + 1_800_000, start_ms + span_ms, options.emergencies)),
    )


def _there_and_back(network: StreetNetwork) -> BoolArray:
    """Edges that can be reached from most of the city and left again, by legal ways."""
    graph = network.graph("ebike")
    arcs = csr_array(
        (np.ones(len(graph.head), np.int8), graph.head, graph.indptr), shape=(graph.n_states, graph.n_states)
    )
    label = connected_components(arcs, directed=True, connection="strong")[1]
    main = label == np.argmax(np.bincount(label)) if graph.n_states else np.zeros(0, np.bool_)

    def touched(ptr: Int32Array, state: Int32Array) -> BoolArray:
        edge = np.repeat(np.arange(2 * len(network)), np.diff(ptr)) // 2
        return np.bincount(edge[main[state]], minlength=len(network)) > 0

    return np.asarray(
        touched(graph.depart_ptr, graph.depart_state) & touched(graph.arrive_ptr, graph.arrive_state)
    )


class _Draft:
    """Waves rider by rider."""

    def __init__(
        self,
        network: StreetNetwork,
        mode_fleet: ModeFleet,
        xy: FloatArray,
        tree: cKDTree,
        places: Snapped,
        options: DayOptions,
        policy: Policy,
    ) -> None:
        self._mode_fleet, self._xy, self._tree, self._places = mode_fleet, xy, tree, places
        self._options, self._policy = options, policy
        along, against = runs_ms(network, "ebike", places)
        x, y = (np.ascontiguousarray(column) for column in network.project(places.lonlat).T)
        self._table = PlaceColumns(places.edge, along, against, places.offset_m, x, y)
        self.waves: list[list[tuple[int, int, int, int, bool]]] = []
        self.known: list[int] = []
        self.riders: list[int] = []
        self.starts: list[int] = []

    def _near(self, here: int, radius_m: float, rng: np.random.Generator) -> int:
        near = self._tree.query_ball_point(self._xy[here], radius_m)
        return int(near[int(rng.integers(len(near)))])

    def rider(self, rider: int, rng: np.random.Generator) -> None:
        """Make one rider's waves until their shift ends."""
        options = self._options
        start = round(options.start_s * 1000)
        here = int(rng.integers(len(self._xy)))
        self.starts.append(here)
        now = start + int(rng.integers(0, 900_000))
        worked_from = start
        end = start + round(options.hours * 3_600_000)
        while now < end - 1_500_000:
            orders = int(rng.integers(1, 4))
            shop = self._near(here, 900.0, rng)
            chain = [here, shop]
            for _ in range(orders):
                chain.append(self._near(chain[-1], 1100.0, rng))
            legs = self._times(chain)
            if legs.min(initial=0) < 0 or legs.max(initial=0) > 600_000:
                now += 60_000
                continue
            at = now
            wave = []
            for number, leg in enumerate(legs.tolist()):
                service = 120_000 if number == 0 else 60_000
                at += leg
                buffer = int(rng.uniform(*options.buffer_s) * 1000)
                wave.append((chain[number + 1], at, at + buffer, service, False))
                at += service
            here = chain[-1]
            span = round(self._policy.continuous_work_s * 1000)
            if at - worked_from > span - 4_500_000:
                # The break stands at the end of this wave, in time.
                walk = 2 * int(self._places.walk_ms[here])
                at += walk
                wave.append((here, at, worked_from + span, round(self._policy.break_s * 1000), True))
                at += round(self._policy.break_s * 1000)
                worked_from = at
            self.waves.append(wave)
            self.known.append(now)
            self.riders.append(rider)
            now = at + int(rng.uniform(*options.gap_s) * 1000)

    def _times(self, chain: list[int]) -> Int64Array:
        out = np.empty(len(chain) - 1, np.int64)
        path = np.array(chain, np.int64)
        walk_ms, work = self._places.walk_ms, self._mode_fleet.work()
        _legs(self._mode_fleet.graph, self._table, walk_ms, path[:-1], path[1:], out, work)
        return out
