"""Delimited text: numbers read as numbers are those read as text and then turned into numbers."""

import io
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.localtime import zone
from geo.traces.files.batches import as_numbers
from geo.traces.files.tables import delimited, lines
from geo.traces.files.tables.delimited import CsvTable
from geo.traces.files.tables.lines import _numbers_of, fields_of
from geo.traces.files.text import utf8_blocks
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


def test_a_file_of_odd_numbers_is_not_read_twice_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_PIECE_BYTES", 40)
    content = "rider_id;time;lon;lat\n" + "a;1;116,3;39,9\n" * 100
    table = CsvTable(io.BytesIO(content.encode()), "a.csv", FORMAT)
    assert sum(len(chunk.row) for chunk in table.chunks(range(4), {2: pa.float64(), 3: pa.float64()})) == 100
    assert not table._lines.numbers


def slowly(text: str) -> tuple[list[list[str]], list[int], list[int]]:
    """Read line by line: records of four fields, their numbers, and those of lines that are none."""
    lines = text.split("\n")[1:]
    odd = [line.count('"') % 2 == 1 for line in lines]
    rows, numbers, lost, i, number = [], [], [], 0, 0
    while i < len(lines):
        ends = [k for k in range(i + 1, len(lines)) if odd[k]]
        record, used = four(lines[i]), 1
        if odd[i] and ends:
            goes_on = (fields_of(lines[i] + ",.", ",") or [""])[-1] != "."
            joined = four("\n".join(lines[i : ends[0] + 1]))
            if joined and (record is None or (goes_on and four(lines[ends[0]]) is None)):
                record, used = joined, ends[0] + 1 - i
        number += 1
        if record:
            rows.append(record)
            numbers.append(number)
        elif lines[i].strip():
            lost.append(number)
        i += used
    return rows, numbers, lost


def four(line: str) -> list[str] | None:
    fields = fields_of(line, ",") or []
    blank = not any(f.strip() for f in fields[4:])
    return fields[:4] if line and len(fields) >= 4 and blank else None


PLACES = st.one_of(GOOD, GOOD, GOOD, GOOD, ODD)
ROWS = st.lists(
    st.one_of(
        *[st.tuples(st.sampled_from(("r1", "r2", '"r3"')), TIMES, GOOD, GOOD).map(",".join)] * 4,
        st.tuples(st.sampled_from(("r1", "", 'r"5', '"r\n6"')), TIMES, PLACES, PLACES).map(",".join),
        st.sampled_from(
            ("", "  ", ",,,", "1,2,3", "r,1,2,3,,", "r,1,2,3,x", '"', 'x"y,"z', 'x"y,"z,"', '"a,b')
        ),
    ),
    min_size=1, max_size=40,
)  # fmt: skip


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    rows=ROWS, piece=st.sampled_from((30, 64, 150)), block=st.sampled_from((200, 10**6)), few=st.booleans()
)
def test_pieces_give_the_rows_of_a_plain_reader(rows: list[str], piece: int, block: int, few: bool) -> None:
    text = "\n".join(["rider_id,time,lon,lat", *["r0,1772400000,116.3,39.9"] * 2, *rows, ""])
    expected, numbers, lost = slowly(text)
    with pytest.MonkeyPatch.context() as patch:
        for name, size in {"PIECE_BYTES": piece, "QUOTED_BYTES": 2 * piece, "STEP_BYTES": 100}.items():
            patch.setattr(lines, f"_{name}", size)
        if not few:
            for name in ("FEW_QUOTED", "FEW_QUOTES", "FEW_ODD", "FEW_GAPS"):
                patch.setattr(delimited, f"_{name}", 0)
        patch.setattr(delimited, "utf8_blocks", lambda s, d: utf8_blocks(s, d, block_bytes=block))
        ours, ours_numbers, ours_lost = read(text, {1: pa.int64(), 2: pa.float64(), 3: pa.float64()})
    assert (ours_numbers, sorted(ours_lost)) == (numbers, lost)
    columns = [pa.array([row[k] for row in expected], pa.string()) for k in range(4)]
    assert ours == [columns[0].to_pylist(), seconds(columns[1]), finite(columns[2]), finite(columns[3])]


@pytest.mark.parametrize(
    "texts",
    [
        ["abc"],
        ["12.5"],
        ["-0.25", ""],
        ["inf"],
        ["nan"],
        ["N"],
        ["1e3"],
        ["12,5"],
        ['="7"'],
        ["1_0"],
        ["+3"],
        ["x", "1"],
    ],
)
def test_a_few_texts_are_the_numbers_that_many_are(texts: list[str]) -> None:
    column = pa.array(texts, pa.string())
    np.testing.assert_array_equal(_numbers_of(column), as_numbers(column))
