"""Gates and inner ways: how much of what a made map has wrong is found, and how far learned waits are off.

    python tests/benchmarks/inner_ways.py MAP [--riders 150] [--days 6] [--traffic 0.6] [--seed 5] ...

A fleet rides in a city whose map lacks some streets and has some shut gates open; gates take longer at some
places and hours. Nothing of it is told to the learner. Precision and recall are of proposals with k = 10;
waits are compared to the median of what riders really waited at each gate (passes without a wait count).
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

from made_inner import MadeInner, made_inner
from made_traces import traces_of

from geo.inner_ways import Trodden, find_cut_throughs, find_shut_gates, gate_passes, gate_waits
from geo.localtime import hour_of_day, local_s
from geo.mapmatch import traversals
from geo.osm import read_osm
from geo.stays import KINDS, classify_stays, find_stay_points
from geo.synthetic import FleetOptions

ZONE = "Asia/Shanghai"
NEAR_M = 40.0
"""Both ends of a proposal lie so near to those of a hidden street."""
K = 10


def true_waits(city: MadeInner) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return node, rider, hour and seconds of each true entry into a compound."""
    fleet, network = city.fleet, city.truth
    edges = fleet.trips.edges.astype(np.int64)
    trip = np.repeat(np.arange(len(fleet.trips.ptr) - 1), np.diff(fleet.trips.ptr))
    head = np.where(edges & 1 == 1, network.edge_u[edges >> 1], network.edge_v[edges >> 1])
    compound = network.edge_compound[edges >> 1]
    enters = np.flatnonzero((trip[1:] == trip[:-1]) & (compound[1:] >= 0) & (compound[1:] != compound[:-1]))
    node, of_trip = head[enters].astype(np.int64), trip[enters]
    stays = fleet.stays
    gate = np.flatnonzero(stays.kind == KINDS.index("gate"))
    xy, at = network.project(stays.lonlat[gate]), network.project(network.node_lonlat[node])
    rider = fleet.trip_rider[of_trip].astype(np.int64)
    wait = np.zeros(len(node))
    start = fleet.trip_start_s[of_trip].copy()
    for number in range(len(node)):
        mine = gate[
            (stays.rider[gate] == rider[number])
            & (stays.start_s[gate] >= fleet.trip_start_s[of_trip[number]])
            & (stays.end_s[gate] <= fleet.trip_end_s[of_trip[number]])
            & (np.hypot(*(xy - at[number]).T) < 2.0)
        ]
        if len(mine):
            wait[number] = float(stays.end_s[mine[0]] - stays.start_s[mine[0]])
            start[number] = stays.start_s[mine[0]]
    return node, rider, hour_of_day(local_s(start.astype(np.int64), ZONE)), wait


def waits(city: MadeInner, trodden: Trodden) -> dict[str, object]:
    """Return median errors of waits, seconds: learned, and by one number for all gates."""
    found = gate_waits(trodden, gate_passes(trodden), K)
    node, rider, hour, wait = true_waits(city)
    errors: dict[str, list[float]] = {"learned": [], "own": [], "default": [], "city": []}
    by_hour: dict[str, list[float]] = {"learned": [], "without_hours": []}
    everywhere = float(np.median(wait)) if len(wait) else 0.0
    for number in np.flatnonzero((found.riders >= K) & (found.compound >= 0)).tolist():
        mine = node == found.node[number]
        if len(np.unique(rider[mine])) < K:
            continue
        true = float(np.median(wait[mine]))
        errors["learned"].append(abs(found.wait_s[number] - true))
        errors["own"].append(abs(found.own_s[number] - true))
        errors["default"].append(abs(trodden.network.gate_delay_s - true))
        errors["city"].append(abs(everywhere - true))
        for h in np.flatnonzero(found.hour_riders[number] >= K).tolist():
            now = mine & (hour == h)
            if len(np.unique(rider[now])) < K:
                continue
            true = float(np.median(wait[now]))
            by_hour["learned"].append(abs(found.hour_s[number, h] - true))
            by_hour["without_hours"].append(abs(found.wait_s[number] - true))
    return {
        "gates": len(errors["learned"]),
        "median_error_s": {name: float(np.median(some)) for name, some in errors.items() if some},
        "gate_hours": len(by_hour["learned"]),
        "hour_median_error_s": {name: float(np.median(some)) for name, some in by_hour.items() if some},
        "true_median_s": everywhere,
    }


def cut_throughs(city: MadeInner, trodden: Trodden) -> dict[str, object]:
    """Return what of the hidden streets was found, and what of the proposals is one."""
    found = find_cut_throughs(trodden, K)
    network = trodden.network
    true = network.project(city.hidden.reshape(-1, 2)).reshape(-1, 2, 2)
    said = network.project(found.lonlat.reshape(-1, 2)).reshape(-1, 2, 2)
    same = np.zeros((len(true), len(said)), np.bool_)
    for t, ends in enumerate(true):
        for s, link in enumerate(said):
            away = min(np.hypot(*(ends - way).T).max() for way in (link, link[::-1]))
            same[t, s] = away <= NEAR_M
    return {
        "hidden": len(true),
        "found": int(same.any(axis=1).sum()),
        "proposed": len(said),
        "right": int(same.any(axis=0).sum()),
        "saved_s": [round(float(s)) for s in found.saved_s],
    }


def shut_gates(city: MadeInner, trodden: Trodden) -> dict[str, object]:
    """Return what of the shut gates was found, and what of the proposals is one."""
    found = find_shut_gates(trodden, K)
    return {
        "shut": len(city.shut),
        "found": int(np.isin(city.shut, found.node).sum()),
        "proposed": len(found.node),
        "right": int(np.isin(found.node, city.shut).sum()),
    }


def main(arguments: list[str]) -> int:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("map")
    parser.add_argument("--riders", type=int, default=150)
    parser.add_argument("--days", type=int, default=6)
    parser.add_argument("--traffic", type=float, default=0.6)
    parser.add_argument("--cuts", type=int, default=8)
    parser.add_argument("--gates", type=int, default=6)
    parser.add_argument("--interval", type=int, default=20)
    parser.add_argument("--seed", type=int, nargs="+", default=[5])
    asked = parser.parse_args(arguments)
    network, places = read_osm(asked.map)
    for seed in asked.seed:
        options = FleetOptions(
            riders=asked.riders,
            days=asked.days,
            seed=seed,
            timezone=ZONE,
            traffic=asked.traffic,
            interval_s=asked.interval,
        )
        city = made_inner(network, places, options, asked.cuts, asked.gates)
        traces = traces_of(city.fleet)
        stays = classify_stays(find_stay_points(traces), traces, places, city.network, ZONE)
        trodden = Trodden(city.network, "ebike", traces, traversals(city.network, traces), stays, ZONE)
        steps: dict[str, Callable[[MadeInner, Trodden], dict[str, object]]] = {
            "waits": waits, "cut_throughs": cut_throughs, "shut_gates": shut_gates
        }  # fmt: skip
        out: dict[str, object] = {"seed": seed, "points": len(traces)}
        for name, step in steps.items():
            start = time.process_time()
            out[name] = step(city, trodden)
            out[f"{name}_cpu_s"] = round(time.process_time() - start, 2)
        print(json.dumps(out), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
