"""A task that was given stays before the break that falls due, also when another one is put before it."""

import dataclasses

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice import lattice
from towns import NOW, in_windows, some_riders, some_tasks

from routing.match import match_tasks
from routing.model.policy import Policy
from routing.model.riders import Rider, Stop
from routing.model.tasks import Task, Visit
from routing.proof.verify import Checker

TOWN = lattice(10)
POLICY = Policy(max_extra_s=3000.0, max_extra_per_hour_s=3600.0)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_later_task_pushes_one_behind_the_break(seed: int) -> None:
    rng = np.random.default_rng(seed)
    riders, tasks = in_windows(
        rng, some_riders(TOWN, rng, 3, everything=False), some_tasks(TOWN, rng, 8, everything=False)
    )
    riders = [
        dataclasses.replace(rider, worked_since_break_s=14_400.0 - float(rng.uniform(300, 1500)))
        for rider in riders
    ]
    known = {rider.rider_id: rider for rider in riders}
    result = match_tasks(TOWN, riders, tasks, POLICY, NOW)
    checker = Checker(TOWN, POLICY)
    for plan in {match.rider_id: match.plan for match in result.matches}.values():
        due_ms = (NOW + 14_400.0 - known[plan.rider_id].worked_since_break_s) * 1000
        driven = checker.plan(plan, NOW)
        done = {stop.stop_id: leave for stop, leave in zip(plan.stops, driven.leaves, strict=True)}
        assert all(done[task.task_id] <= due_ms + 1 for task in tasks if task.task_id in done)


def test_waiting_after_a_task_is_no_room_for_another_that_ends_too_late() -> None:
    lon, lat = TOWN.node_lonlat[0].tolist()
    here = (lon, lat)
    stop = Stop("far", here, 0.0, NOW + 3000.0)
    rider = Rider("r", here, stops=(stop,), worked_since_break_s=14_400.0 - 500.0)
    tasks = [Task(name, Visit(here, 300.0)) for name in ("a", "b")]
    result = match_tasks(TOWN, [rider], tasks, POLICY, NOW)
    assert [match.task_id for match in result.matches] == ["a"]
    (refused,) = result.refused
    assert (refused.binding.rule, refused.binding.by_s) == ("break", 100.0)
