"""How evenly grids are served: held against the definitions, written out."""

import dataclasses
import itertools

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from geo.inequality import gini
from siting.fairness import fairness_of, gains_of, worst_part
from siting.results import GridFigures

ROWS = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0, 1000).map(lambda w: round(w, 2))), min_size=1, max_size=9
)
GRID = GridFigures("A", "", (), 20, 100.0, 0.5, 0.6, (), (), 0.2)


def grid(code: str, minutes: float | None, before: float | None, after: float | None) -> GridFigures:
    return dataclasses.replace(
        GRID, code=code, rest_min_a_day=minutes, served_today_share=before, served_share=after
    )


@settings(derandomize=True, deadline=None)
@given(ROWS)
def test_gini_is_half_the_mean_difference_in_units_of_the_mean(rows: list[tuple[float, float]]) -> None:
    share, weight = ([row[k] for row in rows] for k in (0, 1))
    total = sum(weight)
    served = sum(x * w for x, w in rows)
    found = gini(share, weight)
    if total <= 0 or served <= 0:
        assert found is None
        return
    difference = sum(w * v * abs(x - y) for (x, w), (y, v) in itertools.product(rows, rows))
    assert found is not None
    assert found == pytest.approx(difference / (2 * total * served), abs=1e-9)
    assert 0 <= found <= 1
    # whatever the order of the grids, and in whatever unit demand is counted
    assert gini(share[::-1], [3 * w for w in weight[::-1]]) == pytest.approx(found, abs=1e-9)


@settings(derandomize=True, deadline=None)
@given(ROWS, st.sampled_from([0.1, 0.25, 1.0]))
def test_the_worst_part_is_the_least_that_so_much_demand_can_be_served(
    rows: list[tuple[float, float]], part: float
) -> None:
    share, weight = ([row[k] for row in rows] for k in (0, 1))
    found = worst_part(share, weight, part)
    if sum(weight) <= 0:
        assert found is None
        return
    assert found is not None
    left, served = part * sum(weight), 0.0
    for x, w in sorted(rows):
        served += x * min(w, left)
        left -= min(w, left)
    assert found == pytest.approx(served / (part * sum(weight)), abs=1e-9)
    assert min((x for x, w in rows if w > 0), default=0.0) - 1e-9 <= found <= 1
    if part == 1.0:
        assert found == pytest.approx(sum(x * w for x, w in rows) / sum(weight), abs=1e-9)


def test_one_grid_is_even_and_equal_grids_are() -> None:
    assert gini([0.4], [10.0]) == 0.0
    assert gini([0.4, 0.4, 0.4], [1.0, 50.0, 3.0]) == pytest.approx(0.0, abs=1e-12)
    assert worst_part([0.4], [10.0]) == pytest.approx(0.4)


def test_gini_where_nothing_is_served_is_none_and_not_perfect_equality() -> None:
    assert gini([0.0, 0.0], [10.0, 20.0]) is None
    assert gini([], []) is None
    assert gini([0.5], [0.0]) is None
    assert worst_part([], []) is None


def test_a_grid_without_demand_changes_nothing() -> None:
    assert gini([0.2, 0.9], [5.0, 7.0]) == gini([0.2, 0.0, 0.9], [5.0, 0.0, 7.0])
    assert worst_part([0.2, 0.9], [5.0, 7.0]) == worst_part([0.0, 0.2, 0.9], [0.0, 5.0, 7.0])


def test_nearly_all_with_few_is_nearly_one() -> None:
    assert (gini([0.0] * 99 + [1.0], [1.0] * 100) or 0) == pytest.approx(0.99)


def test_before_and_after_count_the_same_grids_and_only_those_that_tell_all() -> None:
    grids = (
        grid("A", 100.0, 0.0, 0.5), grid("B", 300.0, 0.4, 0.2), grid("C", 100.0, 0.6, 0.6),
        grid("D", 900.0, None, 0.9), grid("E", None, 0.1, 0.1), grid("F", 0.0, 0.0, 0.0),
    )  # fmt: skip
    today, plan = fairness_of(grids)
    assert (today.method, plan.method, today.grids, plan.grids) == ("existing", "yilu", 3, 3)
    assert (today.worst_grid, today.least_share) == ("A", 0.0)
    assert (plan.worst_grid, plan.least_share) == ("B", 0.2)
    # of 500 minutes the worst fifty: all in A today, all in B under the plan
    assert today.worst_tenth == 0.0
    assert plan.worst_tenth == pytest.approx(0.2)
    gains = gains_of(grids)
    assert (gains.gaining, gains.losing, gains.same) == (1, 1, 1)
    assert fairness_of(grids[3:]) == ()


def test_a_change_below_a_tenth_of_a_point_is_none() -> None:
    gains = gains_of(
        (grid("A", 10.0, 0.5, 0.5009), grid("B", 10.0, 0.5, 0.4989), grid("C", 10.0, 0.5, 0.502))
    )
    assert (gains.gaining, gains.losing, gains.same) == (1, 1, 1)


def test_the_first_of_several_worst_grids_is_named() -> None:
    assert fairness_of((grid("B", 10.0, 0.0, 0.3), grid("C", 10.0, 0.0, 0.3)))[1].worst_grid == "B"
