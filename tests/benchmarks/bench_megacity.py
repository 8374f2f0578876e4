"""A megacity on one machine: 300,000 riders with plans on 1.2 million nodes, all rules on.

The map is tiled from a real one, riders and tasks are those of the matching benchmark. Map, network and
riders are made once, into the temporary folder; the fleet lives in a fresh process, whose peak of memory is
told.
"""

import functools
import json
import pathlib
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import numpy as np
from bench_matching import source_network
from fleets import NOW, city_riders, city_tasks, finder
from harness import Row, value

from geo.arrays import FloatArray
from geo.streets.network import StreetNetwork
from routing.fleet.fleet import Fleet
from routing.model.planned_riders import PlannedRiders, RiderColumns, StopColumns, as_table
from routing.model.policy import Policy
from routing.model.riders import Rider, Stop

__all__ = ["run"]

BENCH = "megacity"
CITY = "porto-centre.osm.pbf", 15, 14
SMALL = "porto-centre.osm.pbf", 2, 2
PIECE = 20_000
"""Riders that are made, and come into the fleet, at a time."""
BULK = 5_000
"""Positions at a time, the most that a request may bring."""
MB = 1024.0
"""Of the kilobytes in which the system tells memory."""


def run(quick: bool) -> list[Row]:
    """Measure; `quick` takes a small map and fleet, to see that all works."""
    (name, columns, tiles), count = (SMALL, 2_000) if quick else (CITY, 300_000)
    network = source_network(name, columns, tiles)
    folder = pathlib.Path(tempfile.gettempdir())
    saved = folder / f"yilu-{name.split('.')[0]}-{columns}x{tiles}.net"
    riders = folder / f"yilu-megacity-{count}.columns"
    if not riders.exists():
        draft = riders.with_suffix(".draft")
        with draft.open("wb") as file:
            for seed, first in enumerate(range(0, count, PIECE)):
                made = city_riders(network, min(PIECE, count - first), seed, prefix=f"{seed:02d}")
                table = as_table(made)
                pickle.dump((table.riders, table.stops, table.lonlat), file, pickle.HIGHEST_PROTOCOL)
        draft.rename(riders)
    del network
    command = [sys.executable, __file__, str(saved), str(riders), str(200 if quick else 2_000)]
    _told(command)  # A first process may have to compile.
    return [value(BENCH, case, "yilu", metric, unit, found) for case, metric, unit, found in _told(command)]


def _told(command: list[str]) -> list[tuple[str, str, str, list[float]]]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return [tuple(row) for row in json.loads(done.stdout)]


def _pieces(path: pathlib.Path) -> Iterator[PlannedRiders]:
    """Riders in columns, as a request brings them; none is an object until somebody asks."""
    with path.open("rb") as file:
        while True:
            try:
                riders, stops, lonlat = pickle.load(file)  # noqa: S301
            except EOFError:
                return
            yield PlannedRiders(riders, stops, lonlat, functools.partial(_made, riders, stops, lonlat))


def _made(riders: RiderColumns, stops: StopColumns, lonlat: FloatArray, row: int) -> Rider:
    """Make the rider of a row."""
    first = int(riders.stops[:row].sum())
    mine = range(first, first + int(riders.stops[row]))
    places = [(float(lon), float(lat)) for lon, lat in lonlat[first + row : mine.stop + row + 1].tolist()]
    plan = [
        Stop(stops.ids[at], place, float(stops.service_s[at]), latest_s=float(stops.latest_s[at]))
        for at, place in zip(mine, places[1:], strict=True)
    ]
    return Rider(riders.ids[row], places[0], stops=tuple(plan))


def _work(saved: pathlib.Path, riders: pathlib.Path, calls: int) -> list[tuple[str, str, str, list[float]]]:
    """Load, fill, ask and move; returns cases with metric, unit and figures."""
    start = time.perf_counter()
    network = StreetNetwork.load(saved)
    network.graph("ebike")
    loaded = time.perf_counter() - start
    start = time.perf_counter()
    fleet = Fleet(network, Policy())
    for piece in _pieces(riders):
        fleet.put(piece, NOW)
    fleet.order()
    filled = time.perf_counter() - start
    stops = int(np.maximum(fleet.mode_fleets["ebike"].c.stops, 0).sum())
    case = f"{len(fleet)} riders, {stops} stops, {len(network.node_id) / 1e6:.2f}M nodes"
    tasks = city_tasks(network, calls, 5)
    find, search, busy, whole = finder(fleet, tasks, 1), [], [], []
    find(0)
    for i, task in enumerate(tasks):
        start, before = time.perf_counter(), time.thread_time()
        find(i)
        busy.append((time.thread_time() - before) * 1e3)
        search.append((time.perf_counter() - start) * 1e3)
        start = time.perf_counter()
        fleet.best([task], 1, NOW)
        whole.append((time.perf_counter() - start) * 1e3)
    some, together, apart = city_tasks(network, 1_000, 6), [], []
    for _ in range(6):
        start, before = time.perf_counter(), time.process_time()
        fleet.best(some, 1, NOW, 2)
        apart.append(time.process_time() - before)
        together.append(time.perf_counter() - start)
    rng, moved = np.random.default_rng(0), []
    ids = list(fleet.rider_ids)
    for _ in range(10):
        bulk = [ids[row] for row in rng.choice(len(ids), min(BULK, len(ids)), replace=False).tolist()]
        # A rider's place as the columns have it: to make objects is no part of a report.
        here = np.array([fleet.row_of(rider_id)[1] for rider_id in bulk])
        here = fleet.mode_fleets["ebike"].c.lonlat[here * fleet.mode_fleets["ebike"].width]
        places = here + rng.normal(0.0, 2e-4, here.shape)
        start = time.perf_counter()
        fleet.move(bulk, places, NOW)
        moved.append(len(bulk) / (time.perf_counter() - start))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB
    return [
        (case, "load of the saved network, its e-bike graph included", "s", [loaded]),
        (case, "all plans put", "s", [filled]),
        (f"best 1 of {case}", "time a task", "ms", search),
        (f"best 1 of {case}", "CPU time a task", "ms", busy),
        (f"best 1 of {case}, snapping and Python objects included", "time a task", "ms", whole),
        (f"1,000 tasks in one call, two threads, {case}", "time", "s", together[1:]),
        (f"1,000 tasks in one call, two threads, {case}", "CPU time", "s", apart[1:]),
        (f"{case}, bulks of {BULK}", "new positions", "1/s", moved[1:]),
        (case, "peak memory of the process", "MB", [peak]),
    ]


if __name__ == "__main__":
    sys.stdout.write(
        json.dumps(_work(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])))
    )
