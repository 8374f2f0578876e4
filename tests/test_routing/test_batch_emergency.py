"""Many tasks at once, holding back, and alerts in phases."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from ascii_map import ascii_map
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice import lattice
from numpy.typing import NDArray
from towns import NOW, place_in, some_riders, some_tasks

from routing.assign import assign_all, assign_round, match_batch
from routing.emergency import Alert, alert_plan, chance_within
from routing.fleet.fleet import Fleet
from routing.fleet.mode_fleet import ModeFleet
from routing.match import match
from routing.model.policy import Policy
from routing.model.riders import Rider, Stop
from routing.model.tasks import Task, Visit
from routing.proof.verify import Checker

TOWN = lattice(10)
POLICY = Policy(max_extra_s=900.0, max_extra_per_hour_s=1200.0)


def fleet_of(riders: list[Rider], policy: Policy = POLICY) -> Fleet:
    fleet = Fleet(TOWN, policy)
    fleet.put(riders, NOW)
    return fleet


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), listed=st.sampled_from([1, 2, 16]))
def test_a_round_is_the_cheapest_of_all_assignments(seed: int, listed: int) -> None:
    rng = np.random.default_rng(seed)
    fleet = fleet_of(some_riders(TOWN, rng, 5, everything=False))
    tasks = some_tasks(TOWN, rng, 3, everything=False)
    ranks = [{one.rider_id: one.rank_ms for one in row} for row in fleet.best(tasks, 5, NOW)]
    best = (0, 0)
    for choice in itertools.product([None, *fleet.rider_ids], repeat=len(tasks)):
        used = [rider for rider in choice if rider is not None]
        if len(set(used)) == len(used) and all(
            r is None or r in row for r, row in zip(choice, ranks, strict=True)
        ):
            cost = sum(row[r] for r, row in zip(choice, ranks, strict=True) if r is not None)
            best = min(best, (-len(used), cost))
    assigned, left = assign_round(fleet, tasks, NOW, listed=listed)
    assert (-len(assigned), sum(found.rank_ms for _, found, _ in assigned)) == best
    assert len(assigned) + len(left) == len(tasks)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), everything=st.booleans())
def test_a_batch_holds_and_is_no_dearer_than_one_by_one(seed: int, everything: bool) -> None:
    rng = np.random.default_rng(seed)
    riders = some_riders(TOWN, rng, 5, everything=everything)
    tasks = some_tasks(TOWN, rng, 7, everything=everything)
    matches, refused = match_batch(fleet_of(riders), tasks, NOW, threads=2)
    assert len(matches) + len(refused) == len(tasks)
    checker = Checker(TOWN, POLICY)
    plans = {rider.rider_id: rider for rider in riders}
    by_id = {task.task_id: task for task in tasks}
    for one in matches:
        before = plans[one.rider_id]
        assert checker.match(before, one, by_id[one.task_id], NOW) == ()
        used_s = before.extra_last_hour_s + one.extra_s
        plans[one.rider_id] = dataclasses.replace(one.plan, extra_last_hour_s=used_s)
    single, _ = match(fleet_of(riders), tasks, NOW)
    # Weighted by priority, nothing may be lost by looking at the tasks together.
    lowest = min(task.priority for task in tasks)
    weight = {task.task_id: 1 + task.priority - lowest for task in tasks}
    assert sum(weight[one.task_id] for one in matches) >= sum(weight[one.task_id] for one in single)


def columns_of(mode_fleet: ModeFleet) -> dict[str, NDArray[np.float64]]:
    """The used rows of the columns, without those of the lists, whose order is free."""
    used = (np.arange(mode_fleet.width) <= mode_fleet.c.stops[:, None]).ravel()
    free = {"following", "previous", "edge_head", "long_slot", "long_at", "order"}
    found = {}
    for name in set(mode_fleet.c._fields) - free:
        column = getattr(mode_fleet.c, name)
        found[name] = column[used] if len(column) == len(used) else column.copy()
    return found


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), everything=st.booleans())
def test_an_assignment_changes_nothing_and_is_what_the_batch_does(seed: int, everything: bool) -> None:
    rng = np.random.default_rng(seed)
    fleet = fleet_of(some_riders(TOWN, rng, 5, everything=everything))
    tasks = some_tasks(TOWN, rng, 9, everything=everything)
    before = {mode: columns_of(mode_fleet) for mode, mode_fleet in fleet.mode_fleets.items()}
    assigned, left = assign_all(fleet, tasks, NOW)
    given = [one.task for one in assigned] + list(left)
    assert sorted(task.task_id for task in given) == sorted(task.task_id for task in tasks)
    for mode, mode_fleet in fleet.mode_fleets.items():
        for name, column in columns_of(mode_fleet).items():
            assert np.array_equal(before[mode][name], column), name
    alone = {one.task.task_id: one.found for one in assigned if not one.shared}
    matches, _ = match_batch(fleet, tasks, NOW)
    for one in matches:
        if one.task_id in alone:
            found = alone[one.task_id]
            assert (one.rider_id, one.place) == (found.rider_id, found.place)


def test_fairness_asks_who_has_given_less() -> None:
    rng = np.random.default_rng(1)
    here = place_in(TOWN, rng)
    riders = [Rider("a", here, contribution=30.0), Rider("b", here, contribution=10.0)]
    task = Task("t", Visit(here, 30.0))
    fair = dataclasses.replace(POLICY, fairness_s_per_point=2.0)
    assert fleet_of(riders).best([task], 2, NOW)[0][0].rider_id == "a"
    first, second = fleet_of(riders, fair).best([task], 2, NOW)[0]
    assert (first.rider_id, second.rank_ms - first.rank_ms) == ("b", 40_000)
    assert first.extra_ms == second.extra_ms


def test_alerts_go_to_the_soonest_capable_riders_in_phases() -> None:
    rng = np.random.default_rng(2)
    riders = some_riders(TOWN, rng, 30, everything=True)
    fleet = fleet_of(riders)
    task = Task("e", Visit(place_in(TOWN, rng), 600.0), kind="first_response", skills=frozenset({"aid"}))
    plan = alert_plan(fleet, task, NOW, drill=True)
    assert plan.drill
    assert plan.alerts
    ways = [alert.travel_s for alert in plan.alerts]
    assert ways == sorted(ways)
    known = {rider.rider_id: rider for rider in riders}
    assert all("aid" in known[alert.rider_id].skills for alert in plan.alerts)
    assert all(known[alert.rider_id].status != "off" for alert in plan.alerts)
    for phase, size in enumerate(POLICY.emergency.phase_riders):
        assert sum(alert.phase == phase for alert in plan.alerts) <= size
    assert plan.soonest_s == min(alert.arrives_s for alert in plan.alerts)
    sure = alert_plan(fleet, task, NOW, acceptance={alert.rider_id: 1.0 for alert in plan.alerts})
    assert sure.probability == 1.0 if sure.soonest_s <= plan.within_s else sure.probability == 0.0


def test_late_stops_of_an_alerted_rider_are_told() -> None:
    rng = np.random.default_rng(4)
    stop = Stop("s", place_in(TOWN, rng), latest_s=NOW + 400)
    fleet = fleet_of([Rider("r", place_in(TOWN, rng), stops=(stop,))])
    plan = alert_plan(fleet, Task("e", Visit(place_in(TOWN, rng), 900.0)), NOW)
    ((name, late_s),) = plan.alerts[0].late_stops
    assert name == "s"
    assert late_s > 400


def alert(phase: int, arrives_s: float, acceptance: float) -> Alert:
    return Alert(f"{phase}-{arrives_s}", phase, 0.0, 0.0, arrives_s, acceptance, ())


@pytest.mark.parametrize("within_s", [50.0, 150.0, 400.0])
def test_the_chance_agrees_with_a_simulation(within_s: float) -> None:
    alerts = (
        alert(0, 100, 0.3),
        alert(0, 300, 0.4),
        alert(1, 140, 0.2),
        alert(1, 350, 0.5),
        alert(2, 390, 0.9),
    )
    rng = np.random.default_rng(3)
    times = []
    for _ in range(20_000):
        arrived = math.inf
        for phase in range(3):
            accepted = [a for a in alerts if a.phase == phase and rng.random() < a.acceptance]
            if accepted:
                arrived = min(a.arrives_s for a in accepted)
                break
        times.append(arrived)
    share = sum(one <= within_s for one in times) / len(times)
    assert chance_within(alerts, within_s) == pytest.approx(share, abs=0.015)
    assert chance_within((), within_s) == 0.0


def test_stops_that_cannot_be_reached_from_the_emergency_are_told_as_such() -> None:
    town = ascii_map("A--------B--------C", {"AB": {}, "BC": {"oneway": True}})
    start, before, there = (tuple(town.lonlat([name])[0].tolist()) for name in ("AB", "A", "C"))
    fleet = Fleet(town.network(), POLICY)
    fleet.put([Rider("r", start, stops=(Stop("s", before, latest_s=NOW + 900),))], NOW)
    plan = alert_plan(fleet, Task("e", Visit(there, 60.0)), NOW)
    assert plan.alerts[0].late_stops == (("s", math.inf),)


def test_walks_keep_their_pace_whatever_the_speed_factor() -> None:
    """Emergency and next stop stand 50 m off the street: a slow rider drives slower, but walks the same."""
    town = ascii_map("A---B---C---D", {"ABCD": {}})
    network = town.network()
    start, here, there = (town.lonlat([name])[0] for name in ("A", "B", "D"))
    aside = np.array([0.0, 50.0 / 111_195])
    stop = Stop("s", (float(there[0]), float(there[1] + aside[1])), latest_s=NOW + 1.0)
    task = Task("e", Visit((float(here[0]), float(here[1] + aside[1])), 60.0))
    walk_s = float(network.snap(np.array([task.place.lonlat]), "ebike").walk_ms[0]) / 1000
    assert walk_s > 20
    plans = []
    for factor in (1.0, 2.0):
        rider = Rider("r", (float(start[0]), float(start[1])), stops=(stop,), speed_factor=factor)
        fleet = Fleet(network, POLICY)
        fleet.put([rider], NOW)
        plans.append(alert_plan(fleet, task, NOW).alerts[0])
    slow, fast = plans[1], plans[0]
    assert slow.travel_s - walk_s == pytest.approx(2 * (fast.travel_s - walk_s), abs=0.01)
    on_s = [one.late_stops[0][1] + 1.0 - one.arrives_s - 60.0 for one in (fast, slow)]
    assert on_s[1] - 2 * walk_s == pytest.approx(2 * (on_s[0] - 2 * walk_s), abs=0.01)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_task_that_moved_away_leaves_no_other_one_too_dear(seed: int) -> None:
    """A task was cheap beside another of the same rider; improvement moved that one to somebody else."""
    rng = np.random.default_rng(seed)
    policy = Policy(max_extra_s=240.0, max_extra_per_hour_s=900.0)
    fleet = Fleet(TOWN, policy)
    fleet.put(some_riders(TOWN, rng, 4, everything=False), NOW)
    for account in match_batch(fleet, some_tasks(TOWN, rng, 14, everything=False), NOW)[0]:
        assert account.extra_s <= policy.max_extra_s + 0.002
