"""Rows in any order come out rider by rider: spilled, held, or handed over as they come."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trace_layouts import KEY, form

from geo.traces.files.batches import _as_codes
from geo.traces.read import map_traces
from geo.traces.rows import grouping
from geo.traces.rows.grouping import (
    ComesBackError,
    read_partition,
    rider_by_rider,
    spilled_partitions,
    write_partitions,
)
from geo.traces.rows.ingest import Block
from geo.traces.rows.riders import Pseudonyms, RiderTable


def block_of(units: list[int], first: int = 0) -> Block:
    n = len(units)
    row = np.arange(first, first + n)
    return Block(
        np.array(units, np.int32),
        1_772_400_000 + row.astype(np.int64),
        np.column_stack([116.3 + row * 1e-6, 39.9 - row * 1e-6]),
        (row % 3).astype(np.int16),
        row.astype(np.int64),
    )


def riders_of(count: int) -> RiderTable:
    table = RiderTable()
    table.pseudonym = [f"{k * 7919 % 65536:024x}" for k in range(count)]
    return table


def rows(blocks: list[Block]) -> list[tuple[object, ...]]:
    joined = Block.join(blocks)
    columns = (joined.unit, joined.t_s, joined.lonlat[:, 0], joined.lonlat[:, 1], joined.event, joined.source)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.lists(st.integers(0, 30), max_size=40), min_size=1, max_size=4), st.integers(1, 9))
def test_partitions_hold_every_row_once_rider_by_rider_in_its_order(
    tmp_path_factory: pytest.TempPathFactory, units: list[list[int]], shares: int
) -> None:
    folder = tmp_path_factory.mktemp("shares")
    blocks, first = [], 0
    for part in units:
        blocks.append(block_of(part, first))
        first += len(part)
    paths = [folder / f"{k}" for k in range(shares)]
    riders = riders_of(31)
    write_partitions(blocks, paths, riders)
    expected = rows(blocks)
    found = []
    for share, path in enumerate(paths):
        mine = rows([read_partition(path)])
        found += mine
        kept = [row for row in expected if int(riders.pseudonym[int(str(row[0]))][-4:], 16) % shares == share]
        order = list(dict.fromkeys(row[0] for row in kept))
        assert mine == sorted(kept, key=lambda row: order.index(row[0])), "stable, by first appearance"
    assert sorted(found) == sorted(expected)


def _handed(units: list[list[int]], hold: int, spilled: list[int]) -> list[list[Block]]:
    first = np.cumsum([0, *(len(part) for part in units)]).tolist()
    blocks = [block_of(part, at) for part, at in zip(units, first, strict=False)]

    def spill(rest: Iterator[Block]) -> Iterator[list[Block]]:
        left = list(rest)
        spilled.extend(len(block) for block in left)
        yield left

    return list(rider_by_rider(iter(blocks), hold, spill))


def test_rows_by_rider_are_handed_over_without_scratch_files() -> None:
    spilled: list[int] = []
    parts = _handed([[0, 0, 1], [1, 2, 2], [2, 3, 3], [3, 3, 4]], 4, spilled)
    assert not spilled
    assert len(parts) > 1
    assert [row[5] for part in parts for row in rows(part)] == list(range(12))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    runs=st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=5), min_size=1, max_size=12),
    hold=st.integers(0, 40),
    piece=st.integers(1, 12),
)
def test_no_rider_stands_in_two_pieces(runs: list[list[int]], hold: int, piece: int) -> None:
    """Riders go on from block to block, and stand in any order within one; each part holds all of its own."""
    units = [[3 * (k // 2) + unit for unit in sorted(run)] for k, run in enumerate(runs)]
    spilled: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "_PIECE_POINTS", piece)
        try:
            parts = _handed(units, hold, spilled)
        except ComesBackError:
            return
    riders = [{row[0] for row in rows(part)} for part in parts]
    assert sum(len(one) for one in riders) == len(set().union(*riders))
    assert sorted(int(str(row[5])) for part in parts for row in rows(part)) == list(
        range(sum(map(len, units)))
    )


def test_what_is_held_by_rider_is_handed_over_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "_PIECE_POINTS", 4)
    parts = _handed([[0, 0, 1], [1, 2, 2], [2, 3, 3]], 100, [])
    assert [row[5] for part in parts for row in rows(part)] == list(range(9))
    assert [len(Block.join(part)) for part in parts] == [4, 3, 2]


def test_riders_that_come_back_among_those_held_are_spilled_at_once_with_all_that_was_held() -> None:
    spilled: list[int] = []
    parts = _handed([[0, 1, 2], [0, 1, 2], [0, 1, 2], [0, 1, 2]], 5, spilled)
    assert spilled == [3, 3, 3, 3]
    assert [row[5] for row in rows(parts[0])] == list(range(12))


def test_what_fits_is_held_whatever_its_order_and_who_comes_back_late_is_noticed() -> None:
    spilled: list[int] = []
    assert len(_handed([[0, 1, 2], [0, 1, 2]], 100, spilled)) == 1
    assert not spilled
    with pytest.raises(ComesBackError):
        _handed([[0, 0, 1], [1, 2, 2], [2, 3, 3], [0, 0, 0]], 4, spilled)


def test_the_list_of_refused_rows_does_not_tell_how_threads_took_turns(tmp_path: Path) -> None:
    """Rows that are bad by themselves come first, in the order of the file; then those judged together."""
    lines = ["rider_id,time,lon,lat"]
    for rider in range(20):
        lines += [f"{rider:03d},{1_772_400_000 + 15 * k},116.3,39.9" for k in (0, 1, 1, 2)]
        lines.append(f"{rider:03d},no time,116.3,39.9")
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    lists = []
    for _ in range(3):
        mapped = map_traces(
            path, form(), len, pseudonyms=Pseudonyms(KEY), rejects=tmp_path / "r.csv", hold_points=10
        )
        assert dict(mapped.accounts[0].rejected) == {"unparsable_time": 20, "duplicate": 20}
        lists.append((tmp_path / "r.csv").read_text("utf-8-sig"))
    assert len(set(lists)) == 1
    reasons = [line.split(",")[2] for line in lists[0].splitlines()[1:]]
    assert reasons == ["unparsable_time"] * 20 + ["duplicate"] * 20


def test_spilled_partitions_clean_up(tmp_path: Path) -> None:
    parts = list(spilled_partitions(iter([block_of([0, 1, 2, 0])]), tmp_path, riders_of(3)))
    assert sorted(row for part in parts for row in rows(part)) == sorted(rows([block_of([0, 1, 2, 0])]))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("values", "codes", "names"),
    [
        (["a", "b", "a"], [0, 1, 0], ["a", "b"]),
        ([" a", "a", "a "], [0, 0, 0], ["a"]),
        (["\u3000甲", "甲", "\ufeff甲"], [0, 0, 1], ["甲", "\ufeff甲"]),
        (["NULL", "a", None, "", "n/a"], [-1, 0, -1, -1, -1], ["a"]),
        (['="007"', "007"], [0, 0], ["007"]),
        (["a\ufffd", "b"], [-1, 0], ["b"]),
        ([7, 8, None, 7], [0, 1, -1, 0], ["7", "8"]),
        ([1001.0, 2.5], [0, 1], ["1001", "2.5"]),
    ],
)
def test_ids_are_codes_into_distinct_trimmed_texts(
    values: list[object], codes: list[int], names: list[str]
) -> None:
    found, distinct = _as_codes(pa.array(values))
    assert (found.tolist(), list(distinct)) == (codes, names)
