"""The choice of a study and how sure it is: the problem, its answer, other ways of choosing, resamples."""

import numpy as np

from geo.arrays import FloatArray
from geo.errors import InputError
from geo.sentences import Sentence
from siting.demand.asked import thousandths
from siting.demand.hourly import hour_riders
from siting.demand.passing import riding_minutes
from siting.demand.weighted import Demand
from siting.evaluation.compare import Days, budget_curve, coverage_table, estimates
from siting.evaluation.stability import chosen_shares, solver_of
from siting.inputs import StudyInputs, StudySettings
from siting.plans.choice import budget_points
from siting.plans.plan import Plan
from siting.plans.served import serve_demand, served_share
from siting.plans.sites import Sites
from siting.plans.tradeoffs import choose_jointly, counted_grids, front_beside, front_points, solution_of
from siting.problems.define import MaxCover, SitingResult, nearest_chosen
from siting.problems.highs import Limits
from siting.problems.reach import reach_within
from siting.seasons.across import Across, changing_demand, scenario_days
from siting.seasons.scenarios import SEASON_DAYS, WEEK_PART_DAYS
from siting.solvers.cover_proof import spread_idle_sites
from siting.solvers.exact import finish
from siting.solvers.robust import RobustCover, robust_cover
from siting.solvers.solve import solve
from siting.solvers.verify import require_verified
from siting.study.parts import Checked, Chosen, Wanted
from siting.travel_times import Ways

__all__ = ["checked_plan", "choose", "travel_cost_s"]


def travel_cost_s(settings: StudySettings, ways: Ways, demand: Demand, lonlat: FloatArray) -> FloatArray:
    """Return (n, sites) seconds from demand points to sites, inf out of reach; nobody passing turns off."""
    cost_s = ways.seconds(settings.mode, demand.lonlat, lonlat, settings.limit_s)
    cost_s[demand.only_passing()[:, None] & (cost_s > settings.passing_limit_s)] = np.inf
    return cost_s


def choose(inputs: StudyInputs, wanted: Wanted, sites: Sites, cost_s: FloatArray) -> Chosen:
    """Choose the sites, and how they are run where there is a budget."""
    settings = inputs.settings
    grids = counted_grids(inputs.grids, wanted.seen, wanted.days["training"].rest, settings)
    problem = MaxCover(
        weight=wanted.weight.sum(axis=1),
        limit_s=settings.limit_s,
        sites=len(inputs.existing) + settings.new_sites,
        kept=tuple(range(len(inputs.existing))),
    )
    joint, robust = None, None
    riders = hour_riders(wanted.seen, settings.weights, settings.k)
    scenarios = scenario_days(wanted.demand, settings, wanted.training)
    if settings.budget_yuan is None and settings.plan == "coverage" and settings.least_grid_share == 0:
        limits = Limits(gap=1e-6, node_limit=settings.node_limit)
        result = solve(problem, cost_s, _rng(settings, 0), limits)
        result = require_verified(problem, cost_s, spread_idle_sites(problem, cost_s, result))
        if settings.robust:
            robust, result = _robust(problem, scenarios, cost_s, result, settings)
    else:
        joint = choose_jointly(inputs, wanted.demand.days, wanted.weight, cost_s, grids, riders)
        result = joint.result
    plan = Plan(
        existing=inputs.existing,
        candidates=sites.candidates,
        lonlat=sites.lonlat,
        cost_s=cost_s,
        chosen=result.chosen,
        kinds=settings.kinds,
        limit_s=settings.limit_s,
        run={} if joint is None else joint.model.run(result),
        moved=result.moved,
        days=wanted.demand.days,
        timezone=settings.timezone,
        riders=riders,
    ).with_runs(wanted.weight)
    if joint is None:
        judge, front, options = front_beside(inputs, plan, wanted.weight, grids)
    else:
        judge, front, options = joint.judge, joint.front, result.options
    points = () if front is None else front_points(judge, front, options, grids, settings, wanted.asked_seen)
    solution = solution_of(result, None if joint is None else front, settings)
    service = serve_demand(plan.in_business(), wanted.weight)
    return Chosen(plan, problem, joint, result, service, points, solution, scenarios, robust)


def _robust(
    problem: MaxCover,
    scenarios: dict[str, Days],
    cost_s: FloatArray,
    mean: SitingResult,
    settings: StudySettings,
) -> tuple[RobustCover, SitingResult]:
    """Choose for the worst scenario; the answer keeps the bound of the best plan for the mean of all days."""
    if len(scenarios) < 2:
        raise InputError(Sentence.of("plan_robust_few", season=SEASON_DAYS, part=WEEK_PART_DAYS))
    weights = np.array([days.weight.sum(axis=1) for days in scenarios.values()])
    limits = Limits(gap=1e-6, node_limit=settings.node_limit)
    found = robust_cover(problem, weights, cost_s, _rng(settings, 5), limits)
    near = nearest_chosen(cost_s, found.chosen, problem.limit_s)
    covered = float(problem.weight[near >= 0].sum())
    answer = finish(found.chosen, near, covered, max(mean.bound, covered))
    return found, require_verified(problem, cost_s, answer)


def checked_plan(inputs: StudyInputs, ways: Ways, wanted: Wanted, chosen: Chosen) -> Checked:
    """Resample days and riders, compare with other ways of choosing, and try other budgets."""
    settings, demand, plan = inputs.settings, wanted.demand, chosen.plan
    # every layer numbers riders as the traces do, so one that counts nothing changes no draw
    riders = max(inputs.riders, 1 + max(int(layer.rider.max(initial=0)) for _, layer in demand.layers()))
    shares = _stability(inputs, wanted, chosen, riders)
    coverage = coverage_table(plan, demand, wanted.days, ways, settings, _rng(settings, 1), wanted.asked)

    def ask(path: str, share: FloatArray) -> None:
        for part in (thousandths(share), np.ones(len(share), dtype=np.bool_)):
            wanted.asked_seen.weighted(path, settings.weights, part, "other")

    if chosen.joint is None:
        reach = reach_within(plan.cost_s, settings.limit_s)
        curve = budget_curve(plan, chosen.problem, wanted.weight, reach, _rng(settings, 2), ask=ask)
    else:
        model, joint = chosen.joint.judge.model, chosen.joint

        def ask_plan(path: str, answer: SitingResult) -> None:
            ask(path, served_share(model.running(plan.cost_s, answer), wanted.weight))

        curve = budget_points(model, plan.cost_s, joint.most, (joint.cheaper, joint.shown), ask_plan)
    ranges, draws = estimates(plan, demand, wanted.days, settings, riders, _rng(settings, 4), wanted.asked)
    again = None
    if chosen.joint is None:
        again = solver_of(chosen.problem, plan.cost_s, chosen.result)
    across = Across(plan, again, chosen.scenarios, chosen.robust)
    rng = _rng(settings, 6)
    riding = riding_minutes(inputs.flows, inputs.network, demand.days, settings.timezone, wanted.asked)
    changing = changing_demand(across, demand, inputs.grids, settings, rng, wanted.asked, riding)
    return Checked(shares, coverage, ranges, draws, curve, changing)


def _stability(inputs: StudyInputs, wanted: Wanted, chosen: Chosen, riders: int) -> FloatArray | None:
    if inputs.settings.draws == 0:
        return None
    cost_s = chosen.plan.cost_s
    problem = chosen.problem if chosen.joint is None else chosen.joint.again
    return chosen_shares(
        wanted.demand,
        inputs.settings.weights,
        wanted.training,
        solver_of(problem, cost_s, chosen.result),
        sites=cost_s.shape[1],
        riders=riders,
        draws=inputs.settings.draws,
        rng=_rng(inputs.settings, 3),
    )


def _rng(settings: StudySettings, stream: int) -> np.random.Generator:
    return np.random.default_rng([settings.seed, stream])
