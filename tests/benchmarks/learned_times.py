"""Learned travel times: errors on riders and days not seen.

    python tests/benchmarks/learned_times.py [--city helsinki|FILE] [--traffic 0.6] [--riders 100] [--days 6]

A fleet is made whose generator has traffic by street and hour, lights and gates that no learner sees.
The errors are of the true durations of its trips along their true streets (riders and days not learned from).
What tasks then do to deliveries is measured by `promises.py`.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

from harness import city_map
from made_traces import traces_of

from geo.learned import RiddenStreets, learn, rides_of
from geo.learned.speeds import learn_times
from geo.learned.trust import _held
from geo.localtime import day_number, hour_of_week, local_s
from geo.mapmatch import traversals
from geo.osm import read_osm
from geo.stays import classify_stays, find_stay_points
from geo.streets import StreetNetwork
from geo.synthetic import FleetOptions, SyntheticFleet, make_fleet

ZONE = "Asia/Shanghai"
LEAST_EDGES = 6
FloatArray = npt.NDArray[np.float64]


def errors(
    network: StreetNetwork, fleet: SyntheticFleet, rides: RiddenStreets, seed: int
) -> dict[str, float]:
    """Return median absolute percentage errors of true trips of riders and days not learned from."""
    day = day_number(local_s(rides.enter_s.astype(np.int64), ZONE))
    held, first = _held(rides.rider, day, seed)
    seen = rides.take(~held[rides.rider] & (day < first))
    times = learn_times(network, seen, 10)
    size = np.diff(fleet.trips.ptr)
    trip = np.repeat(np.arange(len(size)), size)
    directed = fleet.trips.edges.astype(np.int64)
    plain_s = network.graph("ebike").directed_cost_ms[directed] / 1000.0
    local = local_s(fleet.trip_start_s.astype(np.int64), ZONE)
    hour = hour_of_week(local)[trip]
    took_s = fleet.trip_end_s - fleet.trip_start_s
    chosen = held[fleet.trip_rider] & (size >= LEAST_EDGES) & (took_s >= 120.0)
    chosen &= day_number(local) >= first

    def error(expected_s: FloatArray) -> float:
        total = np.bincount(trip, expected_s, len(size))
        return float(np.median(np.abs(total[chosen] / took_s[chosen] - 1.0)))

    one = float(seen.took_s.sum() / seen.plain_s.sum())
    return {
        "trips": int(chosen.sum()),
        "class": error(plain_s),
        "one_factor": error(plain_s * one),
        "learned": error(plain_s * times.of_rides(directed, hour)),
    }


def main(arguments: list[str]) -> int:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--city", default="helsinki")
    parser.add_argument("--traffic", type=float, default=0.6)
    parser.add_argument("--riders", type=int, default=100)
    parser.add_argument("--days", type=int, default=6)
    parser.add_argument("--seed", type=int, default=5)
    asked = parser.parse_args(arguments)
    network, places = read_osm(city_map(asked.city))
    options = FleetOptions(
        riders=asked.riders, days=asked.days, seed=asked.seed, timezone=ZONE, traffic=asked.traffic
    )
    fleet = make_fleet(network, places, options)
    traces = traces_of(fleet)
    stays = classify_stays(find_stay_points(traces), traces, places, network, ZONE)
    rides = rides_of(network, "ebike", traversals(network, traces), stays, ZONE)
    found: dict[str, object] = {"errors": errors(network, fleet, rides, asked.seed)}
    learned = learn(network, rides, ZONE, seed=asked.seed, k=10)
    if learned.held_out is None:
        print(f"not enough traces: {learned.why}")
        return 1
    print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
