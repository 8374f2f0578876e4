"""What a closure costs on a large city: the word placed, the plans judged, the way to a station.

``python tests/benchmarks/closures.py`` prints CPU seconds of this process, and its memory; Porto tiled 8 x 7
(318,000 nodes), 20,000 riders with 6 to 10 stops, 70 stations. ``--map small --riders 500`` : a small city.
"""

import argparse
import dataclasses
import datetime
import functools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bench_matching import CITY, LARGE, SMALL, source_network
from fleets import NOW, city_riders

from api.civic.streets import Streets
from api.forms import Station
from api.http.stations.nearest import StationQuery, nearest_station
from api.store.civic.street_words import WordRow
from api.study.finished import FinishedStudy, load_finished
from geo.streets import StreetNetwork
from routing.civic import ClosureRules, StreetWord
from routing.fleet.fleet import Fleet
from routing.fleet.relaid import lay_on
from routing.model import Policy

MAPS = {"small": SMALL, "city": CITY, "large": LARGE}
STATIONS = 70
MANY = 25
"""Streets shut at once where all plans are judged anew."""


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--map", choices=MAPS, default="large")
    parser.add_argument("--riders", type=int, default=20_000)
    given = parser.parse_args()
    network, count = source_network(*MAPS[given.map]), given.riders
    riders = city_riders(network, count, 1)
    fleet = Fleet(network, Policy())
    fleet.put(riders, NOW)
    print(f"{len(network.node_id)} nodes, {len(fleet)} riders, {sum(len(r.stops) for r in riders)} stops")
    print(f"memory with the fleet: {_rss_mb():.0f} MB")
    served = _served(network)
    streets = Streets(network, ClosureRules())
    _said("nearest station, first", lambda: _nearest(served, network, 0))
    _each("nearest station, as mapped", lambda k: _nearest(served, network, k), 20)
    # Compiled, and every cache of the map filled, by a first one.
    _closed(fleet, streets, served, riders, [0])
    for first in (1, 2, 3):
        print(f"-- street {first}")
        _closed(fleet, streets, served, riders, [first])
    print(f"-- {MANY} streets at once")
    _closed(fleet, streets, served, riders, list(range(10, 10 + MANY)))
    print(f"memory at the end: {_rss_mb():.0f} MB")


def _closed(
    fleet: Fleet, streets: Streets, served: FinishedStudy, riders: list[Any], which: list[int]
) -> None:
    """An office says that streets are shut through which riders go; then that they are open again."""
    for says, at_s in (("closed", NOW + 1 + which[0] * 10), ("open", NOW + 5 + which[0] * 10)):
        rows = [_word(streets.map, riders, number, says, at_s) for number in which]
        _said(f"{says}: words placed", functools.partial(streets.take_up, rows, at_s))
        changed = _said(f"{says}: network", functools.partial(streets.network_at, at_s))
        _said(f"{says}: graph of e-bikes", functools.partial(changed.graph, "ebike"))
        _said(f"{says}: plans judged", functools.partial(lay_on, fleet, changed, NOW))
        _said(f"{says}: nearest station, first", functools.partial(_nearest, served, changed, 0))
        _each(f"{says}: nearest station", functools.partial(_nearest, served, changed), 20)
    print(f"memory: {_rss_mb():.0f} MB")


def _word(network: StreetNetwork, riders: list[Any], number: int, says: str, at_s: float) -> WordRow:
    """A word of the street at the second stop of a rider."""
    lon, lat = riders[number * 97 % len(riders)].stops[1].lonlat
    word = StreetWord("office", True, "street", says, (lon, lat), at_s)
    return WordRow.of(f"{says}-{number}", word)


def _served(network: StreetNetwork) -> FinishedStudy:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))
    from tiny_study import write_study

    rng = np.random.default_rng(3)
    edges = rng.choice(np.flatnonzero(network.components("ebike") == 0), STATIONS, replace=False)
    places = network.middle_lonlat(edges).tolist()
    with tempfile.TemporaryDirectory() as folder:
        found = load_finished(write_study(Path(folder) / "study"))
    row: dict[str, Any] = {
        "kind": "micro",
        "existing": True,
        "opening_hours": "24/7",
        "facilities": (),
        "street": "",
    }
    stations = tuple(
        Station(station_id=f"E{k}", name=f"E{k}", lonlat=(lon, lat), plan="stay", closed_from=None, **row)
        for k, (lon, lat) in enumerate(places)
    )
    return dataclasses.replace(found, network=network, stations=stations)


def _nearest(served: FinishedStudy, network: StreetNetwork, number: int) -> object:
    here = served.stations[number % STATIONS].lonlat
    query = StationQuery(here, "wgs84", "ebike", _WHEN, (), False)
    return nearest_station(dataclasses.replace(served, network=network), query, {}, "en", {})


_WHEN = datetime.datetime(2026, 3, 4, 12, tzinfo=datetime.UTC)


def _said(what: str, work: Callable[[], Any]) -> Any:  # noqa: ANN401
    start = time.process_time()
    found = work()
    print(f"{what}: {time.process_time() - start:.3f} CPU s", flush=True)
    return found


def _each(what: str, work: Callable[[int], Any], count: int) -> None:
    spent = []
    for number in range(count):
        start = time.process_time()
        work(number)
        spent.append(time.process_time() - start)
    print(f"{what}: {1e3 * statistics.median(spent):.1f} ms CPU (most {1e3 * max(spent):.1f})", flush=True)


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    main()
