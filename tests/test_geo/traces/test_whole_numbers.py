"""Parquet files by time: riders named by whole numbers, and memory that does not grow with the file."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geo.traces import TraceFormat, read_traces
from geo.traces.files.readers import read_batches
from geo.traces.formats import NumberIds

T0 = 1_772_400_000
FORMAT = TraceFormat(datum="wgs84", timezone="Asia/Shanghai")
KEY = bytes(range(16))


def table(ids: pa.Array, steps: range) -> pa.Table:
    """One row a rider and step, by time; riders stand apart."""
    riders, n = len(ids), len(ids) * len(steps)
    columns = {
        "rider_id": pa.concat_arrays([ids] * len(steps)),
        "time": pa.array(np.repeat(T0 + 5 * np.array(steps), riders)),
        "lon": pa.array(116.3 + np.tile(np.arange(riders), len(steps)) * 1e-3),
        "lat": pa.array(np.full(n, 39.9)),
    }
    return pa.table(columns)


@pytest.mark.parametrize("kind", [pa.int32(), pa.int64(), pa.uint16(), pa.string()])
def test_a_rider_is_the_same_whether_the_id_is_a_number_or_a_text(tmp_path: Path, kind: pa.DataType) -> None:
    names = [7, 1001, 12]
    pq.write_table(table(pa.array([str(name) for name in names]), range(10)), tmp_path / "a.parquet")
    pq.write_table(table(pa.array(names).cast(kind), range(10, 20)), tmp_path / "b.parquet")
    both = read_traces([tmp_path / "a.parquet", tmp_path / "b.parquet"], FORMAT, key=KEY).traces
    assert (len(both.pseudonyms), len(both)) == (3, 60)
    assert np.diff(both.rider_ptr).tolist() == [20, 20, 20]


def test_ids_that_are_numbers_are_texts_when_looked_at(tmp_path: Path) -> None:
    ids = NumberIds(np.array([7, -3, 2**40]))
    assert (list(ids), ids[1], len(ids), "7" in ids, "8" in ids) == (
        ["7", "-3", str(2**40)],
        "-3",
        3,
        True,
        False,
    )
    assert list(ids[1:]) == ["-3", str(2**40)]
    path = tmp_path / "1001.parquet"
    pq.write_table(table(pa.array([1001]), range(3)), path)
    account = read_traces(path, FORMAT, key=KEY).accounts[0]
    assert account.file == "file 1.parquet", "the name of the file is that of a rider"


def test_what_was_read_is_let_go(tmp_path: Path) -> None:
    """Buffering ahead, pyarrow keeps all that was ever read of a file until it is closed."""
    path = tmp_path / "many.parquet"
    rng = np.random.default_rng(1)
    with pq.ParquetWriter(path, table(pa.array([1]), range(1)).schema) as out:
        for _ in range(20):
            n = 100_000
            noise = [pa.array(rng.uniform(30, 31, n)) for _ in "xy"]
            out.write_table(pa.table([pa.array(np.arange(n)), pa.array(np.full(n, T0)), *noise], out.schema))
    most = 0
    before = pa.total_allocated_bytes()
    for batch in read_batches(path, FORMAT):
        most = max(most, pa.total_allocated_bytes() - before)
        del batch
    # Half of it as a rule, more where a block ahead comes early; all of it when buffering.
    assert most < path.stat().st_size * 0.8
