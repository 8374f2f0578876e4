"""Pick-up and drop-off pairs against brute force over all riders and all pairs of places."""

import dataclasses

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice import lattice
from towns import NOW, in_windows, place_in, some_riders

from routing.fleet.fleet import Fleet
from routing.fleet.pairs import best_pairs
from routing.match import match_tasks
from routing.model.policy import Policy
from routing.model.results import Match, StopSlack
from routing.model.riders import Rider, Stop
from routing.model.tasks import Task, Visit, stops_of
from routing.proof.verify import Checker

TOWN = lattice(10)
POLICY = Policy(max_extra_s=1500.0, max_extra_per_hour_s=1500.0, slack_kept_s=10.0)


def all_pairs(checker: Checker, rider: Rider, task: Task) -> list[tuple[int, int, int]]:
    """(extra, pick-up place, drop-off place) of every allowed pair of places, as the checker reckons."""
    found = []
    pickup, dropoff = stops_of(task)
    old = checker.plan(rider, NOW)
    for i in range(len(rider.stops) + 1):
        for j in range(i, len(rider.stops) + 1):
            stops = (*rider.stops[:i], pickup, *rider.stops[i:j], dropoff, *rider.stops[j:])
            match = _claim(checker, rider, task, (i, j), dataclasses.replace(rider, stops=stops))
            if match is not None and not checker.match(rider, match, task, NOW):
                found.append((round(match.extra_s * 1000), i, j))
    assert old.starts is not None
    return found


def _claim(checker: Checker, rider: Rider, task: Task, at: tuple[int, int], after: Rider) -> Match | None:
    new = checker.plan(after, NOW)
    if any(text.startswith("load") for text in new.problems):
        return None
    places = [after.lonlat, *(stop.lonlat for stop in after.stops)]
    leave = [checker.leaving_ms(after, NOW), *new.leaves]
    old = [checker.leaving_ms(rider, NOW), *checker.plan(rider, NOW).leaves]

    def leg(a: int, b: int) -> float:
        return checker.leg_ms(rider.mode, places[a], places[b], rider.speed_factor)

    i, j = at
    groups = [(i + 1, j + 2)] if i == j else [(i + 1, i + 1), (j + 2, j + 2)]
    extra = 0.0
    for first, last in groups:
        if last + 1 == len(places):
            extra += leave[last] - leave[first - 1]
        else:
            extra += max(leave[last] + leg(last, last + 1) - leave[first - 1] - leg(first - 1, last + 1), 0.0)
    kept = [at for at in range(len(after.stops)) if at not in (i, j + 1)]
    slacks = tuple(
        StopSlack(
            after.stops[at].stop_id,
            0.0,
            new.starts[at] / 1000,
            0.0,
            after.stops[at].latest_s - new.starts[at] / 1000,
        )
        for at in kept
    )
    assert old
    told = (new.starts[i] / 1000, 0.0, extra / 1000, 0.0, 0.0, 0.0)
    way = (np.empty((0, 2)), (), 0.0, 0.0)
    return Match(task.task_id, rider.rider_id, i, j, 0.0, *told, slacks, *way, None, after, (i, j + 1), ())


def pair(rng: np.random.Generator, *, windows: bool) -> Task:
    window = (
        (NOW + float(rng.uniform(0, 200)), NOW + float(rng.uniform(300, 1500)))
        if windows
        else (-np.inf, np.inf)
    )
    return Task(
        "p",
        Visit(place_in(TOWN, rng), 20.0, *window),
        Visit(place_in(TOWN, rng), 30.0, window[0], np.inf),
        kind="errand",
        load=1,
    )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), waits=st.booleans(), windows=st.booleans(), several=st.booleans())
def test_same_extra_and_rider_as_brute_force(seed: int, waits: bool, windows: bool, several: bool) -> None:
    rng = np.random.default_rng(seed)
    riders = some_riders(TOWN, rng, 4, everything=False)
    if waits:
        riders = [
            dataclasses.replace(
                rider,
                stops=tuple(
                    dataclasses.replace(stop, earliest_s=min(NOW + 250.0 * (at + 1), stop.latest_s))
                    for at, stop in enumerate(rider.stops)
                ),
            )
            for rider in riders
        ]
    riders = [dataclasses.replace(rider, capacity=3, load=int(rng.integers(0, 4))) for rider in riders]
    task = pair(rng, windows=windows)
    if several:
        riders, (task,) = in_windows(rng, riders, [task])
    fleet = Fleet(TOWN, POLICY)
    fleet.put(riders, NOW)
    checker = Checker(TOWN, POLICY)
    # Riders whose load never falls: the parcel must fit all the way.
    expected = []
    for rider in riders:
        options = all_pairs(checker, rider, task)
        if options:
            expected.append((min(options)[0], rider.rider_id))
    found = best_pairs(fleet, task, len(riders), NOW)
    assert [(one.extra_ms, one.rider_id) for one in found] == sorted(expected)
    result = match_tasks(TOWN, riders, [task], POLICY, NOW)
    assert len(result.matches) == bool(expected)
    for match in result.matches:
        before = next(rider for rider in riders if rider.rider_id == match.rider_id)
        assert checker.match(before, match, task, NOW) == ()


def test_a_parcel_needs_room_all_the_way() -> None:
    here, there = TOWN.node_lonlat[0], TOWN.node_lonlat[-1]
    first, last = (float(here[0]), float(here[1])), (float(there[0]), float(there[1]))
    rider = Rider("r", first, stops=(Stop("s", last, load_change=-1),), capacity=1, load=1)
    task = Task("p", Visit(first, 5.0), Visit(last, 5.0), kind="errand", load=1)
    wide = Policy(max_extra_s=7200.0, max_extra_per_hour_s=7200.0)
    match = match_tasks(TOWN, [rider], [task], wide, NOW).matches[0]
    assert (match.place, match.dropoff_place) == (1, 1)
    full = dataclasses.replace(rider, stops=())
    refused = match_tasks(TOWN, [full], [task], wide, NOW).refused[0]
    assert refused.binding.rule == "capacity"
