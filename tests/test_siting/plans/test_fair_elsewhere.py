"""Cases of coverage, equity and Pareto fronts that went wrong elsewhere, small and in our own terms."""

import numpy as np
import numpy.typing as npt
import pytest

from geo.inequality import gini
from siting.fairness import fairness_of, gains_of, worst_part
from siting.plans.choice import PlanModel
from siting.plans.pareto import Judge, JudgedPlan, _undominated, plan_front
from siting.problems.define import StationPlan
from siting.results import GridFigures
from siting.solvers.plan_programs import Counted, Ends, best_plan
from siting.stations.kinds import KINDS

FAR = np.inf


def town(
    near: npt.ArrayLike,
    rest: list[float],
    group: list[int],
    *,
    existing: int = 1,
    new_sites: int = 1,
    seats: float = 1000.0,
    price: float = 10.0,
) -> Judge:
    """Points (rows) and sites (columns), the first ones with a station today; all rest is at ten o'clock."""
    cost_s = np.asarray(near, dtype=np.float64)
    m = cost_s.shape[1]
    weight = np.zeros((len(rest), 24))
    weight[:, 10] = rest
    problem = StationPlan(
        weight=weight,
        limit_s=100.0,
        option_site=np.arange(m),
        option_cost=np.full(m, price),
        option_open=np.ones((m, 24), dtype=np.bool_),
        option_capacity=np.full(m, seats),
        new_sites=new_sites,
        kept=tuple(range(existing)),
        existing_site=tuple(range(existing)),
    )
    kinds = (*([None] * existing), *([KINDS[0]] * (m - existing)))
    model = PlanModel(problem, kinds, ((0, 24),) * m)
    return Judge(model, cost_s, Counted(np.array(group), weight))


def test_nothing_served_anywhere_is_no_division_by_zero() -> None:
    """As in networkit 1513, microdf 289: all nought or empty."""
    for share, weight in (([0.0, 0.0], [1.0, 2.0]), ([], []), ([0.3], [0.0])):
        assert gini(share, weight) is None


def test_one_grid_served_among_many_that_are_not() -> None:
    """MuSiCal 86: a single outlier among zeros is as uneven as can be, not unknown."""
    assert gini([0.0, 0.0, 0.0, 0.9], [1.0] * 4) == pytest.approx(0.75)


def test_few_grids_are_never_below_nought() -> None:
    """As in sugarscape 104: with few values the area must not pass the line of equality."""
    for share in ([0.5], [0.5, 0.5], [0.1, 0.9], [0.3, 0.3, 0.31]):
        value = gini(share, [1.0] * len(share))
        assert value is not None
        assert 0.0 <= value < 0.5


def test_demand_is_on_the_axis_and_not_the_number_of_the_grid() -> None:
    """scikit-learn 28534: with weights the Lorenz curve has no even steps."""
    assert gini([0.2, 0.8], [9.0, 1.0]) == pytest.approx(gini([0.2] * 9 + [0.8], [1.0] * 10))
    assert gini([0.2, 0.8], [9.0, 1.0]) != pytest.approx(gini([0.2, 0.8], [1.0, 1.0]))


def test_parts_of_minutes_count() -> None:
    """DescTools 91: weights are no frequencies."""
    assert gini([0.1, 0.6], [0.25, 0.75]) == pytest.approx(gini([0.1, 0.6], [1.0, 3.0]))
    assert worst_part([0.1, 0.6], [0.25, 0.75], 0.5) == pytest.approx(worst_part([0.1, 0.6], [1.0, 3.0], 0.5))


def test_a_point_is_held_against_all_others_and_not_the_last_one() -> None:
    """MultiObjectiveAlgorithms.jl 20, 21: with three aims neighbours in order are not enough."""
    a, b, c = (
        JudgedPlan((k,), *worth, 0)
        for k, worth in enumerate([(1.0, 1.0, 0.5), (1.0, 2.0, 0.9), (0.9, 1.0, 0.5)])
    )
    assert _undominated([c, b, a]) == [a, b]
    # alike in all three: one of them
    twin = JudgedPlan((7,), 1.0, 1.0, 0.5, 0)
    assert _undominated([twin, a]) == [a]


def test_ends_that_are_one_plan_make_a_front_of_few_points() -> None:
    """MultiObjectiveAlgorithms.jl 50: no steps between ends that coincide."""
    judge = town([[10.0, 10.0], [10.0, 10.0]], [5.0, 5.0], [0, 1])
    front = plan_front(judge)
    assert len(front.points) == 1
    assert set(front.names.values()) == {0}
    assert all(gap == 0 for gap in front.gaps.values())


def test_limits_without_any_plan_do_not_cut_the_front_short() -> None:
    """As in discopt 1442: one empty cell of the sweep is no end of it."""
    judge = town(
        [[FAR, 10, FAR, FAR], [FAR, FAR, 10, FAR], [FAR, FAR, FAR, 10]],
        [9.0, 5.0, 4.0],
        [0, 1, 2],
        new_sites=3,
    )
    # for less than one new station nobody is served: that limit has no plan with a share of a half
    assert best_plan(judge.problem, judge.cost_s, judge.counted, "served", Ends(cost=12.0, worst=0.5)) is None
    front = plan_front(judge)
    assert front.points[front.names["fairest"]].worst == 1.0
    assert [round(18 * p.served) for p in front.points] == [18, 14, 9, 0]


def test_a_kept_station_out_of_reach_of_everybody_stays_and_serves_nobody() -> None:
    """As in spopt 237: what is given beforehand does not make the rest covered."""
    judge = town([[FAR, 10.0], [FAR, FAR]], [3.0, 7.0], [0, 1])
    front = plan_front(judge)
    assert all(0 in point.options for point in front.points)
    assert front.points[front.names["coverage"]].served == pytest.approx(0.3)
    # the second grid is in reach of nothing, so that is the best there is, and proven
    assert front.points[front.names["fairest"]].worst == 0.0
    assert front.gaps["fairest"] == 0.0


def test_seats_reach_no_farther_than_the_limit() -> None:
    """As in spopt 314: with capacities, too, who is too far is not served."""
    judge = town([[101.0, 100.0], [100.0, 101.0]], [6.0, 6.0], [0, 1], seats=50.0)
    assert judge.judge((0,)).served == pytest.approx(0.5)
    assert judge.judge((0, 1)).served == 1.0
    found = best_plan(judge.problem, judge.cost_s, judge.counted, "served", Ends(cost=15.0))
    assert found is not None
    assert found[1] == pytest.approx(6.0)


def test_existing_stations_take_nothing_from_the_number_of_new_ones() -> None:
    """As in spopt-r 7, spopt 217: old and new are counted apart."""
    near = np.full((4, 5), FAR)
    near[0, 0], near[1, 1] = 10.0, 10.0
    near[2, 3], near[3, 4] = 10.0, 10.0
    judge = town(near, [1.0, 1.0, 1.0, 1.0], [0, 0, 1, 1], existing=3, new_sites=2)
    best = plan_front(judge).points[0]
    assert len(best.options) == 5
    assert best.served == 1.0


def test_no_candidate_in_reach_leaves_what_stands() -> None:
    """As in pyspatialopt 7: an empty choice is an answer, not a fault."""
    judge = town([[10.0, FAR], [FAR, FAR]], [4.0, 4.0], [0, 1])
    front = plan_front(judge)
    assert [point.options for point in front.points] == [(0,)]


def test_more_demand_than_seats_is_served_in_part() -> None:
    """As in spopt 315: demand beyond all seats is no error."""
    judge = town([[10.0, 10.0]], [50.0], [0], seats=10.0)
    front = plan_front(judge)
    assert front.points[front.names["coverage"]].served == pytest.approx(0.4)
    assert front.gaps["coverage"] == 0.0


def test_ties_go_to_the_same_plan_in_every_order() -> None:
    """As in maxcovr 85 and others: of equal plans one, and always the same worth."""
    near = [[FAR, 10.0, 10.0], [FAR, 10.0, 10.0]]
    judge = town(near, [2.0, 2.0], [0, 1])
    one = plan_front(judge)
    other = plan_front(town(np.array(near)[::-1, [0, 2, 1]], [2.0, 2.0], [1, 0]))
    assert [(p.served, p.cost, p.worst) for p in one.points] == [
        (p.served, p.cost, p.worst) for p in other.points
    ]
    assert len({(p.served, p.cost, p.worst) for p in one.points}) == len(one.points)


def test_grids_without_demand_or_figures_are_no_worst_grid() -> None:
    grids = [
        GridFigures("A", "", (), 20, 50.0, 0.5, 0.6, (), (), 0.4),
        GridFigures("B", "", (), None, 0.0, None, None, (), (), None),
        GridFigures("C", "", (), None, None, None, None, (), (), None),
    ]
    assert [row.worst_grid for row in fairness_of(grids)] == ["A", "A"]
    assert [row.gini for row in fairness_of(grids)] == [0.0, 0.0]
    assert gains_of(grids).gaining == 1
