"""The gate shows no sums from which arithmetic gets something of fewer than k riders."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from geo.privacy import Figures

Part = tuple[int, ...]
"""How often each row counts."""


def told_by(sums: list[Part], riders: list[int], k: int) -> set[int] | None:
    """Fewer than k riders of whom some combination of the sums tells, None for none: all are tried."""
    if not sums:
        return None
    matrix = np.array(sums, dtype=np.float64)
    whole = np.linalg.matrix_rank(matrix)
    names = sorted(set(riders))
    for few in itertools.combinations(names, min(k - 1, len(names))):
        others = [r not in few for r in riders]
        if not any(others) or np.linalg.matrix_rank(matrix[:, others]) < whole:
            return set(few)
    return None


def gate(sums: list[Part], riders: list[int], k: int, rank: list[int] | None = None) -> Figures:
    figures = Figures(k)
    figures.rows("rest", riders)
    for number, part in enumerate(sums):
        rows = [row for row, times in enumerate(part) if times]
        times = [times for times in part if times]
        figures.add(str(number), "rest", rows, times, rank=0 if rank is None else rank[number])
    return figures


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[Part], list[int]]:
    """Areas that may overlap, nest, or count with weights, over rows of a few riders."""
    rows = draw(st.integers(1, 9))
    riders = draw(st.lists(st.integers(0, 5), min_size=rows, max_size=rows))
    times = st.integers(0, 1) if draw(st.booleans()) else st.integers(-1, 2)
    part = st.tuples(*[times] * rows)
    return draw(st.lists(part, min_size=1, max_size=8)), riders


@settings(derandomize=True, deadline=None, max_examples=400)
@given(table=tables(), k=st.integers(1, 5))
def test_no_combination_of_what_is_shown_tells_of_fewer_than_k(
    table: tuple[list[Part], list[int]], k: int
) -> None:
    sums, riders = table
    shown = gate(sums, riders, k).shown()
    assert told_by([sums[int(s)] for s in sorted(shown)], riders, k) is None
    for number, part in enumerate(sums):
        if len({r for r, times in zip(riders, part, strict=True) if times}) < k:
            assert str(number) not in shown


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    cells=st.lists(st.integers(1, 30), min_size=1, max_size=12),
    k=st.integers(10, 16),
    more=st.integers(0, 4),
)
def test_two_runs_with_different_k_tell_no_more_than_the_one_with_the_smaller(
    cells: list[int], k: int, more: int
) -> None:
    riders: list[int] = []
    sums: list[tuple[int, int]] = []
    for cell, size in enumerate(cells):
        sums.append((len(riders), len(riders) + size))
        riders += [100 * cell + r for r in range(size)]
    parts = [tuple(int(a <= row < b) for row in range(len(riders))) for a, b in [*sums, (0, len(riders))]]
    assert gate(parts, riders, k + more).shown() <= gate(parts, riders, k).shown()


def test_a_lone_small_cell_takes_the_smallest_other_with_it() -> None:
    """10 + 12 + 30 riders and 3: the total less the three others would tell of the 3."""
    sizes = [12, 3, 10, 30]
    riders = list(range(sum(sizes)))
    edges = np.cumsum([0, *sizes])
    parts = [tuple(int(a <= r < b) for r in riders) for a, b in itertools.pairwise(edges)]
    total = tuple(1 for _ in riders)
    assert gate([total, *parts], riders, 10, [0, 1, 1, 1, 1]).shown() == {"0", "1", "4"}


def test_rows_and_columns_protect_each_other() -> None:
    """A table of 3 x 3 with one small cell: one more a row and a column is withheld, so a square of four."""
    sizes = np.array([[11, 12, 13], [14, 2, 15], [16, 17, 18]])
    riders, cell = [], []
    for number, size in enumerate(sizes.ravel().tolist()):
        riders += [1000 * number + r for r in range(size)]
        cell += [number] * size
    at = np.array(cell)
    masks = [at == c for c in range(9)]
    masks += [at // 3 == row for row in range(3)] + [at % 3 == column for column in range(3)]
    parts = [tuple(m.astype(int).tolist()) for m in masks]
    shown = gate(parts, riders, 10, [1] * 9 + [0] * 6).shown()
    assert {str(s) for s in range(9, 15)} <= shown
    hidden = [divmod(c, 3) for c in range(9) if str(c) not in shown]
    assert len(hidden) == 4
    assert len({row for row, _ in hidden}) == len({column for _, column in hidden}) == 2


def test_the_same_riders_in_every_hour_are_no_reason_to_withhold() -> None:
    riders = list(range(12)) * 24
    hours = [tuple(int(h == i // 12) for i in range(288)) for h in range(24)]
    assert len(gate([tuple([1] * 288), *hours], riders, 10).shown()) == 25


def test_a_share_goes_with_its_part_and_its_rest() -> None:
    figures = Figures(10)
    figures.rows("rest", range(30))
    for path, part in (("few", 4), ("all but few", 26), ("none", 0), ("all", 30), ("half", 15)):
        figures.add(path, "rest", range(part), nobody=True)
        figures.add(path, "rest", range(30))
    assert figures.shown() == {"none", "all", "half"}


def test_a_number_of_riders_is_shown_beside_a_larger_group_only_when_the_others_are_enough() -> None:
    figures = Figures(10)
    figures.add_riders("all", range(40))
    figures.add_riders("most", range(35), within="all")
    figures.add_riders("some", range(28), within="most")
    figures.add_riders("few", range(9), within="all")
    figures.add_riders("the same", range(40), within="all")
    assert figures.shown() == {"all", "some", "the same"}


def test_ten_thousand_cells_by_hour_are_judged_in_seconds() -> None:
    rng = np.random.default_rng(1)
    rows = 120_000
    cell, hour = rng.integers(0, 400, rows), rng.integers(0, 24, rows)
    area, rider = cell // 20 + rng.integers(0, 2, rows), rng.integers(0, 3000, rows)
    figures = Figures(10)
    figures.rows("rest", rider)
    figures.add("total", "rest", np.ones(rows, dtype=np.bool_))
    order = np.lexsort((hour, cell))
    for part in np.split(order, np.nonzero(np.diff((cell * 24 + hour)[order]))[0] + 1):
        figures.add(f"cell {cell[part[0]]} {hour[part[0]]}", "rest", part, rank=3)
    for a in range(int(area.max()) + 1):
        figures.add(f"area {a}", "rest", area == a, rank=1)
        for h in range(24):
            figures.add(f"area {a} {h}", "rest", (area == a) & (hour == h), rank=2)
    shown = figures.shown()
    assert "total" in shown
    assert len(shown) > 5000


def test_k_below_one_is_refused() -> None:
    with pytest.raises(InputError, match="at least 1"):
        Figures(0)
