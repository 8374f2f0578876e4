"""Which task comes first must not decide who is served, of whatever form the tasks are."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice import lattice
from towns import NOW, place_in, some_riders

from routing.assign import match_batch
from routing.match import match_tasks
from routing.model.policy import Policy
from routing.model.riders import Rider
from routing.model.tasks import Task, Visit

TOWN = lattice(12)
POLICY = Policy(max_extra_s=400.0, max_extra_per_hour_s=400.0)


def at(east: float, north: float) -> tuple[float, float]:
    west, south, right, top = TOWN.bounds
    return west + (right - west) * east, south + (top - south) * north


ABLE = Rider("A", at(0.3, 0.3), skills=frozenset({"aid"}))
RIDERS = [ABLE, Rider("B", at(0.45, 0.3))]
ANYBODY = Task("any", Visit(at(0.3, 0.33), 60.0, latest_s=NOW + 1000), Visit(at(0.32, 0.36), 60.0))
ONLY_A = Task(
    "only",
    Visit(at(0.3, 0.36), 60.0, latest_s=NOW + 2000),
    Visit(at(0.28, 0.36), 60.0),
    skills=frozenset({"aid"}),
)
SINGLE = Task("any", Visit(at(0.3, 0.33), 200.0, latest_s=NOW + 1000))


@pytest.mark.parametrize("first", [ANYBODY, SINGLE], ids=["two pairs", "a visit and a pair"])
def test_whoever_alone_can_do_a_pair_is_left_for_it(first: Task) -> None:
    """One by one the earlier task takes A, and the pair that only A can do is refused."""
    in_order = match_tasks(TOWN, RIDERS, [first, ONLY_A], POLICY, NOW)
    assert [one.task_id for one in in_order.refused] == ["only"]
    for tasks in itertools.permutations([first, ONLY_A]):
        for riders in itertools.permutations(RIDERS):
            found = match_tasks(TOWN, riders, tasks, POLICY, NOW, by=match_batch)
            assert {one.task_id: one.rider_id for one in found.matches} == {"any": "B", "only": "A"}
            assert found.refused == ()


def test_a_task_for_two_counts_once() -> None:
    """It has two matches, but is one task: the visit that is due first is not given up for it."""
    visit = Task("visit", Visit(at(0.34, 0.3), 300.0, latest_s=NOW + 900))
    two = Task("two", Visit(at(0.35, 0.3), 60.0, latest_s=NOW + 2000), people=2)
    found = match_tasks(TOWN, RIDERS, [visit, two], POLICY, NOW, by=match_batch)
    assert [one.task_id for one in found.matches] == ["visit"]
    # With a third rider both are done.
    more = [*RIDERS, Rider("C", at(0.5, 0.3))]
    assert match_tasks(TOWN, more, [visit, two], POLICY, NOW, by=match_batch).refused == ()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_the_answer_does_not_depend_on_how_the_request_is_sorted(seed: int) -> None:
    rng = np.random.default_rng(seed)
    riders = some_riders(TOWN, rng, 5, everything=False)
    tasks = []
    for number in range(4):
        end = Visit(place_in(TOWN, rng), 30.0) if rng.random() < 0.4 else None
        place = Visit(place_in(TOWN, rng), 60.0, latest_s=NOW + float(rng.uniform(300, 2000)))
        people = 2 if end is None and rng.random() < 0.2 else 1
        tasks.append(Task(f"t{number}", place, end, people=people, priority=int(rng.integers(0, 2))))
    found = match_tasks(TOWN, riders, tasks, POLICY, NOW, by=match_batch)
    other = match_tasks(
        TOWN,
        [riders[row] for row in rng.permutation(5).tolist()],
        [tasks[row] for row in rng.permutation(4).tolist()],
        POLICY,
        NOW,
        by=match_batch,
    )
    told = [
        sorted((one.task_id, one.rider_id, one.place, one.extra_s) for one in each.matches)
        for each in (found, other)
    ]
    assert told[0] == told[1]
    assert found.refused == other.refused
    in_order = match_tasks(TOWN, riders, tasks, POLICY, NOW)
    weight = {task.task_id: 1 + task.priority for task in tasks}
    served, least = (
        sum(weight[name] for name in {one.task_id for one in each.matches}) for each in (found, in_order)
    )
    assert served >= least
