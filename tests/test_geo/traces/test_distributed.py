"""A cluster gives what one process gives: traces, stays, refused rows, accounts."""

import pickle
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from trace_parts import concat_stays

from geo.errors import InputError
from geo.stays import find_stay_points
from geo.traces.distributed import Cluster, map_traces_on
from geo.traces.read import TraceFormat, Traces, concat_traces, map_traces
from geo.traces.rows.riders import Pseudonyms

KEY = bytes(range(20))


class Elsewhere:
    """Stands for a cluster: every call and every answer goes through pickle, calls in any order.

    A scheduler may print the arguments of a call, so they must not show the key.
    """

    def map(self, func: Callable[..., Any], *iterables: Iterable[Any], **kwargs: Any) -> list[bytes]:  # noqa: ANN401
        assert repr(KEY)[2:-1] not in repr((iterables, kwargs))
        calls = [pickle.dumps((func, arguments, kwargs)) for arguments in zip(*iterables, strict=True)]
        answers: dict[int, bytes] = {}
        for k in np.random.default_rng(len(calls)).permutation(len(calls)).tolist():
            call, arguments, words = pickle.loads(calls[k])  # noqa: S301 - written a line above
            answers[k] = pickle.dumps(call(*arguments, **words))
        return [answers[k] for k in range(len(calls))]

    def gather(self, futures: list[bytes]) -> list[Any]:
        return [pickle.loads(future) for future in futures]  # noqa: S301


def whole(traces: Traces) -> Traces:
    return traces


def write_days(folder: Path) -> Path:
    """Two platform files of a day each, riders in both, some rows wrong."""
    rng = np.random.default_rng(4)
    for day in range(2):
        columns: dict[str, list[Any]] = {
            name: [] for name in ("rider_id", "time", "lon", "lat", "event", "platform")
        }
        for rider in range(20):
            at = np.array([116.3, 39.98]) + np.cumsum(
                rng.normal(0, 1e-4, (80, 2)) * (rng.random((80, 1)) < 0.5), axis=0
            )
            at[5] += 0.3
            columns["rider_id"] += [f"R{rider}"] * 80
            columns["time"] += [1_772_400_000 + 86_400 * day + 20 * k for k in range(80)]
            columns["lon"] += at[:, 0].tolist()
            columns["lat"] += at[:, 1].tolist()
            columns["event"] += ["picked_up" if k % 40 == 7 + day else "" for k in range(80)]
            columns["platform"] += ["blue" if rider % 2 else "yellow"] * 80
        table = pa.table(columns).take(pa.array(rng.permutation(1600)))
        pq.write_table(table, folder / f"day{day}.parquet", row_group_size=300)
    lines = "rider_id,time,lon,lat,event,platform\nR3,1772400007,116.3,39.98,,blue\nR3,never,1,2,,blue\nR3\n"
    (folder / "late.csv").write_text(lines, encoding="utf-8")
    return folder


@pytest.mark.parametrize("rotate", ["study", "day"])
def test_a_cluster_gives_the_same(tmp_path: Path, rotate: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import geo.traces.distributed

    monkeypatch.setattr(geo.traces.distributed, "_ROWS_A_TASK", 500)
    source = tmp_path / "in"
    source.mkdir()
    write_days(source)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    trace_format = TraceFormat(datum="gcj02", timezone="Asia/Shanghai")
    bounds = (116.0, 39.5, 116.7, 40.5)
    names = Pseudonyms(KEY, rotate)
    here = map_traces(
        source, trace_format, whole, pseudonyms=names, bounds=bounds, rejects=tmp_path / "here.csv"
    )
    there = map_traces_on(
        Cluster(Elsewhere(), scratch, 7), source, trace_format, whole, pseudonyms=names, bounds=bounds,
        rejects=tmp_path / "there.csv",
    )  # fmt: skip
    a, b = concat_traces(here.values), concat_traces(there.values)
    for field in fields(a):
        np.testing.assert_array_equal(getattr(a, field.name), getattr(b, field.name), field.name)
    assert here.accounts == there.accounts
    lines = [
        sorted((tmp_path / name).read_text("utf-8-sig").splitlines()) for name in ("here.csv", "there.csv")
    ]
    assert lines[0] == lines[1]
    assert not any("R3" in path.read_text("latin-1") for path in scratch.iterdir()), (
        "no raw id on shared disk"
    )
    stays = concat_stays([find_stay_points(part) for part in there.values])
    np.testing.assert_array_equal(stays.start_s, find_stay_points(a).start_s)
    np.testing.assert_array_equal(stays.signs, find_stay_points(a).signs)


def test_shares_out_of_range_and_broken_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1")
    trace_format = TraceFormat(datum="wgs84")
    with pytest.raises(InputError, match="broken"):
        map_traces_on(Cluster(Elsewhere(), tmp_path), path, trace_format, whole, pseudonyms=Pseudonyms(KEY))
    with pytest.raises(InputError, match="1 to 4096"):
        map_traces_on(
            Cluster(Elsewhere(), tmp_path, 0), path, trace_format, whole, pseudonyms=Pseudonyms(KEY)
        )
