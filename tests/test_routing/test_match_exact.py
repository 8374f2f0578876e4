"""The best insertion against brute force over all riders and places, legs from the independent checker."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice import lattice
from towns import NOW, some_riders, some_tasks

from geo.streets.network import StreetNetwork
from routing.fleet.fleet import Fleet
from routing.match import match_tasks
from routing.model.policy import Policy
from routing.model.results import Seconds
from routing.model.riders import Rider, Stop
from routing.model.tasks import Task, Visit, stops_of
from routing.proof.verify import Checker

TOWN = lattice(10)
PLAIN = Policy(max_extra_s=3000.0, max_extra_per_hour_s=3600.0)
RULES = Policy(max_extra_s=300.0, max_extra_per_hour_s=400.0, slack_kept_s=20.0, fairness_s_per_point=7.0)


def every_insertion(
    checker: Checker, policy: Policy, riders: list[Rider], task: Task
) -> list[tuple[int, str, int, int]]:
    """(rank, rider, place, extra) of the best allowed place of each rider, slowly."""
    found = []
    for rider in riders:
        if (
            rider.mode not in task.modes
            or rider.status not in policy.statuses
            or not task.skills <= rider.skills
        ):
            continue
        if task.platforms and rider.platform not in task.platforms:
            continue
        options = []
        for place in range(len(rider.stops) + 1):
            extra = _extra_ms(checker, policy, rider, task, place)
            if extra is not None:
                options.append((extra, place))
        if options:
            extra, place = min(options)
            rank = extra + round(policy.fairness_s_per_point * rider.contribution * 1000)
            found.append((rank, rider.rider_id, place, extra))
    return sorted(found)


def _extra_ms(checker: Checker, policy: Policy, rider: Rider, task: Task, place: int) -> int | None:
    after = dataclasses.replace(rider, stops=(*rider.stops[:place], *stops_of(task), *rider.stops[place:]))
    old, new = checker.plan(rider, NOW), checker.plan(after, NOW)
    leave = (checker.leaving_ms(rider, NOW), *old.leaves)
    if not task.place.earliest_s * 1000 <= new.starts[place] <= task.place.latest_s * 1000:
        return None
    if place == len(rider.stops):
        extra = new.leaves[place] - leave[place]
    else:
        at = (rider.lonlat, *(stop.lonlat for stop in rider.stops))
        mode, factor = rider.mode, rider.speed_factor
        there = new.leaves[place] + checker.leg_ms(mode, task.place.lonlat, at[place + 1], factor)
        extra = max(there - leave[place] - checker.leg_ms(mode, at[place], at[place + 1], factor), 0)
    budget = min(policy.max_extra_s, max(policy.max_extra_per_hour_s - rider.extra_last_hour_s, 0.0))
    if not extra <= budget * 1000:
        return None
    kept = [start for at_, start in enumerate(new.starts) if at_ != place]
    for stop, was, now in zip(rider.stops, old.starts, kept, strict=True):
        if now > max((stop.latest_s - policy.slack_kept_s) * 1000, was):
            return None
    due = (NOW + policy.continuous_work_s - rider.worked_since_break_s) * 1000
    for at_, stop in enumerate(after.stops):
        if stop.kind == "rest" and stop.service_s >= policy.break_s and at_ != place:
            if new.starts[at_] > max(due, old.starts[at_ - (at_ > place)]):
                return None
            due = new.leaves[at_] + policy.continuous_work_s * 1000
        elif at_ == place and new.leaves[at_] > due:
            return None
    hours = min(rider.shift_end_s, NOW + policy.day_work_s - rider.worked_today_s) * 1000
    if new.leaves[-1] > max(min(hours, due), old.leaves[-1] if old.leaves else leave[0]):
        return None
    return round(extra)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), rules=st.booleans(), everything=st.booleans())
def test_same_riders_in_same_order_as_brute_force(seed: int, rules: bool, everything: bool) -> None:
    rng = np.random.default_rng(seed)
    policy = RULES if rules else PLAIN
    riders = some_riders(TOWN, rng, 7, everything=everything)
    tasks = some_tasks(TOWN, rng, 3, everything=everything)
    fleet = Fleet(TOWN, policy)
    off = fleet.put(riders, NOW)
    assert not off
    checker = Checker(TOWN, policy)
    found = fleet.best(tasks, len(riders), NOW)
    for task, candidates in zip(tasks, found, strict=True):
        expected = every_insertion(checker, policy, riders, task)
        assert [(c.rank_ms, c.rider_id, c.place, c.extra_ms) for c in candidates] == expected


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), rules=st.booleans())
def test_every_answer_passes_the_independent_checker(seed: int, rules: bool) -> None:
    rng = np.random.default_rng(seed)
    policy = RULES if rules else PLAIN
    riders = some_riders(TOWN, rng, 6, everything=True)
    tasks = some_tasks(TOWN, rng, 6, everything=True)
    result = match_tasks(TOWN, riders, tasks, policy, NOW)
    people = {task.task_id: task for task in tasks}
    assert len(result.refused) + len({m.task_id for m in result.matches}) == len(tasks)
    checker = Checker(TOWN, policy)
    plans = {rider.rider_id: rider for rider in riders}
    for match in result.insertions:
        before = plans[match.rider_id]
        assert checker.match(before, match, people[match.task_id], NOW) == ()
        assert all(checker.path(before.mode, way.tolist()) == () for way in match.way_edges)
        plans[match.rider_id] = dataclasses.replace(
            match.plan, extra_last_hour_s=before.extra_last_hour_s + match.extra_s
        )
    # All together: no stop is later than it was, or than it may be.
    for rider in riders:
        old, new = checker.plan(rider, NOW), checker.plan(plans[rider.rider_id], NOW)
        starts = dict(zip((s.stop_id for s in plans[rider.rider_id].stops), new.starts, strict=True))
        for stop, was in zip(rider.stops, old.starts, strict=True):
            assert starts[stop.stop_id] <= max((stop.latest_s - policy.slack_kept_s) * 1000, was) + 1


@pytest.fixture(scope="module")
def town() -> StreetNetwork:
    return TOWN


def at(network: StreetNetwork, east: float, north: float) -> tuple[float, float]:
    west, south, _, _ = network.bounds
    corner = network.project(np.array([[west, south]]))
    point = network.unproject(corner + np.array([[east, north]]))[0]
    return float(point[0]), float(point[1])


def test_a_tie_goes_to_the_first_rider_and_place(town: StreetNetwork) -> None:
    here = at(town, 300, 300)
    riders = [Rider(name, here) for name in ("c", "a", "b")]
    task = Task("t", Visit(at(town, 400, 300), 10.0))
    match = match_tasks(town, riders, [task], PLAIN, NOW).matches[0]
    assert match.rider_id == "a"
    assert match.runner_up is not None
    assert (match.runner_up.rider_id, match.runner_up.difference_s) == ("b", 0.0)


def test_a_rider_far_away_changes_nothing(town: StreetNetwork) -> None:
    rng = np.random.default_rng(5)
    riders = some_riders(town, rng, 5, everything=False)
    task = Task("t", Visit(riders[0].lonlat, 10.0))
    alone = Fleet(town, PLAIN)
    alone.put(riders, NOW)
    more = Fleet(town, PLAIN)
    far = Rider("0far", at(town, 1000, 1000), stops=(Stop("x", at(town, 1050, 1000)),))
    more.put([*riders, far], NOW)
    assert alone.best([task], 1, NOW) == more.best([task], 1, NOW)


def test_zero_slack_lets_only_free_insertions_in(town: StreetNetwork) -> None:
    rider = Rider("r", at(town, 120, 120), stops=(Stop("s", at(town, 480, 120)),))
    start_s = Checker(town, PLAIN).plan(rider, NOW).starts[0] / 1000
    tight = dataclasses.replace(rider, stops=(dataclasses.replace(rider.stops[0], latest_s=start_s),))
    on_the_way = Task("on", Visit(at(town, 240, 120), 0.0))
    result = match_tasks(town, [tight], [on_the_way], PLAIN, NOW)
    # Walks into and out of the task's street cost time: it goes to the end, after the tight stop.
    assert [m.place for m in result.matches] == [1]
    late = dataclasses.replace(rider, stops=(dataclasses.replace(rider.stops[0], latest_s=start_s - 60),))
    result = match_tasks(town, [late], [on_the_way], PLAIN, NOW)
    assert [(stop.stop_id, stop.late_s) for stop in result.late_before] == [("s", 60.0)]
    assert [m.place for m in result.matches] == [1]


def test_a_task_at_a_stop_costs_its_service(town: StreetNetwork) -> None:
    rider = Rider(
        "r", at(town, 120, 120), stops=(Stop("s", at(town, 480, 126)), Stop("z", at(town, 480, 700)))
    )
    task = Task("t", Visit(at(town, 480, 126), 25.0))
    match = match_tasks(town, [rider], [task], PLAIN, NOW).matches[0]
    walk_s = float(town.snap(np.array([task.place.lonlat]), "ebike").walk_ms[0]) / 1000
    assert match.extra_s == pytest.approx(25.0 + 2 * walk_s, abs=1e-6)


def test_insert_then_take_out_restores_the_plan_bit_for_bit(town: StreetNetwork) -> None:
    rng = np.random.default_rng(11)
    riders = some_riders(town, rng, 8, everything=True)
    fleet = Fleet(town, PLAIN)
    fleet.put(riders, NOW)
    kept = {
        mode: [column.copy() for column in mode_fleet.c] for mode, mode_fleet in fleet.mode_fleets.items()
    }
    widths = {mode: mode_fleet.width for mode, mode_fleet in fleet.mode_fleets.items()}
    for rider in riders:
        for place in range(len(rider.stops) + 1):
            fleet.insert(rider.rider_id, place, Stop("new", at(town, 500, 333), 30.0))
            fleet.take_out(rider.rider_id, place)
        assert fleet.rider(rider.rider_id) == rider
    for mode, mode_fleet in fleet.mode_fleets.items():
        assert mode_fleet.width == widths[mode]
        names = mode_fleet.c._fields
        columns: list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = list(mode_fleet.c)  # type: ignore[arg-type]
        for name, before, after in zip(names, kept[mode], columns, strict=True):
            if name in ("following", "previous", "edge_head", "long_slot", "long_at"):
                continue
            if len(before) == len(mode_fleet.c.edge):
                used = np.concatenate([
                    np.arange(row * mode_fleet.width, row * mode_fleet.width + count + 1)
                    for row, count in enumerate(mode_fleet.c.stops) if count >= 0
                ])  # fmt: skip
                before, after = before[used], after[used]
            assert np.array_equal(before, after), name


def test_moving_a_rider_is_the_same_as_putting_one_anew(town: StreetNetwork) -> None:
    rng = np.random.default_rng(3)
    riders = some_riders(town, rng, 6, everything=True)
    fleet = Fleet(town, PLAIN)
    fleet.put(riders, NOW)
    places = np.array([at(town, *rng.uniform(100, 900, 2)) for _ in riders])
    assert fleet.move([rider.rider_id for rider in riders], places, NOW).all()
    moved = [
        dataclasses.replace(rider, lonlat=(float(place[0]), float(place[1])))
        for rider, place in zip(riders, places, strict=True)
    ]
    anew = Fleet(town, PLAIN)
    anew.put(moved, NOW)
    tasks = some_tasks(town, rng, 8, everything=False)
    assert fleet.best(tasks, 6, NOW) == anew.best(tasks, 6, NOW)
    assert fleet.best(tasks, 6, NOW, threads=2) == anew.best(tasks, 6, NOW)


def test_room_for_more_riders_and_stops_changes_no_answer(town: StreetNetwork) -> None:
    rng = np.random.default_rng(4)
    fleet = Fleet(town, PLAIN)
    fleet.put(some_riders(town, rng, 12, everything=True), NOW)
    tasks = some_tasks(town, rng, 8, everything=False)
    before = fleet.best(tasks, 4, NOW)
    assert any(before)
    for mode_fleet in fleet.mode_fleets.values():
        mode_fleet.reserve(500, 40)
    assert fleet.best(tasks, 4, NOW) == before


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    leg_ms=st.integers(0, 300_000),
    first_ms=st.integers(0, 300_000),
    fair=st.booleans(),
)
def test_lists_of_long_legs_and_first_radius_never_change_the_answer(
    seed: int, leg_ms: int, first_ms: int, fair: bool
) -> None:
    rng = np.random.default_rng(seed)
    riders = some_riders(TOWN, rng, 30, everything=True)
    tasks = some_tasks(TOWN, rng, 6, everything=True)
    fleet = Fleet(TOWN, dataclasses.replace(PLAIN, fairness_s_per_point=7.0 if fair else 0.0))
    fleet.put(riders, NOW)
    widest = 4 * 3600 * 1000
    for mode_fleet in fleet.mode_fleets.values():
        mode_fleet.first_ms = widest
    expected = {k: fleet.best(tasks, k, NOW) for k in (1, 3)}
    for mode_fleet in fleet.mode_fleets.values():
        mode_fleet.list_legs_above(leg_ms)
        mode_fleet.first_ms = first_ms
    for k, found in expected.items():
        assert fleet.best(tasks, k, NOW) == found


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), which=st.integers(0, 3))
def test_others_who_are_better_than_a_rider(seed: int, which: int) -> None:
    rng = np.random.default_rng(seed)
    fleet = Fleet(TOWN, RULES)
    fleet.put(some_riders(TOWN, rng, 15, everything=True), NOW)
    tasks = [task for task in some_tasks(TOWN, rng, 6, everything=True) if fleet.best([task], 1, NOW)[0]]
    ranked = fleet.best(tasks, 15, NOW)
    known = [found[min(which, len(found) - 1)] for found in ranked]
    expected = [
        tuple(one for one in found if one.rank_ms < mine.rank_ms and one.rider_id != mine.rider_id)[:2]
        for found, mine in zip(ranked, known, strict=True)
    ]
    assert list(fleet.best(tasks, 2, NOW, better=known)) == expected


def test_places_at_hand_may_be_nested(town: StreetNetwork) -> None:
    rng = np.random.default_rng(9)
    fleet = Fleet(town, PLAIN)
    fleet.put(some_riders(town, rng, 6, everything=False), NOW)
    tasks = some_tasks(town, rng, 4, everything=False)
    expected = fleet.best(tasks, 3, NOW)
    with fleet.at_hand(tasks[:2]):
        with fleet.at_hand(tasks[1:]):
            assert fleet.best(tasks[1:], 3, NOW) == expected[1:]
        assert fleet.best(tasks, 3, NOW) == expected


def test_several_people_are_different_riders_or_nobody(town: StreetNetwork) -> None:
    riders = [Rider(name, at(town, 200 + 50 * i, 240)) for i, name in enumerate("abc")]
    task = Task("t", Visit(at(town, 400, 360), 10.0), people=3)
    result = match_tasks(town, riders, [task], PLAIN, NOW)
    assert sorted(m.rider_id for m in result.matches) == ["a", "b", "c"]
    result = match_tasks(town, riders[:2], [task], PLAIN, NOW)
    assert not result.matches
    assert result.refused[0].binding.rule == "people"


@pytest.mark.parametrize(
    ("rider", "task", "rule", "what"),
    [
        ({}, {"skills": frozenset({"aid"})}, "skill", "skill"),
        ({}, {"modes": frozenset({"car"})}, "mode", "mode"),
        ({"status": "off"}, {}, "status", "status"),
        ({"worked_since_break_s": 4 * 3600.0}, {}, "break", "break"),
        ({"shift_end_s": NOW + 20}, {}, "shift", "shift"),
        ({"worked_today_s": 12 * 3600.0}, {}, "day", "day"),
        ({"extra_last_hour_s": 3600.0}, {}, "hour_budget", "hour_budget"),
        ({}, {"latest_s": NOW + 5}, "window", "latest"),
        ({}, {"latest_s": NOW - 500}, "window", "latest"),
        ({}, {"service_s": 3200.0}, "max_extra", "max_extra"),
    ],
)
def test_each_rule_alone_is_named_with_the_change_that_helps(
    town: StreetNetwork, rider: dict[str, object], task: dict[str, object], rule: str, what: str
) -> None:
    visit = {key: task.pop(key) for key in ("latest_s", "service_s") if key in task}
    one = Rider("r", at(town, 120, 240), **rider)  # type: ignore[arg-type]
    wish = Task("t", Visit(at(town, 480, 240), **{"service_s": 10.0, **visit}), **task)  # type: ignore[arg-type]
    result = match_tasks(town, [one], [wish], PLAIN, NOW)
    refused = result.refused[0]
    assert (refused.binding.rule, refused.change.what, refused.rider_id) == (rule, what, "r")
    if rule == "shift":
        assert refused.binding.by_s is not None
        longer = dataclasses.replace(one, shift_end_s=one.shift_end_s + refused.binding.by_s)
        assert match_tasks(town, [longer], [wish], PLAIN, NOW).matches
        shorter = dataclasses.replace(one, shift_end_s=one.shift_end_s + refused.binding.by_s - 0.002)
        assert not match_tasks(town, [shorter], [wish], PLAIN, NOW).matches


def test_the_stop_that_would_be_late_and_by_how_much(town: StreetNetwork) -> None:
    stops = (Stop("s", at(town, 480, 126), 0.0, latest_s=NOW + 130), Stop("z", at(town, 480, 700)))
    rider = Rider("r", at(town, 120, 120), stops=stops, shift_end_s=NOW + 300)
    task = Task("t", Visit(at(town, 240, 250), 30.0))
    refused = match_tasks(town, [rider], [task], PLAIN, NOW).refused[0]
    assert refused.binding.rule in ("late", "shift")
    assert isinstance(refused.change.amount, Seconds)
    roomy = Policy(max_extra_s=3000.0, max_extra_per_hour_s=3600.0)
    if refused.binding.rule == "late":
        eased = dataclasses.replace(stops[0], latest_s=stops[0].latest_s + refused.change.amount.seconds)
        helped = dataclasses.replace(rider, stops=(eased, stops[1]))
    else:
        helped = dataclasses.replace(rider, shift_end_s=rider.shift_end_s + refused.change.amount.seconds)
    assert match_tasks(town, [helped], [task], roomy, NOW).matches


def test_off_the_network_and_without_riders(town: StreetNetwork) -> None:
    west, south, _, _ = town.bounds
    task = Task("t", Visit((west - 0.01, south), 10.0))
    refused = match_tasks(town, [Rider("r", at(town, 120, 120))], [task], PLAIN, NOW).refused[0]
    assert (refused.binding.rule, refused.change.what) == ("place", "place")
    assert refused.binding.by_s is not None
    assert refused.binding.by_s > 100
    nobody = match_tasks(town, [], [Task("u", Visit(at(town, 1, 1)))], PLAIN, NOW).refused[0]
    assert nobody.binding.rule == "people"
    away = match_tasks(town, [Rider("r", (west - 0.01, south))], [], PLAIN, NOW)
    assert away.off_network[0][0] == "r"
    assert math.isfinite(away.off_network[0][1])
