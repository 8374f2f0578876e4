"""Travel times by hour: what a search on the slice of its hour costs, and where slices alone break FIFO.

    python tests/benchmarks/hourly_times.py [--city helsinki|FILE] [--searches 400] [--seed 5]

Every hour of a day is a network of its own that shares geometry and graphs (`StreetNetwork.with_times`); a
search runs on the one of its departure. FIFO means that nobody who leaves later arrives sooner. Within an
hour it holds, for times stand still; at the full hour it does not, where the next hour is quicker. It holds
by construction if whoever leaves before may wait: an arrival is then the least over leaving now and at any
later full hour, which never falls as the departure gets later.
"""

import argparse
import json
import sys
import time

import numpy as np
from harness import city_map

from geo.osm import read_osm
from geo.streets import StreetNetwork
from geo.synthetic.traffic import hidden_traffic
from geo.travel import travel_times_s

MODE = "ebike"
HOURS = 24
LIMIT_S = 900.0
ROUNDS = 5


def slices(network: StreetNetwork, seed: int) -> tuple[list[StreetNetwork], float, int]:
    """Return the network of each hour of a working day, seconds to make one, and its bytes."""
    network.graph(MODE)
    traffic = hidden_traffic(network.edge_class, network.edge_name, 0.6, np.random.default_rng(seed))
    began = time.process_time()
    out = []
    for hour in range(HOURS):
        factor = np.repeat(traffic.slow[hour][traffic.group], 2) * traffic.lasting
        out.append(network.with_times(MODE, factor.astype(np.float64)))
    took_s = (time.process_time() - began) / HOURS
    graph = out[0].graph(MODE)
    held = graph.cost_ms, graph.rev_cost_ms, graph.directed_cost_ms, out[0].time_factor
    return out, took_s, sum(column.nbytes for column in held)


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
    hours, made_s, held = slices(network, asked.seed)
    rng = np.random.default_rng(asked.seed)
    edges = rng.integers(len(network), size=asked.searches + 40)
    places = network.snap(network.middle_lonlat(edges), MODE)
    places = places.take(places.ok)
    targets = places.take(slice(0, 40))
    sources = places.take(slice(40, None))
    hour = rng.integers(HOURS, size=len(sources))
    same, by_hour, plain = [], [], []
    times = np.empty((len(sources), len(targets), 2))
    for _ in range(ROUNDS):
        began = time.process_time()
        for at in range(len(sources)):
            travel_times_s(network, MODE, sources.take([at]), targets, LIMIT_S)
        plain.append(time.process_time() - began)
        began = time.process_time()
        for at in range(len(sources)):
            travel_times_s(hours[int(hour[0])], MODE, sources.take([at]), targets, LIMIT_S)
        same.append(time.process_time() - began)
        began = time.process_time()
        for at in range(len(sources)):
            times[at, :, 0] = travel_times_s(
                hours[int(hour[at])], MODE, sources.take([at]), targets, LIMIT_S
            )[0]
        by_hour.append(time.process_time() - began)
    for at in range(len(sources)):
        later = hours[(int(hour[at]) + 1) % HOURS]
        times[at, :, 1] = travel_times_s(later, MODE, sources.take([at]), targets, LIMIT_S)[0]
    both = np.isfinite(times).all(axis=2)
    # Leaving a second before the full hour, and at it.
    sooner = 1.0 + times[..., 1] < times[..., 0]
    print(
        json.dumps(
            {
                "nodes": len(network.node_id),
                "searches": len(sources),
                "ms_a_search_constant": 1000.0 * min(plain) / len(sources),
                "ms_a_search_one_hour": 1000.0 * min(same) / len(sources),
                "ms_a_search_by_hour": 1000.0 * min(by_hour) / len(sources),
                "by_hour_over_one_hour": min(by_hour) / min(same),
                "ms_to_make_an_hour": 1000.0 * made_s,
                "mb_an_hour": held / 1e6,
                "pairs": int(both.sum()),
                "overtaken_at_the_hour": float(sooner[both].mean()),
            },
            indent=1,
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
