"""Delimited text: numbers read as numbers are those read as text and then turned into numbers."""

import io
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.localtime import zone
from geo.traces.files.batches import as_numbers
from geo.traces.files.tables.delimited import CsvTable
from geo.traces.formats import TraceFormat
from geo.traces.instants import ArrowArray, ArrowType, epoch_seconds

FORMAT = TraceFormat(datum="wgs84", timezone="Asia/Shanghai")
GOOD = st.decimals(-180, 180, places=6, allow_nan=False).map(str)
ODD = st.sampled_from(
    (
        "",
        " 116.3 ",
        '"116,3"',
        '"=""116.3"""',
        "nan",
        "NULL",
        "inf",
        "1e2",
        "+116.3",
        ".5",
        "116.",
        "1.2.3",
        "116,3",
        '"116.3',
    )
)
TIMES = st.one_of(
    st.integers(1_700_000_000, 1_800_000_000).map(str),
    st.integers(1_700_000_000, 1_800_000_000).map(str),
    st.sampled_from(
        ("1772400000123", "20260302080530", "2026-03-02 08:05:30", "1772400000.9", "", "abc", '"1772400000"',
         '"1772\n400000"', "-5", "0177240000", "99999999999999999999")
    ),
)  # fmt: skip
LINES = st.lists(
    st.one_of(
        st.tuples(GOOD, GOOD).map(",".join),
        st.tuples(GOOD | ODD, GOOD | ODD).map(",".join),
        st.sampled_from(("", "  ", ",,,,,", "1,2,3,4,5,6", '"a\nb"')),
    ),
    max_size=12,
)


def finite(values: ArrowArray) -> list[float | None]:
    """What is not finite is no position, however it is spelled."""
    return [x if np.isfinite(x) else None for x in as_numbers(values).tolist()]


def seconds(values: ArrowArray) -> list[tuple[int, int]]:
    """Epoch seconds and codes, whatever the times came as."""
    t_s, code = epoch_seconds(values, unit="auto", where=zone("Asia/Shanghai"), year=None, file="a.csv")
    return list(zip(t_s.tolist(), code.tolist(), strict=True))


def read(text: str, numbers: Mapping[int, ArrowType]) -> tuple[list[list[object]], list[int], list[int]]:
    table = CsvTable(io.BytesIO(text.encode()), "a.csv", FORMAT)
    columns: list[list[object]] = [[] for _ in range(4)]
    rows: list[int] = []
    lost: list[int] = []
    for chunk in table.chunks(range(4), numbers):
        for at, values in chunk.columns.items():
            columns[at] += finite(values) if at > 1 else seconds(values) if at == 1 else values.to_pylist()
        rows += chunk.row.tolist()
        lost += chunk.lost
    return columns, rows, lost


@settings(max_examples=150, deadline=None, derandomize=True)
@given(lines=LINES, times=st.lists(TIMES, min_size=12, max_size=12))
def test_numbers_are_those_of_the_text(lines: list[str], times: list[str]) -> None:
    text = "rider_id,time,lon,lat\n" + "".join(
        f"r{k},{times[k]},{line}\n" if line else "\n" for k, line in enumerate(lines)
    )
    assert read(text, {1: pa.int64(), 2: pa.float64(), 3: pa.float64()}) == read(text, {})


def test_a_file_of_odd_numbers_is_not_read_twice_for_ever() -> None:
    line = 'a,1,"116,3","39,9"\n'
    table = CsvTable(io.BytesIO(("rider_id,time,lon,lat\n" + line * 40).encode()), "a.csv", FORMAT)
    table._blocks = iter([line.encode()] * 20)
    assert sum(len(chunk.row) for chunk in table.chunks(range(4), {2: pa.float64(), 3: pa.float64()})) == 60
    assert table._tried < 10
    assert not table._numbers
