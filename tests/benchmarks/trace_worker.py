"""Reads one file of traces to stay points in a process of its own; says how long and with how much memory.

Started by bench_traces: ``python trace_worker.py FILE [cluster]``; prints one line of JSON.
"""

import hashlib
import importlib
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

from trace_parts import concat_stays

from geo.stays import StayPoints, find_stay_points
from geo.traces.distributed import Cluster, map_traces_on
from geo.traces.read import Mapped, TraceFormat, Traces, map_traces
from geo.traces.rows.riders import Pseudonyms

KEY = bytes(range(16))
FORMAT = TraceFormat(datum="wgs84", timezone="Asia/Shanghai")


def stays_of(traces: Traces) -> StayPoints:
    """Find stay points with the parameters of the comparison."""
    return find_stay_points(traces, radius_m=60.0, min_stay_s=180, max_gap_s=600, max_silence_s=0)


def on_cluster(path: Path) -> Mapped[StayPoints]:
    """Read on two worker processes of a local cluster."""
    distributed = importlib.import_module("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
        tempfile.TemporaryDirectory() as folder,
    ):
        client.gather(client.map(_warm_up, range(8), pure=False))
        start = time.perf_counter()
        mapped = map_traces_on(
            Cluster(client, Path(folder)), path, FORMAT, stays_of, pseudonyms=Pseudonyms(KEY)
        )
        _say(mapped, time.perf_counter() - start)
        return mapped


def _warm_up(number: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        _one_process(_tiny(Path(folder)))
    return number


def _tiny(folder: Path) -> Path:
    path = folder / f"tiny{np.random.default_rng().integers(10**9)}.csv"
    rows = "".join(f"a,{1_772_400_000 + 5 * k},116.3,39.98\n" for k in range(100))
    path.write_text("rider_id,time,lon,lat\n" + rows, encoding="utf-8")
    return path


def _one_process(path: Path) -> tuple[Mapped[StayPoints], float, float]:
    start, busy = time.perf_counter(), time.process_time()
    mapped = map_traces(path, FORMAT, stays_of, pseudonyms=Pseudonyms(KEY))
    return mapped, time.perf_counter() - start, time.process_time() - busy


def _say(mapped: Mapped[StayPoints], seconds: float, cpu_seconds: float = 0.0) -> None:
    stays = concat_stays(mapped.values)
    digest = hashlib.sha256()
    for column in (stays.rider, stays.start_s, stays.end_s, stays.lonlat, stays.n_points, stays.signs):
        digest.update(np.ascontiguousarray(column).tobytes())
    digest.update("".join(stays.pseudonyms).encode())
    account = mapped.accounts[0]
    said = {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "points": account.read,
        "accepted": account.accepted,
        "rejected": sum(account.rejected.values()),
        "stays": len(stays),
        "digest": digest.hexdigest(),
        "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }
    sys.stdout.write(json.dumps(said) + "\n")


def main() -> None:
    """Do what the command line says."""
    path = Path(sys.argv[1])
    if sys.argv[2:] == ["cluster"]:
        on_cluster(path)
        return
    _warm_up(0)
    _say(*_one_process(path))


if __name__ == "__main__":
    main()
