"""Riders whose ways are not looked for could not have been given the task: the answer is that of all ways."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice import lattice
from towns import NOW, in_windows, some_riders, some_tasks

from geo.streets.network import StreetNetwork
from routing.fleet import fleet as fleets
from routing.fleet import hubs
from routing.fleet.fleet import Fleet
from routing.fleet.kernels.apart import most_between
from routing.fleet.kernels.legs import graph_of, network_leg, work_for
from routing.fleet.kernels.tables import NO
from routing.match import match_tasks
from routing.model.policy import Policy
from routing.model.riders import Rider, Stop
from routing.model.tasks import Task, Visit

TOWN = lattice(14)
MODES = ("ebike", "car", "foot")


@pytest.fixture(scope="module", autouse=True)
def small_cities_are_large() -> object:
    """From one rider on; cells of a few streets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fleets, "MANY_ROWS", 1)
        patch.setattr(hubs, "CELL_S", 60.0)
        TOWN._cache.clear()
        yield
        TOWN._cache.clear()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    everything=st.booleans(),
    several=st.booleans(),
    most_s=st.sampled_from([40.0, 120.0, 300.0]),
)
def test_the_answer_is_that_of_all_ways(seed: int, everything: bool, several: bool, most_s: float) -> None:
    rng = np.random.default_rng(seed)
    policy = Policy(max_extra_s=most_s, max_extra_per_hour_s=400.0, fairness_s_per_point=7.0)
    riders = some_riders(TOWN, rng, 12, everything=everything)
    tasks = some_tasks(TOWN, rng, 1, everything=everything)
    if several:
        riders, tasks = in_windows(rng, riders, tasks)
    # Of riders of other platforms nobody is told.
    platforms = tasks[0].platforms or {riders[3].platform}
    question = (tasks[0].task_id, riders[3].rider_id)
    asked = [question] if seed % 3 == 0 and riders[3].platform in platforms else []
    every = match_tasks(TOWN, riders, tasks, policy, NOW, asked, late_of="all")
    few = match_tasks(TOWN, riders, tasks, policy, NOW, asked)
    for name in ("refused", "off_network", "routes", "answers"):
        assert getattr(few, name) == getattr(every, name)
    for one, other in zip(few.matches, every.matches, strict=True):
        np.testing.assert_equal(dataclasses.asdict(one), dataclasses.asdict(other))
    named: set[str | None] = {one.rider_id for one in few.matches}
    named |= {one.rider_id for one in few.refused} | {one.rider_id for one in few.answers}
    named |= {one.runner_up.rider_id for one in few.matches if one.runner_up is not None}
    named |= {one.refused.rider_id for one in few.answers if one.refused is not None}
    assert few.late_before == tuple(one for one in every.late_before if one.rider_id in named)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), everything=st.booleans())
def test_whoever_may_be_given_a_task_is_never_passed_over(seed: int, everything: bool) -> None:
    """Also where it takes all that the rider may spend, to the millisecond."""
    rng = np.random.default_rng(seed)
    riders = some_riders(TOWN, rng, 12, everything=everything)
    (task,) = some_tasks(TOWN, rng, 1, everything=everything)
    # On a street: a walk to it would leave room for a mistake.
    lon, lat = TOWN.geom_lonlat[rng.integers(len(TOWN.geom_lonlat))].tolist()
    task = dataclasses.replace(task, place=dataclasses.replace(task.place, lonlat=(lon, lat)))
    fleet = Fleet(TOWN, Policy(max_extra_s=2000.0, max_extra_per_hour_s=3600.0))
    fleet.put(riders, NOW)
    for found in fleet.best([task], len(riders), NOW)[0]:
        mode_fleet, row = fleet.row_of(found.rider_id)
        mode_fleet.c.cap[row] = found.extra_ms
        rows = np.array([row], np.int64)
        assert mode_fleet.may_be_given(rows, fleet.table(mode_fleet.mode, [task]).columns).all()


@pytest.mark.parametrize("mode", MODES)
def test_no_way_is_longer_than_by_hubs(mode: str) -> None:
    rng = np.random.default_rng(5)
    riders = [dataclasses.replace(one, mode=mode) for one in some_riders(TOWN, rng, 60, everything=False)]
    fleet = Fleet(TOWN, Policy())
    fleet.put(riders, NOW)
    mode_fleet, graph = fleet.mode_fleets[mode], graph_of(TOWN, mode)
    c, work, known = mode_fleet.c, work_for(TOWN, mode), hubs.hubs_of(TOWN, mode)
    assert len(known.between_ms) > 3
    told = 0
    for row in np.flatnonzero(c.stops > 0).tolist():
        for slot in range(row * mode_fleet.width, row * mode_fleet.width + int(c.stops[row])):
            most, way = (
                most_between(graph, known, c, slot), network_leg(graph, c, slot, slot + 1, work)
            )  # fmt: skip
            assert most == NO or way <= most
            told += most != NO
    assert told > 50


def _row(town: StreetNetwork, count: int) -> list[Rider]:
    """Riders along the lowest street, each with one stop a block on."""
    west, south, east, _ = town.bounds
    along = np.linspace(west, east, count + 1).tolist()
    return [
        Rider(f"r{n:02d}", (along[n], south), stops=(Stop("s", (along[n + 1], south), latest_s=NOW - 60),))
        for n in range(count)
    ]


def test_ways_of_riders_far_away_are_not_looked_for_until_somebody_asks() -> None:
    riders, policy = _row(TOWN, 12), Policy(max_extra_s=60.0)
    task = Task("t", Visit(riders[0].lonlat, 10.0))
    fleet = Fleet(TOWN, policy)
    fleet.put(riders, NOW, task)
    near = {one for one in fleet.rider_ids if fleet.row_of(one)[0].c.stops[fleet.row_of(one)[1]] >= 0}
    assert 1 <= len(near) <= 4
    assert "r00" in near
    assert len(fleet) == 12
    fleet.complete()
    whole = Fleet(TOWN, policy)
    whole.put(riders, NOW)
    for rider_id in whole.rider_ids:
        (mine, at), (theirs, there) = fleet.row_of(rider_id), whole.row_of(rider_id)
        for name in ("leg", "arrive", "leave", "room"):
            here = getattr(mine.c, name)[at * mine.width : at * mine.width + 2]
            assert np.array_equal(here, getattr(theirs.c, name)[there * theirs.width :][:2])
    assert fleet.best([task], 12, NOW) == whole.best([task], 12, NOW)


def test_late_stops_are_told_of_those_who_are_named_or_of_all() -> None:
    riders, policy = _row(TOWN, 12), Policy(max_extra_s=60.0)
    task = Task("t", Visit(riders[0].lonlat, 10.0))
    few = match_tasks(TOWN, riders, [task], policy, NOW)
    every = match_tasks(TOWN, riders, [task], policy, NOW, late_of="all")
    assert {one.rider_id for one in every.late_before} == {one.rider_id for one in riders}
    assert {one.rider_id for one in few.late_before} == {
        few.matches[0].rider_id, *([few.matches[0].runner_up.rider_id] if few.matches[0].runner_up else [])
    }  # fmt: skip
    # Of a task that nobody may do the rider who came nearest is named.
    nobody = dataclasses.replace(task, skills=frozenset({"fire"}))
    (refused,) = match_tasks(TOWN, riders, [nobody], policy, NOW).refused
    late = match_tasks(TOWN, riders, [nobody], policy, NOW).late_before
    assert [one.rider_id for one in late] == [refused.rider_id]
