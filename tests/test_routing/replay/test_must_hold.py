"""What must hold whatever comes: order of input, far riders, ties, and the edges of plans and windows."""

import dataclasses

import numpy as np
import pytest
from ascii_map import ascii_map
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice import lattice
from towns import NOW, place_in, some_riders, some_tasks

from routing.match import match_tasks
from routing.model.policy import Policy
from routing.model.results import MatchResult, Seconds
from routing.model.riders import Rider, Stop
from routing.model.tasks import Task, Visit
from routing.proof.verify import Checker

TOWN = lattice(10)
WIDE = Policy(max_extra_s=3000.0, max_extra_per_hour_s=3600.0)
RULES = Policy(max_extra_s=600.0, max_extra_per_hour_s=900.0, slack_kept_s=10.0, fairness_s_per_point=3.0)


def told(result: MatchResult) -> list[tuple[object, ...]]:
    """Everything an answer says, matches and refusals."""
    matches: list[tuple[object, ...]] = [
        (m.task_id, m.rider_id, m.place, m.dropoff_place, m.extra_s, m.stops, m.runner_up, m.plan)
        for m in result.matches
    ]
    return matches + [(r,) for r in result.refused]


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), everything=st.booleans(), twins=st.integers(1, 3))
def test_the_order_of_the_input_changes_nothing_also_among_ties(
    seed: int, everything: bool, twins: int
) -> None:
    """Every rider stands there `twins` times, alike but for the id: ties everywhere."""
    rng = np.random.default_rng(seed)
    some = some_riders(TOWN, rng, 4, everything=everything)
    riders = [
        dataclasses.replace(rider, rider_id=f"{rider.rider_id}-{twin}")
        for rider in some
        for twin in range(twins)
    ]
    tasks = some_tasks(TOWN, rng, 4, everything=everything)
    straight = match_tasks(TOWN, riders, tasks, RULES, NOW)
    shuffled = [riders[at] for at in rng.permutation(len(riders))]
    mixed = [tasks[at] for at in rng.permutation(len(tasks))]
    assert told(match_tasks(TOWN, shuffled, mixed, RULES, NOW)) == told(straight)
    for match in straight.matches:
        # Of riders who are alike, the first by id who still has no task.
        name, twin = match.rider_id.rsplit("-", 1)
        taken = {m.rider_id for m in straight.matches}
        assert all(f"{name}-{before}" in taken for before in range(int(twin)))


TWO_TOWNS = ascii_map(
    """
    A---------B---------C                                                                     P---------Q
    |         |         |                                                                     |         |
    |         |         |                                                                     |         |
    D---------E---------F---------------------------------------------------------------------R---------S
    """,
    {"ABC": {}, "DEF": {}, "AD": {}, "BE": {}, "CF": {}, "FR": {}, "PQ": {}, "RS": {}, "PR": {}, "QS": {}},
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 6))
def test_riders_far_away_never_change_an_answer(seed: int, count: int) -> None:
    """Riders of the other town, whatever their plans, are too far to be asked."""
    rng = np.random.default_rng(seed)
    network = TWO_TOWNS.network()
    corners = TWO_TOWNS.lonlat("ABCDEF")
    far = TWO_TOWNS.lonlat("PQRS")

    def near_place() -> tuple[float, float]:
        lon, lat = rng.uniform(corners.min(axis=0), corners.max(axis=0))
        return float(lon), float(lat)

    def far_place() -> tuple[float, float]:
        lon, lat = far[int(rng.integers(len(far)))]
        return float(lon), float(lat)

    policy = Policy(max_extra_s=200.0, max_extra_per_hour_s=200.0)
    home = [Rider("r0", near_place()), Rider("r1", near_place(), stops=(Stop("s", near_place()),))]
    away = [
        Rider(f"far{at}", far_place(), stops=tuple(Stop(f"s{k}", far_place()) for k in range(at)))
        for at in range(count)
    ]
    task = Task("t", Visit(near_place(), 20.0))
    alone = match_tasks(network, home, [task], policy, NOW)
    crowd = match_tasks(network, [*away, *home], [task], policy, NOW)
    assert told(alone) == told(crowd)
    assert alone.matches


@pytest.mark.parametrize("pair", [False, True])
@pytest.mark.parametrize("stops", [0, 1])
def test_empty_plans_and_one_stop(stops: int, pair: bool) -> None:
    rng = np.random.default_rng(3)
    plan = tuple(Stop(f"s{at}", place_in(TOWN, rng), 30.0) for at in range(stops))
    rider = Rider("r", place_in(TOWN, rng), stops=plan)
    end = Visit(place_in(TOWN, rng), 20.0) if pair else None
    task = Task("t", Visit(place_in(TOWN, rng), 20.0), end, kind="errand" if pair else "visit")
    (match,) = match_tasks(TOWN, [rider], [task], WIDE, NOW).matches
    assert Checker(TOWN, WIDE).match(rider, match, task, NOW) == ()
    assert len(match.stops) == stops
    assert len(match.plan.stops) == stops + (2 if pair else 1)


@pytest.mark.parametrize("gap_ms", [-1, 0, 1])
def test_a_window_is_met_to_the_millisecond(gap_ms: int) -> None:
    rng = np.random.default_rng(5)
    rider, place = Rider("r", place_in(TOWN, rng)), place_in(TOWN, rng)
    start_s = match_tasks(TOWN, [rider], [Task("t", Visit(place, 9.0))], WIDE, NOW).matches[0].start_s
    task = Task("t", Visit(place, 9.0, latest_s=start_s + gap_ms / 1000))
    assert bool(match_tasks(TOWN, [rider], [task], WIDE, NOW).matches) == (gap_ms >= 0)


def test_windows_that_are_over_and_places_that_no_street_joins_are_refused() -> None:
    rng = np.random.default_rng(6)
    rider = Rider("r", place_in(TOWN, rng))
    over = Task("t", Visit(place_in(TOWN, rng), 9.0, latest_s=NOW - 1.0))
    assert match_tasks(TOWN, [rider], [over], WIDE, NOW).refused[0].binding.rule == "window"
    parts = ascii_map("A--------------B              C--------------D", {"AB": {}, "CD": {}})
    start, there = (tuple(parts.lonlat([name])[0].tolist()) for name in ("A", "D"))
    lost = match_tasks(parts.network(), [Rider("r", start)], [Task("t", Visit(there, 9.0))], WIDE, NOW)
    assert (lost.refused[0].binding.rule, lost.refused[0].change.what) == ("unreachable", "none")


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_stop_without_any_slack_is_never_moved(seed: int) -> None:
    """Every stop due at the very instant at which it begins: only what costs nothing before it may come."""
    rng = np.random.default_rng(seed)
    riders = []
    for rider in some_riders(TOWN, rng, 4, everything=False):
        starts = Checker(TOWN, WIDE).plan(rider, NOW).starts
        stops = tuple(
            dataclasses.replace(stop, earliest_s=-np.inf, latest_s=start / 1000)
            for stop, start in zip(rider.stops, starts, strict=True)
        )
        riders.append(dataclasses.replace(rider, stops=stops))
    for match in match_tasks(TOWN, riders, some_tasks(TOWN, rng, 4, everything=False), WIDE, NOW).matches:
        promised = [stop for stop in match.stops if stop.stop_id.startswith("s")]
        assert all(stop.start_after_s <= stop.start_before_s + 1e-6 for stop in promised)


def test_waiting_time_that_belongs_to_a_due_break_is_no_time_for_tasks() -> None:
    """A break is due, and the rider waits half an hour for the next stop: only the break would suffer."""
    rng = np.random.default_rng(8)
    stop = Stop("s", place_in(TOWN, rng), 30.0, earliest_s=NOW + 1800, latest_s=NOW + 2400)
    rested = Rider("r", place_in(TOWN, rng), stops=(stop,))
    task = Task("t", Visit(place_in(TOWN, rng), 20.0, latest_s=NOW + 900))
    assert match_tasks(TOWN, [rested], [task], WIDE, NOW).matches[0].place == 0
    tired = dataclasses.replace(rested, worked_since_break_s=4 * 3600.0)
    refused = match_tasks(TOWN, [tired], [task], WIDE, NOW).refused[0]
    assert (refused.binding.rule, refused.change.what) == ("break", "break")


def test_waiting_at_a_stop_absorbs_delay_before_a_stop_without_slack() -> None:
    """The rider would wait ten minutes at the first stop: a task before it delays nothing behind it."""
    rng = np.random.default_rng(9)
    wait = Stop("w", place_in(TOWN, rng), 30.0, earliest_s=NOW + 900)
    tight = Stop("z", place_in(TOWN, rng), 30.0)
    rider = Rider("r", place_in(TOWN, rng), stops=(wait, tight))
    start_s = Checker(TOWN, WIDE).plan(rider, NOW).starts[1] / 1000
    rider = dataclasses.replace(rider, stops=(wait, dataclasses.replace(tight, latest_s=start_s)))
    task = Task("t", Visit(rider.lonlat, 60.0, latest_s=NOW + 300))
    (match,) = match_tasks(TOWN, [rider], [task], WIDE, NOW).matches
    assert match.place == 0
    assert [stop.start_after_s for stop in match.stops] == [stop.start_before_s for stop in match.stops]


@pytest.mark.parametrize("kept_s", [0.0, 30.0])
@pytest.mark.parametrize("gap_ms", [-1, 0])
def test_no_stop_gets_later_than_it_may_by_a_millisecond(gap_ms: int, kept_s: float) -> None:
    rng = np.random.default_rng(10)
    policy = dataclasses.replace(WIDE, slack_kept_s=kept_s)
    stop = Stop("s", place_in(TOWN, rng), 30.0)
    rider = Rider("r", place_in(TOWN, rng), stops=(stop,))
    task = Task("t", Visit(rider.lonlat, 60.0, latest_s=NOW + 120))
    (match,) = match_tasks(TOWN, [rider], [task], policy, NOW).matches
    assert match.place == 0
    due_s = round(match.stops[0].start_after_s + kept_s + gap_ms / 1000, 3)
    tight = dataclasses.replace(rider, stops=(dataclasses.replace(stop, latest_s=due_s),))
    result = match_tasks(TOWN, [tight], [task], policy, NOW)
    assert bool(result.matches) == (gap_ms == 0)
    if result.refused:
        assert (result.refused[0].binding.rule, result.refused[0].change.amount) == ("late", Seconds(0.001))
