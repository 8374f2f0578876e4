"""Travel times learned on the first half of real drives, judged on trips of their second half.

    python tests/benchmarks/real_times.py TRACKS.tar.xz [--maps 50] [--step 10]

The tracks are those of Kubicka et al. (2015): one driver a map, one drive, streets without classes. So what
can be asked of them is little: do the times that matched real positions give tell how long the rest of the
drive takes, beside one speed for all streets and one factor from all other drives? Nothing is learned of
hours, other riders or other days.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from mapmatch_cases import kubicka_maps

from geo.learned import ridden, rides_of
from geo.learned.ridden import trips_of
from geo.learned.speeds import learn_times
from geo.mapmatch import MatchOptions, traversals
from geo.stays import find_stay_points
from geo.traces import Traces

MODE = "car"


def trace_of(track: np.ndarray) -> Traces:
    """Return one drive as traces of one rider."""
    t_s = np.round(track[:, 2]).astype(np.int64)
    kept = np.r_[True, np.diff(t_s) > 0]
    none = np.zeros(int(kept.sum()), np.int16)
    return Traces(
        rider=none.astype(np.int32),
        t_s=t_s[kept],
        lonlat=np.ascontiguousarray(track[kept, :2]),
        rider_ptr=np.array([0, len(none)]),
        pseudonyms=("driver",),
        platform=none,
        platforms=("car",),
        event=none,
    )


def main(arguments: list[str]) -> int:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tracks", type=Path)
    parser.add_argument("--maps", type=int, default=50)
    parser.add_argument("--step", type=int, default=10, help="seconds between positions: 1, 10 or 30")
    asked = parser.parse_args(arguments)
    # Cars are faster than what may be promised of an e-bike.
    ridden.FASTEST_MPS = 50.0
    drives: list[tuple[float, float, np.ndarray, np.ndarray, np.ndarray]] = []
    with tempfile.TemporaryDirectory() as folder:
        for one in kubicka_maps(asked.tracks, Path(folder), asked.maps):
            (track,) = one.cases[f"kubicka-{asked.step}s"][1]
            traces = trace_of(track.trace)
            found = traversals(one.network, traces, MatchOptions(mode=MODE))
            rides = rides_of(one.network, MODE, found, find_stay_points(traces), "UTC")
            if not len(rides.row):
                continue
            middle_s = float(traces.t_s[[0, -1]].mean())
            seen = rides.take(rides.enter_s + rides.took_s < middle_s)
            trips = trips_of(rides.take(rides.enter_s >= middle_s))
            late = rides.take(rides.enter_s >= middle_s)
            if not len(seen.row) or not len(trips.first):
                continue
            times = learn_times(one.network, seen)
            learned_s = trips.total(late.plain_s * times.of_rides(late.directed, late.hour))
            plain_s = trips.total(late.plain_s)
            drives.append(
                (float(seen.took_s.sum()), float(seen.plain_s.sum()), trips.took_s, plain_s, learned_s)
            )
    took, plain = (np.array([one[at] for one in drives]) for at in (0, 1))
    wrong: dict[str, list[float]] = {"one speed": [], "one factor of the others": [], "learned": []}
    for at, (_, _, took_s, plain_s, learned_s) in enumerate(drives):
        others = np.arange(len(drives)) != at
        factor = float(took[others].sum() / plain[others].sum())
        expected = {"one speed": plain_s, "one factor of the others": plain_s * factor, "learned": learned_s}
        for name, expected_s in expected.items():
            wrong[name] += np.abs(expected_s / took_s - 1.0).tolist()
    medians = {name: round(float(np.median(some)), 4) for name, some in wrong.items()}
    print(json.dumps({"drives": len(drives), "trips": len(wrong["learned"]), "median_error": medians}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
