"""The plan that was asked for: named points of the front, and least shares that are really served."""

import dataclasses
import re

import numpy as np
import pytest
from made_rests import made_inputs

from geo.errors import InfeasibleError, InputError
from siting.inputs import StudyInputs, StudySettings
from siting.plans import tradeoffs
from siting.plans.pareto import Front, Judge, plan_front
from siting.results import FrontPoint, Study
from siting.solvers.verify import WrongAnswerError
from siting.study import measured_study


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> StudyInputs:
    return made_inputs("many", tmp_path_factory.mktemp("town"))[0]


def run(inputs: StudyInputs, **changes: object) -> Study:
    """The study before the gate, with few resamples."""
    settings = dataclasses.replace(inputs.settings, draws=0, random_draws=1, **changes)  # type: ignore[arg-type]
    return measured_study(dataclasses.replace(inputs, settings=settings))[0]


@pytest.fixture(scope="module")
def plain(inputs: StudyInputs) -> Study:
    return run(inputs)


def named(study: Study, name: str) -> FrontPoint:
    return next(point for point in study.front if name in point.names)


def mine(study: Study) -> FrontPoint:
    (point,) = (point for point in study.front if point.chosen)
    return point


@pytest.mark.parametrize("plan", ["cheapest", "fairest", "balanced"])
def test_the_study_takes_the_plan_that_its_file_names(inputs: StudyInputs, plain: Study, plan: str) -> None:
    study = run(inputs, plan=plan)
    assert study.plan == plan
    assert plan in mine(study).names
    shares = [grid.served_share for grid in study.grids if grid.rest_min_a_day]
    assert mine(study).worst_share == pytest.approx(min(share or 0.0 for share in shares), abs=1e-6)
    if plan == "cheapest":
        # nothing may close: the least money is to build nothing
        assert not [site for site in study.sites if not site.existing]
    if plan == "fairest":
        assert min(share or 0.0 for share in shares) >= min(g.served_share or 0.0 for g in plain.grids) - 1e-6


def test_without_a_budget_the_plan_may_lie_beside_the_front(plain: Study) -> None:
    assert {name for point in plain.front for name in point.names} == {
        "coverage", "cheapest", "fairest", "balanced",
    }  # fmt: skip
    assert (mine(plain).served_share or 0) <= (named(plain, "coverage").served_share or 0) + 1e-9
    assert dict(named(plain, "coverage").gaps)["coverage"] >= 0
    assert all("balanced" not in dict(point.gaps) for point in plain.front)


def test_a_least_share_is_served_and_not_only_in_reach(inputs: StudyInputs) -> None:
    # in reach means nothing in the evening, when nothing is open: so much of it must really be served
    study = run(inputs, least_grid_share=0.4)
    counted = [grid for grid in study.grids if (grid.riders or 0) >= study.k]
    assert counted
    assert all((grid.served_share or 0.0) >= 0.4 - 1e-6 for grid in counted)
    assert study.least_grid_share == 0.4
    # its price can be told beside the plan that serves most
    assert (mine(study).served_share or 0) <= (named(study, "coverage").served_share or 0) + 1e-9


def test_a_least_share_that_no_place_can_reach_names_the_grid(inputs: StudyInputs) -> None:
    with pytest.raises(InfeasibleError, match=r"that share of the rest in unit grid G\d") as refused:
        run(inputs, least_grid_share=1.0, limit_s=30)
    assert re.search(r"least_grid_share 为1，但在网格G\d.*能在30秒内到达", refused.value.text("zh"))


def test_a_least_share_beyond_the_money_is_refused_in_a_sentence(inputs: StudyInputs) -> None:
    with pytest.raises(
        InfeasibleError, match="no plan was found that serves so much of every unit grid"
    ) as refused:
        run(inputs, least_grid_share=0.3, budget_yuan=250_000.0)
    assert "在站点数和预算之内，没有找到使每个有10名骑手休息的网格" in refused.value.text("zh")


def test_a_budget_below_what_stands_is_refused_with_what_it_lacks(inputs: StudyInputs) -> None:
    with pytest.raises(InfeasibleError, match=r"it would need to relax the budget \(yuan\) by \d") as refused:
        run(inputs, budget_yuan=1_000.0)
    assert re.search(r"须将预算（元）放宽\d", refused.value.text("zh"))


def test_what_cannot_be_asked_for_is_refused(inputs: StudyInputs) -> None:
    with pytest.raises(InputError, match="it must be one of coverage, cheapest, fairest, balanced"):
        StudySettings(timezone="Asia/Shanghai", plan="best")
    with pytest.raises(InputError, match="ask for two plans"):
        StudySettings(timezone="Asia/Shanghai", plan="fairest", least_grid_share=0.1)
    bare = dataclasses.replace(inputs, grids=None)
    for changes in ({"plan": "fairest"}, {"plan": "balanced"}, {"least_grid_share": 0.1}):
        with pytest.raises(InputError, match=r"needs? unit grids in which at least 10 riders rest"):
            run(bare, **changes)
    with pytest.raises(InputError, match="no existing stations"):
        run(dataclasses.replace(inputs, existing=()), plan="cheapest")


def test_a_plan_that_breaks_the_problem_is_never_shown(
    inputs: StudyInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`scipy.optimize.milp` has called values optimal that break their bounds (scipy #22812)."""

    def broken(judge: Judge, *known: object) -> Front:
        front = plan_front(judge, *known)  # type: ignore[arg-type]
        first = np.unique(judge.problem.option_site, return_index=True)[1]
        return dataclasses.replace(
            front, points=(dataclasses.replace(front.points[0], options=tuple(first)), *front.points[1:])
        )

    monkeypatch.setattr(tradeoffs, "plan_front", broken)
    with pytest.raises(WrongAnswerError, match="new sites"):
        run(inputs)


def test_grids_with_few_riders_do_not_count(inputs: StudyInputs) -> None:
    study = run(inputs, k=500)
    assert study.front == ()
    with pytest.raises(InputError, match="at least 500 riders"):
        run(inputs, k=500, plan="fairest")


def test_no_existing_stations_and_no_grids(inputs: StudyInputs) -> None:
    alone = run(dataclasses.replace(inputs, existing=()))
    # today nothing is served, so nothing is what the cheapest plan needs to build
    assert named(alone, "cheapest").cost_yuan == 0
    assert run(dataclasses.replace(inputs, grids=None)).front == ()


def test_the_same_front_again(inputs: StudyInputs, plain: Study) -> None:
    again = run(inputs)
    assert again.front == plain.front
    assert again.fairness == plain.fairness


def test_stability_resamples_the_plan_that_was_asked_for(inputs: StudyInputs) -> None:
    settings = dataclasses.replace(inputs.settings, draws=4, random_draws=1, plan="balanced")
    study = measured_study(dataclasses.replace(inputs, settings=settings))[0]
    shares = [site.chosen_share for site in study.sites if not site.existing]
    assert shares
    assert np.mean([share or 0.0 for share in shares]) > 0.2


def test_a_budget_serves_no_less_than_the_plainest_plan_for_it(inputs: StudyInputs) -> None:
    """One search from the bound alone once served 53% where three like stations served 76%."""
    study = run(inputs, budget_yuan=600_000.0, existing_stations="may_move", limit_s=120)
    assert study.solution.gap < 0.02
    assert mine(study).served_share == max(point.served_share or 0.0 for point in study.front)


def test_the_curve_of_money_knows_every_plan_that_the_study_shows(inputs: StudyInputs) -> None:
    """On a map of Beijing the plan for three quarters of the money once served more than the plan itself."""
    study = run(inputs, budget_yuan=600_000.0, existing_stations="may_close", limit_s=120)
    assert [point.cost_yuan / 600_000 for point in study.budget_curve] == [0.5, 0.75, 1.0, 1.25, 1.5]
    served = [point.served_share or 0.0 for point in study.budget_curve]
    assert served == sorted(served)
    assert served[2] == pytest.approx(named(study, "coverage").served_share, abs=1e-6)
    for point in study.front:
        afforded = [told for told in study.budget_curve if told.cost_yuan >= point.cost_yuan]
        assert all((told.served_share or 0.0) >= (point.served_share or 0.0) - 1e-6 for told in afforded)


def test_a_least_share_within_a_budget_does_not_bind_the_curve_of_money(inputs: StudyInputs) -> None:
    """Half the money could not keep it, and the study once ended with a refusal for that."""
    study = run(inputs, budget_yuan=900_000.0, least_grid_share=0.3, new_sites=6)
    assert (
        min(grid.served_share or 0.0 for grid in study.grids if (grid.riders or 0) >= study.k) >= 0.3 - 1e-6
    )
    served = [point.served_share or 0.0 for point in study.budget_curve]
    assert served == sorted(served)


def test_budgets_that_buy_nothing_are_left_out_of_the_curve(inputs: StudyInputs) -> None:
    # to close both costs 200,000 a year, so half of the budget is not even enough for that
    study = run(inputs, budget_yuan=350_000.0, existing_stations="may_close", close_yuan=100_000.0)
    assert study.budget_curve
