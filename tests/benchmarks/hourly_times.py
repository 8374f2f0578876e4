"""Travel times by the hour: what a search costs that looks the hour up along the way, beside constant times.

    python tests/benchmarks/hourly_times.py [--city helsinki|FILE] [--searches 400] [--seed 5]

Hidden traffic of a made city gives every hour of working days and weekends (48 rows) times of its own. The
same searches of 15 minutes run with constant times and with those of the hour in which each street is
entered (`HourlyStreets`), from instants all over the week. CPU time, the least of
several rounds in turn.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable

import numpy as np
from harness import city_map

from geo.osm import read_osm
from geo.streets import StreetNetwork
from geo.synthetic.traffic import hidden_traffic
from geo.travel import HourlyStreets, travel_times_by_hour_s, travel_times_s

MODE = "ebike"
LIMIT_S = 900.0
ROUNDS = 7
ZONE = "Asia/Shanghai"
MONDAY_S = 1_759_680_000.0
WEEK_S = 168 * 3600.0


def streets_by_hour(network: StreetNetwork, seed: int) -> HourlyStreets:
    """Return the streets of a made city by the hour."""
    traffic = hidden_traffic(network.edge_class, network.edge_name, 0.6, np.random.default_rng(seed))
    hour = np.arange(168)
    row = np.where(hour < 120, hour % 24, 24 + hour % 24)
    first = [int(np.flatnonzero(row == one)[0]) for one in range(48)]
    factor = np.stack([np.repeat(traffic.slow[at][traffic.group], 2) * traffic.lasting for at in first])
    return HourlyStreets(network, MODE, factor.astype(np.float64), row, ZONE)


def main(arguments: list[str]) -> int:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--city", default="helsinki")
    parser.add_argument("--searches", type=int, default=400)
    parser.add_argument("--seed", type=int, default=5)
    asked = parser.parse_args(arguments)
    network, _ = read_osm(city_map(asked.city))
    network.graph(MODE)
    began = time.process_time()
    streets = streets_by_hour(network, asked.seed)
    tables = streets.tables
    made_s = time.process_time() - began
    rng = np.random.default_rng(asked.seed)
    edges = rng.integers(len(network), size=asked.searches + 40)
    places = network.snap(network.middle_lonlat(edges), MODE)
    places = places.take(places.ok)
    targets, sources = places.take(slice(0, 40)), places.take(slice(40, None))
    depart_s = MONDAY_S + rng.uniform(0.0, WEEK_S, len(sources))
    one_s = MONDAY_S + 8 * 3600.0 + rng.uniform(0.0, 3600.0, len(sources))
    # Fewer sources than targets a call, so that constant times are searched forward, too.
    parts = [slice(first, first + 39) for first in range(0, len(sources), 39)]

    def constant(streets_of: StreetNetwork) -> Callable[[slice], object]:
        return lambda part: travel_times_s(streets_of, MODE, sources.take(part), targets, LIMIT_S, threads=1)

    # By the means of the hours a search gets about as far within the limit as by the hour.
    ways: dict[str, Callable[[slice], object]] = {
        "constant": constant(network),
        "mean_of_hours": constant(network.with_times(MODE, streets.factor.mean(axis=0))),
        "by_hour_in_one": lambda part: travel_times_by_hour_s(
            streets, sources.take(part), targets, one_s[part], LIMIT_S
        ),
        "by_hour": lambda part: travel_times_by_hour_s(
            streets, sources.take(part), targets, depart_s[part], LIMIT_S
        ),
    }
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS + 1):
        for name, way in ways.items():
            began = time.process_time()
            for part in parts:
                way(part)
            spent[name].append(time.process_time() - began)
    ms = {name: 1000.0 * min(several[1:]) / len(sources) for name, several in spent.items()}
    print(
        json.dumps(
            {
                "nodes": len(network.node_id),
                "searches": len(sources),
                **{f"ms_a_search_{name}": round(one, 4) for name, one in ms.items()},
                "by_hour_in_one_over_mean": round(ms["by_hour_in_one"] / ms["mean_of_hours"], 3),
                "by_hour_over_mean": round(ms["by_hour"] / ms["mean_of_hours"], 3),
                "s_to_make_a_week": round(made_s, 2),
                "mb_a_week": (tables.arc_ms.nbytes + tables.directed_ms.nbytes) / 1e6,
            },
            indent=1,
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
