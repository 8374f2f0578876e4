"""What of many tasks is due next, and that nothing is left of those that are over."""

import numpy as np
from lattice import lattice
from towns import NOW, place_in

from routing.dispatch import City, DispatchRules
from routing.dispatch import commands as co
from routing.model import Policy, Task, Visit

TOWN = lattice(10)
POLICY = Policy(max_extra_s=900.0, max_extra_per_hour_s=1800.0)
RULES = DispatchRules(offer_for_s=60.0, most_open=2, retry_s=10.0)


def test_what_is_due_is_found_without_looking_at_the_rest() -> None:
    rng = np.random.default_rng(5)
    city = City(TOWN, POLICY, RULES)
    until: dict[str, float] = {}
    for number in range(60):
        latest_s = NOW + float(rng.integers(1, 5_000))
        task = Task(f"T{number}", Visit(place_in(TOWN, rng), 30.0, NOW, latest_s))
        city.publish(task, "office", NOW, ask=False)
        until[task.task_id] = latest_s
    tries_s = NOW + RULES.retry_s
    assert city.next_due_s == min(*until.values(), tries_s)
    for at_s in (NOW, tries_s - 0.5):
        assert set(city.due(at_s)) == {name for name, latest_s in until.items() if latest_s < at_s}
    assert set(city.due(tries_s)) == set(until)


def test_tasks_that_are_over_leave_nothing_behind() -> None:
    rng = np.random.default_rng(6)
    city = City(TOWN, POLICY, RULES)
    place = place_in(TOWN, rng)
    for number in range(3_000):
        task = Task(f"T{number}", Visit(place, 30.0, NOW, NOW + 90_000.0 + number))
        city.publish(task, "office", NOW, ask=False)
        city.handle(task.task_id, co.Withdraw(), NOW)
        city.forget(task.task_id)
    last = Task("last", Visit(place, 30.0, NOW, NOW + 50.0))
    city.publish(last, "office", NOW, ask=False)
    assert len(vars(city)["_due"]) < 2_000
    assert city.due(NOW + 51.0) == ("last",)
