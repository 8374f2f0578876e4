"""Do few places tell their datum? Made requests on the shared maps: false alarms, and wrong datums missed.

python -m tests.benchmarks.place_datum MAP.osm.pbf ...
"""

import sys

import numpy as np

from geo.arrays import FloatArray
from geo.datum import DATUMS, from_wgs84
from geo.earth import DEGREE_M
from geo.osm import read_osm
from geo.streets import StreetNetwork
from geo.traces import PlaceEvidence

REQUESTS, AROUND_M, STREWN_M = 60, 2500.0, 1500.0
KINDS = {"3-15 m off": (3.0, 15.0), "5-60 m off": (5.0, 60.0), "anywhere": None}


def places(
    network: StreetNetwork, count: int, off_m: tuple[float, float] | None, rng: np.random.Generator
) -> FloatArray:
    """Make the places of one request: beside streets around a point of one, or strewn around it."""
    points = network.geom_lonlat
    scale = np.array([np.cos(np.radians(points[:, 1].mean())), 1.0]) * DEGREE_M
    middle = points[rng.integers(len(points))]
    if off_m is None:
        return np.asarray(middle + rng.uniform(-STREWN_M, STREWN_M, (count, 2)) / scale)
    near = np.flatnonzero((np.abs(points - middle) * scale).max(axis=1) < AROUND_M)
    angle, away_m = rng.uniform(0, 2 * np.pi, count), rng.uniform(*off_m, count)
    shift = np.column_stack([np.cos(angle) * away_m, np.sin(angle) * away_m]) / scale
    return np.asarray(points[rng.choice(near, count)] + shift)


def main() -> None:
    """Print a line a map, kind and number of places."""
    for path in sys.argv[1:]:
        network, _ = read_osm(path)
        rng = np.random.default_rng(2026)
        for kind, off_m in KINDS.items():
            for count in (2, 3, 5, 10, 20):
                told = []
                for datum in DATUMS:
                    sent = [from_wgs84(places(network, count, off_m, rng), datum) for _ in range(REQUESTS)]
                    found = [PlaceEvidence.of(one, network).doubt("wgs84") for one in sent]
                    right = sum(one is not None and one[0] == datum for one in found)
                    alarms = sum(one is not None for one in found)
                    told.append(
                        f"{alarms} false" if datum == "wgs84" else f"{REQUESTS - right} {datum} missed"
                    )
                print(f"{path}: {count} places {kind}: {', '.join(told)} of {REQUESTS}")


if __name__ == "__main__":
    main()
