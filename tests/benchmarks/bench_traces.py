"""Traces: stay points next to peers, files of 50 M points end to end, a cluster, kinds of stays."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import stay_quality
from harness import Row, compare, skipped, value
from numpy.typing import NDArray

from geo.earth import DEGREE_M
from geo.stays import KINDS, find_stay_points
from geo.traces.read import Traces

__all__ = ["run"]

BENCH = "traces"
HERE = Path(__file__).resolve().parent
T0 = 1_772_400_000
STEP_S = 5
POINTS_A_RIDER = 2_000
#: The parameters of every subject: metres, and minutes of stay and gap.
RADIUS_M, STAY_MIN, GAP_MIN = 60.0, 3, 10
ORIGIN = (121.47, 31.23)


def run(quick: bool) -> list[Row]:
    """Measure; `quick` takes few points and one held-out city, to see that all works."""
    rows: list[Row] = []
    parts: tuple[tuple[str, Callable[[], Iterator[Row]]], ...] = (
        ("stay points", lambda: _stay_points(quick)),
        ("files end to end", lambda: _end_to_end(2_000_000 if quick else 50_000_000, 1 if quick else 3)),
        ("kinds of stays", lambda: _quality(quick)),
    )
    for name, part in parts:
        start = time.perf_counter()
        rows += part()
        print(f"{name}: {time.perf_counter() - start:.0f} s")
    return rows


def make_walk(riders: int, seed: int = 0) -> tuple[Traces, NDArray[np.bool_]]:
    """Riders between 200 hubs: dwells of 2-20 min or 30-100 s, 4.5 m/s between, noise of 6 m; and the truth.

    The truth marks the points of dwells of at least 3 min.
    """
    rng = np.random.default_rng(seed)
    n = POINTS_A_RIDER
    xy, stands = np.empty((riders * n, 2)), np.zeros(riders * n, np.bool_)
    hubs = rng.uniform(-8000, 8000, (200, 2))
    for r in range(riders):
        at, i, first = hubs[rng.integers(200)] + rng.normal(0, 15, 2), 0, r * n
        while i < n:
            dwell = int(rng.integers(24, 240)) if rng.random() < 0.75 else int(rng.integers(6, 20))
            k = min(n - i, dwell)
            xy[first + i : first + i + k] = at
            stands[first + i : first + i + k] = k * STEP_S >= 60 * STAY_MIN
            i += k
            to = hubs[rng.integers(200)] + rng.normal(0, 15, 2)
            away = max(1.0, float(np.hypot(*(to - at))))
            to = at + (to - at) * min(1.0, 3500.0 / away)
            steps = max(1, int(min(away, 3500.0) / 4.5 / STEP_S))
            k = min(n - i, steps)
            xy[first + i : first + i + k] = at + (to - at) * ((np.arange(k) + 1) / steps)[:, None]
            i += k
            at = to
    xy += rng.normal(0, 6, xy.shape)
    scale = np.array([DEGREE_M * np.cos(np.radians(ORIGIN[1])), DEGREE_M])
    count = riders * n
    traces = Traces(
        rider=np.repeat(np.arange(riders, dtype=np.int32), n),
        t_s=np.tile(T0 + STEP_S * np.arange(n), riders),
        lonlat=np.array(ORIGIN) + xy / scale,
        rider_ptr=np.arange(0, count + 1, n),
        pseudonyms=tuple(f"r{k:05d}" for k in range(riders)),
        platform=np.zeros(count, np.int16),
        platforms=("",),
        event=np.zeros(count, np.int16),
    )
    return traces, stands


def ours(traces: Traces) -> NDArray[np.bool_]:
    """Mark the points inside our stays."""
    stays = find_stay_points(traces, RADIUS_M, 60 * STAY_MIN, 60 * GAP_MIN, max_silence_s=0)
    inside = np.zeros(len(traces) + 1, np.int64)
    base = traces.rider_ptr[stays.rider]
    np.add.at(inside, base + (stays.start_s - T0) // STEP_S, 1)
    np.add.at(inside, base + (stays.end_s - T0) // STEP_S + 1, -1)
    return np.cumsum(inside[:-1]) > 0


def trackintel_of(traces: Traces) -> tuple[Callable[[], object], Callable[[], NDArray[np.bool_]]]:
    """Return trackintel's call on its own kind of table, and the points that it marks."""
    import geopandas as gpd
    import pandas as pd
    import trackintel as ti

    frame = pd.DataFrame(
        {"user_id": traces.rider, "tracked_at": pd.to_datetime(traces.t_s, unit="s", utc=True)}
    )
    points = gpd.points_from_xy(traces.lonlat[:, 0], traces.lonlat[:, 1])
    fixes = ti.Positionfixes(gpd.GeoDataFrame(frame, geometry=points, crs=4326).rename_geometry("geom"))

    def call() -> tuple[pd.DataFrame, object]:
        marked, stays = fixes.generate_staypoints(
            method="sliding", dist_threshold=RADIUS_M, time_threshold=STAY_MIN, gap_threshold=GAP_MIN,
            n_jobs=1, include_last=True,
        )  # fmt: skip
        return marked, stays

    return call, lambda: np.asarray(call()[0].staypoint_id.notna())


def movingpandas_of(traces: Traces) -> tuple[Callable[[], object], Callable[[], NDArray[np.bool_]]]:
    """Return movingpandas' call on its own kind of table, and the points that it marks."""
    import movingpandas as mpd
    import pandas as pd

    frame = pd.DataFrame({
        "rider": traces.rider, "t": pd.to_datetime(traces.t_s, unit="s"),
        "lon": traces.lonlat[:, 0], "lat": traces.lonlat[:, 1],
    })  # fmt: skip
    collection = mpd.TrajectoryCollection(frame, "rider", t="t", x="lon", y="lat")

    def call() -> pd.DataFrame:
        detector = mpd.TrajectoryStopDetector(collection)
        stops: pd.DataFrame = detector.get_stop_points(
            max_diameter=RADIUS_M, min_duration=pd.Timedelta(minutes=STAY_MIN)
        )
        return stops

    def mark() -> NDArray[np.bool_]:
        inside = np.zeros(len(traces), np.bool_)
        for rider, start, end in call()[["traj_id", "start_time", "end_time"]].itertuples(index=False):
            first = traces.rider_ptr[int(rider)]
            a, b = (int(moment.tz_localize("UTC").timestamp()) - T0 for moment in (start, end))
            inside[first + a // STEP_S : first + b // STEP_S + 1] = True
        return inside

    return call, mark


def _scores(case: str, subject: str, truth: NDArray[np.bool_], marked: NDArray[np.bool_]) -> Iterator[Row]:
    both = float((truth & marked).sum())
    yield value(BENCH, case, subject, "precision", "share of points", [both / max(1, marked.sum())])
    yield value(BENCH, case, subject, "recall", "share of points", [both / max(1, truth.sum())])


def _stay_points(quick: bool) -> Iterator[Row]:
    """Each peer on the same points as ours, with the same radius, shortest stay and gap; one core."""
    peers = (
        ("trackintel", trackintel_of, 10 if quick else 30),
        ("movingpandas", movingpandas_of, 2 if quick else 4),
    )
    for peer, prepare, riders in peers:
        traces, truth = make_walk(riders)
        case = f"stay points, {len(traces):,} points"
        if find_spec(peer) is None:
            yield skipped(BENCH, case, peer, "not installed (extra bench)")
            continue
        call, mark = prepare(traces)
        subjects: dict[str, Callable[[], object]] = {"yilu": lambda traces=traces: _found(traces), peer: call}  # type: ignore[misc]
        yield from compare(BENCH, case, subjects, metric="time a point", unit="us", scale=1e6 / len(traces))
        yield from _scores(case, "yilu", truth, ours(traces))
        yield from _scores(case, peer, truth, mark())
    traces, truth = make_walk(100 if quick else 2_500)
    case = f"stay points, {len(traces):,} points"
    yield from compare(
        BENCH,
        case,
        {"yilu": lambda: _found(traces)},
        metric="time a point",
        unit="us",
        scale=1e6 / len(traces),
    )
    yield from _scores(case, "yilu", truth, ours(traces))


def _found(traces: Traces) -> object:
    return find_stay_points(traces, RADIUS_M, 60 * STAY_MIN, 60 * GAP_MIN, max_silence_s=0)


def write_files(folder: Path, points: int) -> tuple[Path, Path]:
    """Write the same points by rider, and by time (riders interleaved)."""
    riders = points // POINTS_A_RIDER
    by_rider, by_time = folder / "by-rider.parquet", folder / "by-time.parquet"
    walk, _ = make_walk(min(riders, 500), seed=5)
    schema = pa.schema(
        [("rider_id", pa.int32()), ("time", pa.int64()), ("lon", pa.float64()), ("lat", pa.float64())]
    )
    lonlat = np.round(walk.lonlat, 6).reshape(-1, POINTS_A_RIDER, 2)
    with pq.ParquetWriter(by_rider, schema, compression="zstd") as out:
        for first in range(0, riders, len(lonlat)):
            k = min(len(lonlat), riders - first)
            ids = np.repeat(np.arange(first, first + k, dtype=np.int32), POINTS_A_RIDER)
            time = np.tile(walk.t_s[:POINTS_A_RIDER], k)
            shifted = lonlat[:k].reshape(-1, 2) + np.array([0.0001 * (first % 97), 0.0])
            out.write_table(pa.table([ids, time, shifted[:, 0], shifted[:, 1]], schema=schema))
    everybody = np.arange(riders)
    with pq.ParquetWriter(by_time, schema, compression="zstd") as out:
        for start in range(0, POINTS_A_RIDER, 20):
            rows = np.arange(start, start + 20)
            which, step = np.tile(everybody, len(rows)), np.repeat(rows, riders)
            at = lonlat[which % len(lonlat), step]
            lon = at[:, 0] + 0.0001 * ((which // len(lonlat) * len(lonlat)) % 97)
            columns = [which.astype(np.int32), T0 + STEP_S * step, lon, at[:, 1]]
            out.write_table(pa.table(columns, schema=schema))
    return by_rider, by_time


def _worker(path: Path, *words: str) -> dict[str, float | str]:
    return _said_by("trace_worker.py", str(path), *words)


def _said_by(script: str, *words: str) -> dict[str, float | str]:
    done = subprocess.run(
        [sys.executable, str(HERE / script), *words],
        check=True,
        capture_output=True,
        text=True,
    )
    said: dict[str, float | str] = json.loads(done.stdout.strip().splitlines()[-1])
    return said


def _end_to_end(points: int, rounds: int) -> Iterator[Row]:
    """Parquet to stay points: reading, checks, cleaning, stays; each run in a fresh process."""
    with tempfile.TemporaryDirectory(prefix="yilu-bench-") as folder:
        by_rider, by_time = write_files(Path(folder), points)
        cases = (
            ("by rider", by_rider, ()),
            ("by time", by_time, ()),
            ("by rider, cluster of 2", by_rider, ("cluster",)),
        )
        said: dict[str, list[dict[str, float | str]]] = {name: [] for name, _, _ in cases}
        for round_ in range(rounds):
            for name, path, words in cases:
                if round_ == 0 or not words:
                    # A cluster takes longest to start, and what it says of itself hardly differs.
                    said[name].append(_worker(path, *words))
        first = said["by rider"][0]["digest"]
        for name, runs in said.items():
            case = f"Parquet to stay points, {points:,} points, {name}"
            speeds = [float(run["points"]) / float(run["seconds"]) / 1e6 for run in runs]
            yield value(BENCH, case, "yilu", "speed", "M points/s", speeds)
            if "cluster" not in name:
                busy = [float(run["points"]) / float(run["cpu_seconds"]) / 1e6 for run in runs]
                yield value(BENCH, case, "yilu", "speed a core", "M points/CPU s", busy)
                memory = [float(run["gigabytes"]) for run in runs]
                yield value(BENCH, case, "yilu", "peak memory", "GB", memory)
            same = [float(run["digest"] == first) for run in runs]
            yield value(BENCH, case, "yilu", "same result as by rider", "share of runs", same)
        yield from _sorted_by_peers(by_time, points)
        for size in (points // 12, points // 3):
            yield from _csv(Path(folder), by_rider, size // POINTS_A_RIDER * POINTS_A_RIDER, rounds + 2)


def write_csv(by_rider: Path, files: dict[str, Path], points: int) -> None:
    """Write the first points as CSV; and again with ten lines in a million that are broken or quoted."""
    plain, odd = files.values()
    columns = pq.ParquetFile(by_rider).iter_batches(batch_size=200_000)
    with pacsv.CSVWriter(plain, pq.read_schema(by_rider)) as out:
        left = points
        while left:
            batch = next(columns).slice(0, left)
            out.write_batch(batch)
            left -= len(batch)
    step = 0
    with plain.open("rb") as lines, odd.open("wb") as out:
        for number, line in enumerate(lines):
            if number % 100_000 == 50_000:
                line = ODD_LINES[step % len(ODD_LINES)](line)
                step += 1
            out.write(line)


#: What happens to lines of exported tables: quoted, a field short or too many, no number, left blank.
ODD_LINES: tuple[Callable[[bytes], bytes], ...] = (
    lambda line: b'"' + line.replace(b",", b'","').rstrip() + b'"\n',
    lambda line: line.rpartition(b",")[0] + b"\n",
    lambda line: line.rstrip() + b",x,y\n",
    lambda line: line.rpartition(b",")[0] + b",abc\n",
    lambda line: b"\n" + line,
)


def _csv(folder: Path, by_rider: Path, points: int, rounds: int) -> Iterator[Row]:
    """CSV to stay points, plain and with odd lines, in turn."""
    files = {"plain": folder / "plain.csv", "ten odd lines in a million": folder / "odd.csv"}
    write_csv(by_rider, files, points)
    said: dict[str, list[dict[str, float | str]]] = {name: [] for name in files}
    for _ in range(rounds):
        for name, path in files.items():
            said[name].append(_worker(path))
    for name, runs in said.items():
        case = f"CSV to stay points, {points:,} points, {name}"
        speeds = [float(run["points"]) / float(run["seconds"]) / 1e6 for run in runs]
        yield value(BENCH, case, "yilu", "speed", "M points/s", speeds)
        busy = [float(run["points"]) / float(run["cpu_seconds"]) / 1e6 for run in runs]
        yield value(BENCH, case, "yilu", "speed a core", "M points/CPU s", busy)


def _sorted_by_peers(by_time: Path, points: int) -> Iterator[Row]:
    """What it takes a peer to put the unsorted rows in order only, without checks and stays."""
    case = f"Parquet to rows by rider, {points:,} points, by time"
    for peer in ("duckdb", "polars"):
        if find_spec(peer) is None:
            yield skipped(BENCH, case, peer, "not installed (extra bench)")
            continue
        runs = [_said_by("sort_peers.py", peer, str(by_time))]
        for metric, unit, key in (
            ("speed", "M points/s", "seconds"), ("speed a core", "M points/CPU s", "cpu_seconds"),
        ):  # fmt: skip
            yield value(BENCH, case, peer, metric, unit, [points / float(r[key]) / 1e6 for r in runs])
        yield value(BENCH, case, peer, "peak memory", "GB", [float(r["gigabytes"]) for r in runs])


def _quality(quick: bool) -> Iterator[Row]:
    """Kinds of stays against the truth of held-out cities and days; on foot or driving against GOAL."""
    if not stay_quality.SHARED.is_dir():
        yield skipped(BENCH, "kinds of stays", "yilu", "../shared/data is not there")
        return
    for case in stay_quality.HELD_OUT[: 1 if quick else None]:
        quality = stay_quality.quality_of(case, 40 if quick else 100, 2 if quick else 3)
        name = f"kinds of stays, {case.city}, {case.interval_s} s, no order events"
        print(f"{name}\n{stay_quality.table(quality.matrix, (*KINDS, 'nothing'), KINDS)}")
        yield value(BENCH, name, "yilu", "rest precision", "share of stays", [quality.rest_precision])
        yield value(BENCH, name, "yilu", "rest recall", "share of rests", [quality.rest_recall])
        yield value(BENCH, name, "yilu", "kind predicted right", "share of stays", [quality.accuracy])
    matrix = stay_quality.goal_matrix()
    print(f"GOAL, odd trajectories\n{stay_quality.table(matrix, stay_quality.FEET, stay_quality.FEET)}")
    right = float(np.trace(matrix) / matrix.sum())
    yield value(
        BENCH,
        "GOAL, odd trajectories",
        "yilu",
        "foot or driving predicted right",
        "share of points",
        [right],
    )
