"""Pick-up points from platform files of made fleets, held against what truly happened.

    python tests/benchmarks/pickup_quality.py [--seed 11] [--riders 100]

The whole way of real data: fleet, platform file, traces, stays, kinds, points; then the truth that the fleet
keeps (`tests/pickup_truth.py`). The test `test_pickup_truth.py` does the same from true stays, so the
difference is what telling stays apart costs. Per map: points, minutes a day claimed and true, rank
correlation, share of the true gates (twice k riders or more, at these points) that were found, with and
without a gate on the map.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree
from scipy.stats import spearmanr

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

from harness import helsinki_map
from pickup_truth import deliveries_of, saved_s

from geo.osm.read import read_osm
from geo.stays import classify_stays, find_stay_points
from geo.synthetic.make import FleetOptions, make_fleet, write_fleet_parquet
from geo.traces.read import TraceFormat, read_traces
from siting.demand.asked import Asked
from siting.demand.demand_events import stay_events
from siting.inputs import StudyInputs, StudySettings
from siting.stations.pickup_inputs import PickupRules
from siting.stations.pickups import DETOUR, group_drop_offs
from siting.study import suggest_pickups
from siting.travel_times import StreetWays

__all__ = ["main"]

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "osm"
DAYS, K = 5, 5
RULES = PickupRules(most=20)
SAME_M, M_PER_S = 80.0, 0.3
"""A told delivery is a true one nearby: 80 m, one second as far as 0.3 m."""


def compare(name: str, path: Path, riders: int, seed: int) -> None:
    """Print one row of the table."""
    network, places = read_osm(path)
    free, _ = read_osm(path, gate_delay_s=0.0)
    fleet = make_fleet(network, places, FleetOptions(riders=riders, days=DAYS, seed=seed))
    with tempfile.TemporaryDirectory(prefix="yilu-") as folder:
        file = Path(folder) / "fleet.parquet"
        write_fleet_parquet(fleet, file)
        form = TraceFormat(datum="wgs84", timezone="Asia/Shanghai")
        rejects = Path(folder) / "rejects.csv"
        traces = read_traces(
            (file,), (form,), key=bytes(16), network=network, rejects=rejects, study="pickups"
        ).traces
    stays = classify_stays(find_stay_points(traces), traces, places, network, "Asia/Shanghai")
    settings = StudySettings(timezone="Asia/Shanghai", k=K, pickups=RULES)
    ways = StreetWays(network)
    inputs = StudyInputs(network=network, places=places, stays=stays, riders=riders, settings=settings)
    points = suggest_pickups(inputs, ways, DAYS, Asked(inputs.settings.k))
    drops = stay_events(stays, "dropoff")
    xy = ways.project(drops.lonlat)
    label = group_drop_offs(xy, ways.compound_of(drops.lonlat), RULES.near_m, max(5, K))
    true = deliveries_of(fleet)
    true_xy = ways.project(true.lonlat)
    found_at = cKDTree(np.column_stack([true_xy, M_PER_S * true.start_s])).query(
        np.column_stack([xy, M_PER_S * drops.start_s])
    )
    away, of = (np.asarray(column) for column in found_at)
    gate_xy = ways.project(np.nan_to_num(true.gate))
    waited = np.isfinite(true.gate[:, 0])
    osm_gates = ways.project(np.asarray(places.gate_lonlat).reshape(-1, 2))
    claimed, truth = [], []
    found = {True: [0, 0], False: [0, 0]}
    for point in points:
        at = ways.project(np.array([point.lonlat]))[0]
        near = DETOUR * np.hypot(*(xy - at).T) <= RULES.walk_m
        groups = np.unique(label[near & (label >= 0)]).tolist()

        def unlike(group: int, near: np.ndarray = near, at: np.ndarray = at, point: object = point) -> float:
            rows = near & (label == group)
            walk = DETOUR * np.median(np.hypot(*(xy[rows] - at).T))
            return float(abs(rows.sum() / DAYS - point.drop_offs_a_day) + abs(walk - point.walk_median_m))  # type: ignore[attr-defined]

        group = min(groups, key=unlike)
        rows = np.unique(of[near & (label == group) & (away <= SAME_M)])
        saved = saved_s(free, "ebike", true, rows, point.lonlat, RULES.handover_s)
        claimed.append(point.saved_min_a_day or 0.0)
        truth.append(float(saved[np.isfinite(saved)].sum()) / 60 / DAYS)
        told = ways.project(np.array([g.lonlat for g in point.gates]).reshape(-1, 2))
        mine = rows[waited[rows]]
        for spot in np.unique(gate_xy[mine].round(), axis=0):
            here = mine[np.hypot(*(gate_xy[mine] - spot).T) <= 5.0]
            if len(np.unique(true.rider[here])) >= 2 * K:
                mapped = bool(np.hypot(*(osm_gates - spot).T).min(initial=np.inf) <= 30.0)
                found[mapped][1] += 1
                found[mapped][0] += bool(np.hypot(*(told - spot).T).min(initial=np.inf) <= 30.0)
    rank = spearmanr(claimed, truth).statistic if len(claimed) > 2 else np.nan
    print(
        f"| {name} ({riders}) | {len(points)} | {sum(claimed):.0f} | {sum(truth):.0f} | {rank:.2f} "
        f"| {found[True][0]} of {found[True][1]} | {found[False][0]} of {found[False][1]} |",
        flush=True,
    )


def main(arguments: list[str] | None = None) -> None:
    """Print the table of all maps that are there."""
    parser = argparse.ArgumentParser(description="Pick-up points against the truth of made fleets.")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--riders", type=int, default=100)
    given = parser.parse_args(arguments)
    maps = {"Tsinghua": SHARED / "tsinghua-campus.osm.pbf", "Nanjing": SHARED / "nanjing-xinjiekou.osm.pbf"}
    if (helsinki := helsinki_map()) is not None:
        maps["Helsinki"] = helsinki
    print("| map (riders) | points | claimed min/day | true min/day | rank | gates mapped | not mapped |")
    print("|---|---|---|---|---|---|---|")
    for name, path in maps.items():
        if path.is_file():
            compare(name, path, given.riders, given.seed)
        else:
            print(f"skipped {name}: its map is not there", file=sys.stderr)


if __name__ == "__main__":
    main()
