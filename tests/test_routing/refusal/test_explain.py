"""Why not: the smallest single change, applied, makes the match possible, and a little less does not."""

import dataclasses

import numpy as np
import pytest
from changes import amount_of, applied, every_change
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice import lattice
from towns import NOW, in_windows, place_in, some_riders, some_tasks

from geo.errors import InputError
from routing.best_riders import candidates_for
from routing.fleet.fleet import Fleet
from routing.match import match_tasks
from routing.model.policy import Policy
from routing.model.riders import Rider, Stop
from routing.model.tasks import Task, Visit
from routing.refusal.explain import refusal, why_not
from routing.refusal.relaxations import near_misses

TOWN = lattice(10)
TIGHT = Policy(max_extra_s=120.0, max_extra_per_hour_s=240.0, slack_kept_s=15.0)
WIDE = Policy(max_extra_s=3000.0, max_extra_per_hour_s=3600.0)
KINDS = ("mode", "skill", "status", "capacity")


def hard_tasks(rng: np.random.Generator, count: int, *, pairs: bool) -> list[Task]:
    """Tasks that are often refused: narrow windows, skills, modes, people; as pairs with a load."""
    tasks = []
    for task in some_tasks(TOWN, rng, count, everything=True):
        if pairs:
            first_s = NOW + float(rng.uniform(0, 900))
            windows = [(-np.inf, np.inf), (first_s, first_s + float(rng.uniform(0, 300)))]
            place = Visit(place_in(TOWN, rng), 20.0, *windows[int(rng.integers(2))])
            later = windows[int(rng.integers(2))]
            end = Visit(place_in(TOWN, rng), 30.0, later[0] + 120, later[1] + 240)
            task = dataclasses.replace(task, place=place, dropoff=end, kind="errand", load=2)
        tasks.append(dataclasses.replace(task, people=int(rng.choice([1, 1, 1, 2, 3]))))
    return tasks


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    tight=st.booleans(),
    pairs=st.booleans(),
    several=st.booleans(),
    count=st.integers(1, 6),
)
def test_the_change_told_is_enough_and_the_smallest(
    seed: int, tight: bool, pairs: bool, several: bool, count: int
) -> None:
    rng = np.random.default_rng(seed)
    policy = TIGHT if tight else WIDE
    riders = [
        dataclasses.replace(rider, capacity=3, load=int(rng.integers(0, 4)))
        for rider in some_riders(TOWN, rng, count, everything=True)
    ]
    tasks = hard_tasks(rng, 4, pairs=pairs)
    if several:
        riders, tasks = in_windows(rng, riders, tasks)
    for task in tasks:
        result = match_tasks(TOWN, riders, [task], policy, NOW)
        for refused in result.refused:
            change = refused.change
            if change.what == "none":
                assert change.said.key == "change.none"
                continue
            helped = applied(refused, riders, task, policy)
            assert match_tasks(TOWN, helped[0], [helped[1]], helped[2], NOW).matches, change
            if change.what in (*KINDS, "people"):
                continue
            less = applied(refused, riders, task, policy, less_s=0.002)
            assert not match_tasks(TOWN, less[0], [less[1]], less[2], NOW).matches, change


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), pairs=st.booleans(), several=st.booleans())
def test_no_smaller_change_and_none_where_none_is_told(seed: int, pairs: bool, several: bool) -> None:
    """All single changes there are, tried one by one."""
    rng = np.random.default_rng(seed)
    riders = [
        dataclasses.replace(rider, capacity=3, load=int(rng.integers(0, 4)))
        for rider in some_riders(TOWN, rng, 2, everything=True)
    ]
    (task,) = hard_tasks(rng, 1, pairs=pairs)
    task = dataclasses.replace(task, people=1)
    if several:
        riders, (task,) = in_windows(rng, riders, [task])
    for refused in match_tasks(TOWN, riders, [task], TIGHT, NOW).refused:
        told = refused.change
        weight_s = 40_000.0 if told.what == "none" else 600.0 if told.what in KINDS else amount_of(told)
        kinds = told.what == "none" or weight_s > 602
        for other in every_change(riders, task, TIGHT, weight_s - 2, kinds=kinds):
            tried = applied(other, riders, task, TIGHT)
            assert not match_tasks(TOWN, tried[0], [tried[1]], tried[2], NOW).matches, (told, other.change)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), tight=st.booleans(), pairs=st.booleans(), several=st.booleans())
def test_judging_all_places_allows_whom_the_search_finds(
    seed: int, tight: bool, pairs: bool, several: bool
) -> None:
    rng = np.random.default_rng(seed)
    riders = some_riders(TOWN, rng, 6, everything=True)
    tasks = hard_tasks(rng, 3, pairs=pairs)
    if several:
        riders, tasks = in_windows(rng, riders, tasks)
    fleet = Fleet(TOWN, TIGHT if tight else WIDE)
    fleet.put(riders, NOW)
    for task in tasks:
        found = candidates_for(fleet, task, len(riders), NOW)
        judged = {}
        for mode_fleet in fleet.mode_fleets.values():
            misses = near_misses(fleet, mode_fleet, task, NOW)
            for row, extra, place, end in () if misses is None else misses.allowed:
                judged[fleet.id_at(mode_fleet.mode, row)] = (extra, place, end)
        assert {one.rider_id: one.extra_ms for one in found} == {name: one[0] for name, one in judged.items()}
        if not pairs:
            assert {one.rider_id: one.place for one in found} == {
                name: one[1] for name, one in judged.items()
            }


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), pairs=st.booleans(), nearest=st.integers(1, 8))
def test_the_nearest_alone_give_a_true_reason(seed: int, pairs: bool, nearest: int) -> None:
    """Of a few riders who are looked at, what is said of the one who comes nearest is what is said of all."""
    rng = np.random.default_rng(seed)
    riders = some_riders(TOWN, rng, 8, everything=True)
    fleet = Fleet(TOWN, TIGHT)
    fleet.put(riders, NOW)
    for task in hard_tasks(rng, 4, pairs=pairs):
        task = dataclasses.replace(task, people=1)
        if candidates_for(fleet, task, 1, NOW):
            continue
        whole, told = refusal(fleet, task, NOW), refusal(fleet, task, NOW, nearest)
        if told.rider_id is None or told.change.what == "none":
            assert whole.rider_id is None or told.rider_id is not None
            continue
        helped = applied(told, riders, task, TIGHT)
        assert match_tasks(TOWN, helped[0], [helped[1]], helped[2], NOW).matches, told.change
        if whole.change.what != "none" and told.change.what not in (*KINDS, "none"):
            assert whole.change.what in KINDS or amount_of(whole.change) <= amount_of(told.change)


def test_looking_at_the_nearest_takes_no_longer_with_more_riders(monkeypatch: pytest.MonkeyPatch) -> None:
    """All are passed over but those whose way leads by, a long leg between far stops too."""
    west, south, east, north = TOWN.bounds
    middle = ((west + east) / 2, (south + north) / 2)
    corner = (west, south)
    far = [Rider(f"r{n}", corner, stops=(Stop(f"s{n}", corner, 30.0),)) for n in range(40)]
    passing = Rider("passing", (west, middle[1]), stops=(Stop("end", (east, middle[1]), 30.0),))
    fleet = Fleet(TOWN, WIDE)
    fleet.put([*far, passing], NOW)
    task = Task("T", Visit(middle, 30.0), skills=frozenset({"nobody"}))
    looked_at: list[str] = []
    read = Fleet.rider

    def counted(self: Fleet, name: str) -> Rider:
        looked_at.append(name)
        return read(self, name)

    monkeypatch.setattr(Fleet, "rider", counted)
    told = refusal(fleet, task, NOW, 3)
    assert told.rider_id == "passing"
    assert told.binding.rule == "skill"
    assert len(looked_at) < 10


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), pairs=st.booleans())
def test_any_rider_may_be_asked_about(seed: int, pairs: bool) -> None:
    rng = np.random.default_rng(seed)
    riders = some_riders(TOWN, rng, 5, everything=True)
    (task,) = hard_tasks(rng, 1, pairs=pairs)
    task = dataclasses.replace(task, people=1, platforms=frozenset())
    questions = [(task.task_id, rider.rider_id) for rider in riders]
    result = match_tasks(TOWN, riders, [task], TIGHT, NOW, questions)
    for rider, answer in zip(riders, result.answers, strict=True):
        alone = match_tasks(TOWN, [rider], [task], TIGHT, NOW)
        assert (answer.refused is None) == bool(alone.matches)
        assert answer.refused == (alone.refused[0] if alone.refused else None)


def test_a_task_that_opens_too_late_may_open_sooner() -> None:
    here, there = place_in(TOWN, np.random.default_rng(1)), place_in(TOWN, np.random.default_rng(2))
    rider = Rider(
        "r",
        here,
        stops=(Stop("s", there, latest_s=NOW + 900),),
        shift_end_s=NOW + 1000,
        worked_today_s=42_000.0,
    )
    task = Task("t", Visit(here, 30.0, earliest_s=NOW + 1500))
    refused = match_tasks(TOWN, [rider], [task], WIDE, NOW).refused[0]
    assert refused.change.what == "start"
    helped = applied(refused, [rider], task, WIDE)
    assert match_tasks(TOWN, helped[0], [helped[1]], helped[2], NOW).matches


def test_a_late_stop_must_give_what_it_lacks_and_what_it_is_late_by() -> None:
    """A stop that is late already may not get later: to let it, its due instant must reach the new start."""
    rng = np.random.default_rng(4)
    rider = Rider("r", place_in(TOWN, rng), stops=(Stop("s", place_in(TOWN, rng), latest_s=NOW + 10),))
    start_s = Fleet(TOWN, WIDE)
    start_s.put([rider], NOW)
    late_s = float(start_s.mode_fleets["ebike"].c.start[1]) / 1000 - (NOW + 10)
    assert late_s > 0
    task = Task("t", Visit(rider.lonlat, 30.0, latest_s=NOW + 60))
    refused = match_tasks(TOWN, [rider], [task], WIDE, NOW).refused[0]
    assert refused.change.what == "due"
    assert amount_of(refused.change) > late_s + 30
    helped = applied(refused, [rider], task, WIDE)
    assert match_tasks(TOWN, helped[0], [helped[1]], helped[2], NOW).matches


@pytest.mark.parametrize("away_m", [101.0, 180.0, 900.0])
def test_a_place_off_the_streets_needs_a_longer_walk(away_m: float) -> None:
    west, south, _, north = TOWN.bounds
    middle = TOWN.project(np.array([[west, (south + north) / 2]])) - [away_m, 0.0]
    lon, lat = TOWN.unproject(middle)[0].tolist()
    riders, task = [Rider("r", place_in(TOWN, np.random.default_rng(0)))], Task("t", Visit((lon, lat), 10.0))
    refused = match_tasks(TOWN, riders, [task], WIDE, NOW).refused[0]
    assert (refused.binding.rule, refused.change.what) == ("place", "place")
    helped = applied(refused, riders, task, WIDE)
    assert match_tasks(TOWN, helped[0], [helped[1]], helped[2], NOW).matches
    less = applied(refused, riders, task, WIDE, less_s=0.02)
    assert not match_tasks(TOWN, less[0], [less[1]], less[2], NOW).matches
    # With its skill missing as well, no single change is enough, and both are told.
    skilled = dataclasses.replace(task, skills=frozenset({"aid"}))
    told = match_tasks(TOWN, riders, [skilled], WIDE, NOW).refused[0].change
    assert told.what == "none"
    assert [said.key for said in told.said.reasons] == ["why.place", "why.skill"]


def test_other_platforms_are_neither_told_nor_counted() -> None:
    rng = np.random.default_rng(0)
    here = place_in(TOWN, rng)
    riders = [Rider("secret", here, platform="y"), Rider("own", here, platform="x", status="off")]
    task = Task("t", Visit(here, 30.0), platforms=frozenset({"x"}))
    refused = match_tasks(TOWN, riders, [task], WIDE, NOW).refused[0]
    assert (refused.binding.rule, refused.rider_id) == ("status", "own")
    assert "secret" not in repr(refused)
    refused = match_tasks(TOWN, riders[:1], [task], WIDE, NOW).refused[0]
    assert (refused.binding.rule, refused.change.what, refused.rider_id) == ("platform", "none", None)
    assert "secret" not in repr(refused)
    fleet = Fleet(TOWN, WIDE)
    fleet.put(riders, NOW)
    for name in ("secret", "nobody"):
        with pytest.raises(InputError, match=f"Rider '{name}' is not in the fleet"):
            why_not(fleet, task, name, NOW)


def test_the_runner_up_rides_for_the_same_platform() -> None:
    rng = np.random.default_rng(0)
    here, west = place_in(TOWN, rng), TOWN.bounds[:2]
    riders = [
        Rider("a", here, platform="x"),
        Rider("b", here, platform="y"),
        Rider("c", (float(west[0]), float(west[1])), platform="x"),
    ]
    task = Task("t", Visit(here, 30.0))
    first = match_tasks(TOWN, riders, [task], WIDE, NOW).matches[0]
    assert first.rider_id == "a"
    assert first.runner_up is not None
    assert first.runner_up.rider_id == "c"
    alone = match_tasks(TOWN, riders[:2], [task], WIDE, NOW).matches[0]
    assert alone.runner_up is None
