"""An independent check of a siting answer: objective and every constraint from raw inputs.

Shares no code with the solvers. Where capacities split demand, the stated flow is checked row by
row; where they do not, the best service is recomputed point by point.
"""

import math

import numpy as np

from geo.errors import YiluError
from siting.problems.define import (
    CostArray,
    MaxCover,
    PCenter,
    PMedian,
    Problem,
    SetCover,
    SitingResult,
    StationPlan,
)

__all__ = ["WrongAnswerError", "require_verified", "verify"]

_SLACK = 1e-6


class WrongAnswerError(YiluError):
    """An answer breaks a constraint or states a wrong figure: a fault of the program, not of the input."""


def require_verified(problem: Problem, cost_s: CostArray, result: SitingResult) -> SitingResult:
    """Return the answer if `verify` finds nothing wrong with it; raise `WrongAnswerError` otherwise."""
    wrong = verify(problem, cost_s, result)
    if wrong:
        raise WrongAnswerError(f"the siting answer does not verify, please report this: {' '.join(wrong)}")
    return result


def verify(problem: Problem, cost_s: CostArray, result: SitingResult) -> tuple[str, ...]:
    """Return what is wrong with the answer, one sentence each; empty when it holds.

    Parameters
    ----------
    problem : the problem that was solved
    cost_s : (n, m) travel times in seconds
    result : the answer to check
    """
    wrong: list[str] = []
    m = cost_s.shape[1]
    if len(set(result.chosen)) != len(result.chosen):
        wrong.append("a site is chosen twice.")
    wrong += [f"site {s} does not exist." for s in result.chosen if not 0 <= s < m]
    if wrong:
        return tuple(wrong)
    wrong += [f"kept site {s} is not chosen." for s in problem.kept if s not in result.chosen]
    most = getattr(problem, "sites", None)
    if most is not None and len(result.chosen) > most:
        wrong.append(f"{len(result.chosen)} sites are chosen, {most} are allowed.")
    if isinstance(problem, StationPlan):
        wrong += _check_options(problem, result)
    if isinstance(problem, MaxCover) and problem.site_cost is not None and problem.budget is not None:
        spent = math.fsum(float(problem.site_cost[s]) for s in result.chosen)
        if spent > problem.budget + _SLACK * max(1.0, problem.budget):
            wrong.append(f"the sites cost {spent:g} yuan, the budget is {problem.budget:g}.")
    served, value = (_by_flow if result.flow is not None else _by_nearest)(problem, cost_s, result, wrong)
    _check_groups(problem, served, wrong)
    scale = max(1.0, abs(value))
    # written so that a value that is not a number is found, too
    if not abs(value - result.objective) <= _SLACK * scale:
        wrong.append(f"the objective is {value:.9g}, {result.objective:.9g} is stated.")
    better_is_more = isinstance(problem, MaxCover | StationPlan)
    beyond = result.objective - result.bound if better_is_more else result.bound - result.objective
    if not beyond <= _SLACK * scale:
        wrong.append(f"the objective {result.objective:.9g} is beyond its own bound {result.bound:.9g}.")
    size = max(abs(result.objective), abs(result.bound))
    gap = 0.0 if size == 0 else abs(result.bound - result.objective) / size
    if not abs(gap - result.gap) <= _SLACK:
        wrong.append(f"the gap is {gap:.6g}, {result.gap:.6g} is stated.")
    if (result.status == "optimal") != (result.gap <= _SLACK):
        wrong.append(f"the status is {result.status} at a gap of {result.gap:.6g}.")
    return tuple(wrong)


def _check_options(problem: StationPlan, result: SitingResult) -> list[str]:
    wrong = []
    sites = [int(problem.option_site[o]) for o in result.options]
    if len(set(sites)) != len(sites):
        wrong.append("a site has two options.")
    if sorted(sites) != sorted(result.chosen):
        wrong.append("the chosen options and the chosen sites do not agree.")
    new = len(set(sites) - set(problem.existing_site))
    if problem.new_sites is not None and new > problem.new_sites:
        wrong.append(f"{new} new sites are chosen, {problem.new_sites} are allowed.")
    closed = [e for e, s in enumerate(problem.existing_site) if s not in sites]
    moved_from = [pair[0] for pair in result.moved]
    moved_to = [pair[1] for pair in result.moved]
    if len(set(moved_from)) != len(moved_from) or len(set(moved_to)) != len(moved_to):
        wrong.append("a station moves twice, or two stations move to one site.")
    for old, new in result.moved:
        if old not in problem.existing_site or old in sites:
            wrong.append(f"site {old} is said to move but is no closed existing station.")
        if new not in sites or new in problem.existing_site:
            wrong.append(f"site {new} is said to take equipment but is no new station.")
    if problem.budget is not None and not wrong:
        spent = math.fsum(float(problem.option_cost[o]) for o in result.options)
        if problem.close_cost is not None:
            spent += math.fsum(float(problem.close_cost[e]) for e in closed)
        if problem.move_saving is not None:
            spent -= math.fsum(
                float(problem.move_saving[problem.existing_site.index(old)]) for old in moved_from
            )
        if spent > problem.budget + _SLACK * max(1.0, problem.budget):
            wrong.append(f"the plan costs {spent:g} yuan, the budget is {problem.budget:g}.")
    return wrong


def _by_nearest(
    problem: Problem, cost_s: CostArray, result: SitingResult, wrong: list[str]
) -> tuple[list[float], float]:
    """Recompute service without capacities: (rider-minutes served a point, objective)."""
    n = len(problem.weight)
    if (
        getattr(problem, "capacity", None) is not None
        or getattr(problem, "option_capacity", None) is not None
    ):
        wrong.append("a problem with capacities needs a flow in its answer.")
    served = [0.0] * n
    times = []
    for i in range(n):
        reachable = [(float(cost_s[i, s]), s) for s in result.chosen if math.isfinite(cost_s[i, s])]
        nearest = min(reachable) if reachable else (math.inf, -1)
        limit = getattr(problem, "limit_s", math.inf)
        within = nearest[0] <= limit and nearest[1] >= 0
        stated = int(result.assignment[i])
        if stated >= 0 and (stated not in result.chosen or float(cost_s[i, stated]) > nearest[0]):
            wrong.append(f"demand point {i} is assigned to site {stated}, which is not its nearest.")
        if within != (stated >= 0):
            wrong.append(
                f"demand point {i} is {'' if within else 'not '}within reach, its assignment differs."
            )
        times.append(nearest[0])
        if isinstance(problem, StationPlan):
            for h in range(problem.weight.shape[1]):
                for o in result.options:
                    if problem.option_open[o, h] and cost_s[i, problem.option_site[o]] <= limit:
                        served[i] += float(problem.weight[i, h])
                        break
        elif within:
            served[i] = float(problem.weight[i])
        if isinstance(problem, SetCover | PMedian | PCenter) and not within:
            wrong.append(f"demand point {i} is not served.")
    return served, _objective(problem, result, served, times)


def _by_flow(
    problem: Problem, cost_s: CostArray, result: SitingResult, wrong: list[str]
) -> tuple[list[float], float]:
    """Check the stated flow row by row: (rider-minutes served a point, objective)."""
    n = len(problem.weight)
    hourly = isinstance(problem, StationPlan)
    limit = float(getattr(problem, "limit_s", math.inf))
    if isinstance(problem, PCenter):
        limit = result.objective
    served = [0.0] * n
    from_cell: dict[tuple[int, int], float] = {}
    to_site: dict[tuple[int, int], float] = {}
    seconds = 0.0
    latest = 0.0
    assert result.flow is not None  # noqa: S101 - the caller has looked
    columns = (result.flow.demand, result.flow.hour, result.flow.site, result.flow.amount)
    for i, h, s, amount in zip(*(c.tolist() for c in columns), strict=True):
        if s not in result.chosen:
            wrong.append(f"site {s} serves demand point {i} but is not chosen.")
        if cost_s[i, s] > limit or amount < -_SLACK:
            wrong.append(f"site {s} is out of reach of demand point {i}, or serves less than nothing.")
        served[i] += amount
        from_cell[i, h] = from_cell.get((i, h), 0.0) + amount
        to_site[s, h] = to_site.get((s, h), 0.0) + amount
        seconds += amount * float(cost_s[i, s])
        latest = max(latest, float(cost_s[i, s]))
    for (i, h), amount in from_cell.items():
        there = float(problem.weight[i, h] if hourly else problem.weight[i])
        if amount > there + 1e-5 * max(1.0, there):
            wrong.append(f"demand point {i} is served {amount:g} of {there:g} rider-minutes in hour {h}.")
    for (s, h), amount in to_site.items():
        holds = _holds(problem, result, s, h)
        if amount > holds + 1e-5 * max(1.0, holds):
            wrong.append(f"site {s} serves {amount:g} rider-minutes in hour {h}, it holds {holds:g}.")
    if isinstance(problem, SetCover | PMedian | PCenter):
        wrong += [
            f"demand point {i} is served {served[i]:g} of {float(problem.weight[i]):g}."
            for i in range(n)
            if abs(served[i] - float(problem.weight[i])) > 1e-5 * max(1.0, float(problem.weight[i]))
        ]
    if isinstance(problem, PMedian | PCenter | SetCover):
        for i in range(n):
            if problem.weight[i] == 0:
                nearest = min((float(cost_s[i, s]) for s in result.chosen), default=math.inf)
                latest = max(latest, nearest)
                if not nearest <= limit or nearest == math.inf:
                    wrong.append(f"demand point {i} is out of reach of every chosen site.")
    main: dict[int, dict[int, float]] = {}
    for i, s, amount in zip(columns[0].tolist(), columns[2].tolist(), columns[3].tolist(), strict=True):
        there_of = main.setdefault(i, {})
        there_of[s] = there_of.get(s, 0.0) + amount
    for i in range(n):
        most = max(main.get(i, {-1: 0.0}).values())
        stated = main.get(i, {}).get(int(result.assignment[i]), 0.0)
        if stated < most - 1e-5 * max(1.0, most):
            wrong.append(f"demand point {i} is not assigned to the site that serves most of it.")
    if isinstance(problem, PMedian):
        return served, seconds
    return served, _objective(problem, result, served, [latest])


def _holds(problem: Problem, result: SitingResult, site: int, hour: int) -> float:
    if isinstance(problem, StationPlan):
        for o in result.options:
            if problem.option_site[o] == site:
                holds = math.inf if problem.option_capacity is None else float(problem.option_capacity[o])
                return holds if problem.option_open[o, hour] else 0.0
        return 0.0
    return math.inf if problem.capacity is None else float(problem.capacity[site])


def _objective(problem: Problem, result: SitingResult, served: list[float], times: list[float]) -> float:
    if isinstance(problem, MaxCover | StationPlan):
        return math.fsum(served)
    if isinstance(problem, SetCover):
        if problem.site_cost is None:
            return float(len(result.chosen))
        return math.fsum(float(problem.site_cost[s]) for s in result.chosen)
    if isinstance(problem, PMedian):
        return math.fsum(float(w) * t for w, t in zip(problem.weight, times, strict=True) if w > 0)
    return max(times, default=0.0)


def _check_groups(problem: Problem, served: list[float], wrong: list[str]) -> None:
    if (
        not isinstance(problem, MaxCover | StationPlan)
        or problem.group is None
        or problem.group_share is None
    ):
        return
    for g, share in enumerate(problem.group_share.tolist()):
        members = np.nonzero(problem.group == g)[0]
        total = math.fsum(float(problem.weight[i].sum()) for i in members)
        got = math.fsum(served[i] for i in members)
        if got < share * total - 1e-5 * max(1.0, total):
            wrong.append(f"group {g} is served {got:g} of {total:g} rider-minutes, {share:g} is asked for.")
