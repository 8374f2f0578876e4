"""Independent verification of a simulated day: every answer checked, every street driven looked at."""

import dataclasses
from collections.abc import Callable

from geo.streets import Snapped, StreetNetwork
from geo.travel import find_path
from routing.fleet.promises import promised
from routing.model.policy import Policy
from routing.proof.verify import Checker
from routing.replay.day import Day
from routing.replay.simulate import DayResult, Given, simulate

__all__ = ["DayProof", "prove_day"]


@dataclasses.dataclass(frozen=True, eq=False)
class DayProof:
    """A day as simulated, and what the checker found."""

    result: DayResult
    answers: int
    """Tasks given by the policy that were checked; the nearest ones promise nothing and are not."""
    edges: int
    """Directed edges driven, of all ways of the day."""
    problems: tuple[str, ...]
    """One sentence for each promise broken and each illegal street; empty when all holds."""


def prove_day(
    network: StreetNetwork,
    day: Day,
    policy: Policy,
    how: str,
    progress: Callable[[int, int], None] | None = None,
    checker: Checker | None = None,
) -> DayProof:
    """Simulate a day and check it.

    Parameters
    ----------
    network, day, policy, how, progress
        As in `routing.replay.simulate.simulate`.
    checker : Checker, optional
        Of the same network and policy, to be used for several days; made new by default.

    Returns
    -------
    DayProof
    """
    judge = checker or Checker(network, policy)
    for places in (day.start_place, day.stop_place, day.task_place):
        judge.know("ebike", places)
    streets = promised(network, policy)
    problems: list[str] = []
    answers = 0

    def witness(given: Given) -> None:
        nonlocal answers
        answers += 1
        plans = (given.before, given.after)
        found = judge.insertion(*plans, given.task, [given.place], given.now_s, given.extra_s)
        problems.extend(f"task {given.task.task_id}, rider {given.before.rider_id}: {text}" for text in found)

    result = simulate(network, day, policy, how, progress, witness)
    edges = 0
    for start, end, leave_ms, begin_ms, row in _legs(day, result):
        path = find_path(streets, "ebike", start, end)
        if path is None:
            problems.append(f"rider {row} drove where no legal way leads")
            continue
        edges += len(path.directed_edges)
        problems += [f"rider {row}: {text}" for text in judge.path("ebike", path.directed_edges.tolist())]
        if begin_ms < leave_ms + round(path.time_s * 1000):
            problems.append(f"rider {row} was faster than the streets allow")
    return DayProof(result, answers, edges, tuple(problems))


def _legs(day: Day, result: DayResult) -> list[tuple[Snapped, Snapped, int, int, int]]:
    """(from, to, left at, begun at, rider) of every way of the day."""
    legs = []
    at = {row: day.start_place.take([row]) for row in range(day.options.riders)}
    left = dict.fromkeys(at, round(day.options.start_s * 1000))
    for row, number, start in result.visits.tolist():
        task = number < 0
        place = day.task_place.take([-1 - number]) if task else day.stop_place.take([number])
        legs.append((at[row], place, left[row], start, row))
        service = day.task_service[-1 - number] if task else day.stop_service[number]
        at[row], left[row] = place, start + int(service)
    return legs
