"""Applies the single change that a refusal names to the request that it answered."""

import dataclasses
from collections.abc import Iterator, Sequence

from routing.model.policy import Policy
from routing.model.results import Binding, Count, Metres, Refused, Said, Seconds, SmallestChange
from routing.model.riders import Rider
from routing.model.tasks import Task, Visit
from routing.model.windows import spans_of

NOTHING = Said("")

__all__ = ["amount_of", "applied", "every_change"]


def amount_of(change: SmallestChange) -> float:
    """The number in a change: seconds, metres, people or parcels; 0 without one."""
    match change.amount:
        case Seconds(value) | Metres(value) | Count(value):
            return value
        case None:
            return 0.0


def applied(
    refused: Refused, riders: Sequence[Rider], task: Task, policy: Policy, less_s: float = 0.0
) -> tuple[list[Rider], Task, Policy]:
    """Return the request with the change made, by `less_s` seconds less than told."""
    change = refused.change
    by_s = amount_of(change) - less_s
    people = {rider.rider_id: rider for rider in riders}
    rider = people.get(change.rider_id or "")
    match change.what:
        case "due" | "shift" | "skill" | "capacity":
            assert rider is not None
            people[rider.rider_id] = _rider(change.what, change.subject, by_s, rider)
        case "start" | "longer" | "latest":
            assert (task.dropoff is None) == (change.subject == "")
            if change.subject == "dropoff":
                assert task.dropoff is not None
                task = dataclasses.replace(task, dropoff=_visit(change.what, by_s, task.dropoff))
            else:
                task = dataclasses.replace(task, place=_visit(change.what, by_s, task.place))
        case "mode":
            task = dataclasses.replace(task, modes=task.modes | {change.subject})
        case "people":
            task = dataclasses.replace(task, people=task.people - round(by_s))
        case "status":
            policy = dataclasses.replace(policy, statuses=policy.statuses | {change.subject})
        case _:
            name = {
                "max_extra": "max_extra_s",
                "hour_budget": "max_extra_per_hour_s",
                "day": "day_work_s",
                "break": "continuous_work_s",
                "place": "walk_to_street_m",
            }[change.what]
            policy = dataclasses.replace(policy, **{name: getattr(policy, name) + by_s})
    return list(people.values()), task, policy


def _rider(what: str, subject: str, by_s: float, rider: Rider) -> Rider:
    if what == "shift":
        return dataclasses.replace(rider, shift_end_s=rider.shift_end_s + by_s)
    if what == "skill":
        return dataclasses.replace(rider, skills=rider.skills | {subject})
    if what == "capacity":
        assert rider.capacity is not None
        return dataclasses.replace(rider, capacity=rider.capacity + round(by_s))
    stops = tuple(
        dataclasses.replace(stop, latest_s=stop.latest_s + by_s) if stop.stop_id == subject else stop
        for stop in rider.stops
    )
    return dataclasses.replace(rider, stops=stops)


def _visit(what: str, by_s: float, visit: Visit) -> Visit:
    ends = [visit.earliest_s, *(end for span in visit.closed_s for end in span), visit.latest_s]
    windows = list(zip(ends[::2], ends[1::2], strict=True))
    if what == "start":
        windows = [(first - by_s, last) for first, last in windows]
    elif what == "longer":
        windows = [*((first, last + by_s) for first, last in windows[:-1]), windows[-1]]
    else:
        windows[-1] = windows[-1][0], windows[-1][1] + by_s
    earliest_s, latest_s, closed_s = spans_of(windows)
    return dataclasses.replace(visit, earliest_s=earliest_s, latest_s=latest_s, closed_s=closed_s)


def every_change(
    riders: Sequence[Rider], task: Task, policy: Policy, by_s: float, *, kinds: bool
) -> Iterator[Refused]:
    """All single changes of time, by `by_s` seconds each; `kinds`: also those that are not of time."""
    pair = task.dropoff is not None
    changes: list[tuple[str, float | None, str, str | None]]
    changes = [
        (what, by_s, subject, None) for what in ("start", "longer", "latest") for subject in _visits(pair)
    ]
    changes += [(what, by_s, "", None) for what in ("max_extra", "hour_budget", "day", "break")]
    for rider in riders:
        changes.append(("shift", by_s, "", rider.rider_id))
        changes += [("due", by_s, stop.stop_id, rider.rider_id) for stop in rider.stops]
        if kinds:
            changes += [
                ("skill", None, skill, rider.rider_id) for skill in sorted(task.skills - rider.skills)
            ]
            changes += [("mode", None, rider.mode, None), ("status", None, rider.status, None)]
            if rider.capacity is not None:
                changes.append(("capacity", float(task.load + rider.load), "", rider.rider_id))
    binding = Binding("", "", None, NOTHING)
    for what, seconds, subject, rider_id in dict.fromkeys(changes):
        amount = None if seconds is None else Count(int(seconds)) if what == "capacity" else Seconds(seconds)
        yield Refused(
            task.task_id, binding, rider_id, SmallestChange(what, amount, subject, rider_id, NOTHING)
        )


def _visits(pair: bool) -> tuple[str, ...]:
    return ("pickup", "dropoff") if pair else ("",)
