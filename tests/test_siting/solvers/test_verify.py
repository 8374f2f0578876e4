"""The verifier finds what is wrong: each answer here is right but for one thing."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from siting.problems.define import Flow, MaxCover, PCenter, PMedian, SetCover, SitingResult, StationPlan
from siting.solvers.exact import solve_exact
from siting.solvers.verify import WrongAnswerError, require_verified, verify

COST = np.array([[1.0, 5.0, 9.0], [5.0, 1.0, 9.0], [9.0, 9.0, 1.0]])
COVER = MaxCover(
    weight=np.array([3.0, 2.0, 1.0]),
    limit_s=2,
    sites=2,
    kept=(1,),
    site_cost=np.array([2.0, 2.0, 2.0]),
    budget=4.0,
)


def right() -> SitingResult:
    result = solve_exact(COVER, COST)
    assert verify(COVER, COST, result) == ()
    return result


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"objective": 6.0, "bound": 6.0}, "the objective is 5, 6 is stated"),
        ({"bound": 4.0}, "beyond its own bound"),
        ({"objective": float("nan")}, "nan is stated"),
        ({"gap": 0.2}, "the gap is 0, 0.2 is stated"),
        ({"status": "feasible"}, "the status is feasible at a gap of 0"),
        ({"chosen": (0, 2), "assignment": np.array([0, -1, 2])}, "kept site 1 is not chosen"),
        ({"chosen": (0, 1, 2)}, "3 sites are chosen, 2 are allowed"),
        ({"chosen": (0, 1, 2)}, "the sites cost 6 yuan"),
        ({"chosen": (0, 7)}, "site 7 does not exist"),
        ({"chosen": (1, 1)}, "chosen twice"),
        ({"assignment": np.array([1, 1, -1])}, "not its nearest"),
        ({"assignment": np.array([-1, 1, -1])}, "within reach, its assignment differs"),
    ],
)
def test_a_wrong_cover_is_found(change: dict[str, Any], sentence: str) -> None:
    wrong = dataclasses.replace(right(), **change)
    assert any(sentence in line for line in verify(COVER, COST, wrong))


def test_points_that_are_not_served_are_found() -> None:
    cost = np.array([[1.0, np.inf], [np.inf, 1.0]])
    for problem in (
        PMedian(weight=np.ones(2), sites=1),
        SetCover(weight=np.ones(2), limit_s=2),
    ):
        answer = SitingResult((0,), np.array([0, -1]), 1.0, 1.0, 0.0, "optimal")
        assert any("point 1 is not served" in line for line in verify(problem, cost, answer))


def test_a_flow_beyond_capacity_or_demand_is_found() -> None:
    problem = MaxCover(weight=np.array([4.0]), limit_s=5, sites=1, capacity=np.array([3.0, 3.0]))
    cost = np.array([[1.0, 9.0]])

    def flow(site: int, amount: float) -> SitingResult:
        split = Flow(np.array([0]), np.array([0]), np.array([site]), np.array([amount]))
        return SitingResult((0,), np.array([0]), amount, 2 * amount, 0.5, "feasible", flow=split)

    assert verify(problem, cost, flow(0, 3.0)) == ()
    assert any("it holds 3" in line for line in verify(problem, cost, flow(0, 3.5)))
    assert any("served 5 of 4" in line for line in verify(problem, cost, flow(0, 5.0)))
    assert any("not chosen" in line for line in verify(problem, cost, flow(1, 1.0)))
    bare = SitingResult((0,), np.array([0]), 4.0, 9.0, 0.5, "feasible")
    assert any("needs a flow" in line for line in verify(problem, cost, bare))


def test_a_plan_with_two_options_or_a_wrong_move_is_found() -> None:
    problem = StationPlan(
        weight=np.ones((1, 1)),
        limit_s=1,
        option_site=np.array([0, 0, 1]),
        option_cost=np.array([1.0, 1.0, 5.0]),
        option_open=np.ones((3, 1), dtype=np.bool_),
        budget=4.0,
        existing_site=(0,),
        close_cost=np.array([1.0]),
        move_saving=np.array([1.0]),
    )
    cost = np.zeros((1, 2))
    base = SitingResult((0,), np.array([0]), 1.0, 1.0, 0.0, "optimal", options=(0,))
    assert verify(problem, cost, base) == ()
    twice = dataclasses.replace(base, options=(0, 1))
    assert any("two options" in line for line in verify(problem, cost, twice))
    moved = dataclasses.replace(base, moved=((0, 1),))
    assert any("no closed existing station" in line for line in verify(problem, cost, moved))
    dear = dataclasses.replace(base, chosen=(1,), options=(2,), assignment=np.array([1]), moved=((0, 1),))
    assert any("the plan costs 5 yuan" in line for line in verify(problem, cost, dear))


def test_a_radius_that_no_service_has_and_a_wrong_main_site_are_found() -> None:
    problem = PCenter(weight=np.array([2.0, 0.0]), sites=2, capacity=np.array([1.5, 1.5]))
    cost = np.array([[1.0, 4.0], [2.0, 9.0]])
    answer = solve_exact(problem, cost)
    assert answer.objective == 4.0
    assert verify(problem, cost, answer) == ()
    for radius in (3.0, 5.0):
        wrong = dataclasses.replace(answer, objective=radius, bound=radius)
        assert any("is stated" in line for line in verify(problem, cost, wrong))
    other = dataclasses.replace(answer, assignment=np.array([-1, 0]))
    assert any("serves most of it" in line for line in verify(problem, cost, other))
    # a point without demand must be reached as well
    cut = np.array([[1.0, 4.0], [np.inf, np.inf]])
    assert any("out of reach of every" in line for line in verify(problem, cut, answer))


def test_a_study_refuses_an_answer_that_does_not_verify() -> None:
    assert require_verified(COVER, COST, right()).objective == right().objective
    wrong = dataclasses.replace(right(), objective=99.0)
    with pytest.raises(WrongAnswerError, match=r"does not verify.*the objective is"):
        require_verified(COVER, COST, wrong)
