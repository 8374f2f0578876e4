"""Live riders who told no plan: who is asked, and whether the chance to harm is what the checker finds."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from lattice import lattice
from towns import NOW

from geo.arrays import FloatArray
from geo.earth import DEGREE_M
from geo.learned import PastStops, learn_habits
from routing.dispatch import City, ConflictError, DispatchRules, Happened, RiderKey
from routing.dispatch import commands as co
from routing.dispatch import events as ev
from routing.expected import match_expected
from routing.foretelling import SeenRider, foretell
from routing.model import Policy, Refused, Rider, Stop, Task, Visit
from routing.proof import Checker, scenario_problems

TOWN = lattice(12, one_way=False)
POLICY = Policy(harm_probability_max=0.2)


def at(column: int, row: int) -> tuple[float, float]:
    """About a junction of the town, whose streets are 120 m apart."""
    north = 120.0 / DEGREE_M
    return 116.3 + column * north / math.cos(math.radians(39.98)), 39.98 + row * north


def rider(name: str, place: tuple[float, float], *stops: Stop) -> tuple[RiderKey, Rider]:
    return RiderKey("red", name), Rider(name, place, stops=stops, platform="red")


def seen(
    here: tuple[float, float],
    now_s: float = NOW,
    *,
    came_from: tuple[float, float] | None = None,
    doors: tuple[tuple[float, float], ...] = (),
) -> SeenRider:
    """Somebody who goes from door to door, one an hour, was at the first one last, and rides since."""
    past = [
        (now_s - 86_400.0 + 600.0 * n, door)
        for n, door in enumerate(itertools.islice(itertools.cycle(doors), 40))
    ]
    past += [(now_s - 300.0, doors[0])] if doors else []
    before = [(now_s - 60.0, came_from)] if came_from is not None else []
    return SeenRider(
        *_rows([*before, (now_s, here)]),
        *_rows(past),
    )  # fmt: skip


def _rows(rows: list[tuple[float, tuple[float, float]]]) -> tuple[FloatArray, FloatArray]:
    t_s = np.array([t for t, _ in rows], np.float64)
    return t_s, np.array([place for _, place in rows], np.float64).reshape(-1, 2)


def city_of(*riders: tuple[RiderKey, Rider], rules: DispatchRules | None = None, **of: SeenRider) -> City:
    city = City(TOWN, POLICY, rules or DispatchRules())
    city.board.put(riders, NOW)
    for name, one in of.items():
        city.board.untold.note(f"red/{name}", one)
    return city


def a_task(place: tuple[float, float], name: str = "T") -> Task:
    return Task(name, Visit(place, 30.0, NOW, NOW + 3_600.0))


def asked(happened: Happened) -> list[str]:
    return [one.rider.rider_id for one in happened.events if isinstance(one, ev.OfferMade)]


def publish(city: City, place: tuple[float, float], name: str = "T", now_s: float = NOW) -> Happened:
    return city.publish(a_task(place, name), "office", now_s)


@pytest.mark.parametrize("every_s", [0.0, 30.0])
def test_riders_with_a_plan_come_first(every_s: float) -> None:
    stop = Stop("s", at(11, 0), latest_s=NOW + 3_600.0)
    near, planned = rider("near", at(5, 5)), rider("planned", at(0, 0), stop)
    rules = DispatchRules(every_s=every_s)
    city = city_of(near, planned, rules=rules, near=seen(at(5, 5)))
    done = [publish(city, at(5, 5)), *city.tick(NOW + every_s)]
    assert [name for one in done for name in asked(one)] == ["planned"]
    alone = city_of(near, rules=rules, near=seen(at(5, 5), NOW + every_s))
    done = [publish(alone, at(5, 5)), *alone.tick(NOW + every_s)]
    assert [name for one in done for name in asked(one)] == ["near"]


def test_of_whom_nothing_is_known_is_asked_for_what_is_close_by_alone() -> None:
    city = city_of(rider("r", at(0, 0)), r=seen(at(0, 0)))
    assert asked(publish(city, at(1, 0), "near")) == ["r"]
    city = city_of(rider("r", at(0, 0)), r=seen(at(0, 0)))
    far = publish(city, at(9, 0), "far")
    assert [one.rule for one in far.events if isinstance(one, ev.TaskUnmatched)] == ["late"]
    # Where nothing is to be expected of the rider, they are idle.
    idle = city_of(rider("r", at(0, 0)))
    assert asked(publish(idle, at(9, 0), "far")) == ["r"]


def test_an_offer_is_what_a_request_would_answer_and_the_checker_finds_no_fault() -> None:
    """Between two doors rides somebody who has just left the first one."""
    doors = (at(0, 0), at(11, 0))
    r, o = seen(at(3, 0), came_from=at(0, 0), doors=doors), seen(at(0, 11), doors=(at(0, 11), at(11, 11)))
    city = city_of(rider("o", at(0, 11)), rider("r", at(3, 0)), o=o, r=r)
    made = publish(city, at(8, 0))
    assert asked(made) == ["r"]
    (offer,) = city.tasks["T"].open
    both = (o, r)
    habits = learn_habits(
        PastStops(
            np.repeat([0, 1], [len(one.past_t_s) for one in both]),
            np.concatenate([one.past_t_s for one in both]),
            np.concatenate([one.past_lonlat for one in both]),
        )
    )
    stood = city.board.fleet.rider("red/r")
    foretold = foretell(TOWN, stood, 1, r, habits, POLICY).rider
    assert foretold is not None
    (match,) = match_expected(TOWN, [foretold], [a_task(at(8, 0))], POLICY, NOW)
    terms = offer.terms
    assert (terms.arrival_s, terms.extra_s, terms.yuan) == (match.arrival_s, match.extra_s, match.yuan)
    assert terms.extra_s < 100.0 < match.most_extra_s
    assert 0.0 <= terms.extra_m < 500.0
    assert scenario_problems(Checker(TOWN, POLICY), foretold, match, a_task(at(8, 0)), POLICY, NOW) == []


def test_a_yes_is_judged_from_where_the_rider_is_then() -> None:
    doors = (at(0, 0), at(11, 0))
    city = city_of(rider("r", at(3, 0)), r=seen(at(3, 0), came_from=at(0, 0), doors=doors))
    publish(city, at(8, 0))
    (offer,) = city.tasks["T"].open
    # Twenty seconds later they ride elsewhere.
    city.board.put([rider("r", at(3, 9))], NOW + 20.0)
    city.board.untold.note("red/r", seen(at(3, 9), NOW + 20.0, came_from=at(3, 0), doors=doors))
    with pytest.raises(ConflictError) as error:
        city.accept("T", offer.offer_id, NOW + 20.0)
    assert isinstance(error.value.refused, Refused)
    assert error.value.refused.binding.said.key == "why.chance"


def test_one_task_at_a_time() -> None:
    city = city_of(rider("r", at(0, 0)), r=seen(at(0, 0)))
    publish(city, at(1, 0), "T1")
    assert asked(publish(city, at(1, 0), "T2")) == []
    (offer,) = city.tasks["T1"].open
    city.accept("T1", offer.offer_id, NOW + 5.0)
    stood = city.board.rider(RiderKey("red", "r"))
    assert stood is not None
    assert [stop.stop_id for stop in stood.stops] == ["T1"]
    assert stood.extra_last_hour_s == pytest.approx(offer.terms.extra_s)
    assert not [name for one in city.tick(NOW + 20.0) for name in asked(one)]
    city.handle("T1", co.Finish(offer.offer_id), NOW + 50.0)
    city.board.untold.note("red/r", seen(at(1, 0), NOW + 50.0))
    city.board.put([rider("r", at(1, 0))], NOW + 50.0)
    assert [name for one in city.tick(NOW + 60.0) for name in asked(one)] == ["r"]


@pytest.mark.parametrize("change", ["late", "told", "gone", "pair", "people"])
def test_who_is_not_asked(change: str) -> None:
    r = seen(at(0, 0), NOW - 61.0 if change == "late" else NOW)
    city = city_of(rider("r", at(0, 0)), r=r)
    task = a_task(at(1, 0))
    if change == "told":
        # What they told is in the way.
        stop = Stop("s", at(11, 11), latest_s=NOW)
        city.board.untold.note("red/r", None)
        city.board.put([rider("r", at(0, 0), stop)], NOW)
        assert not len(city.board.untold)
    elif change == "gone":
        city.board.remove([RiderKey("red", "r")])
    elif change == "pair":
        task = dataclasses.replace(task, dropoff=Visit(at(1, 0), 30.0))
    elif change == "people":
        task = dataclasses.replace(task, people=2)
    assert asked(city.publish(task, "office", NOW)) == []


def test_riders_with_offers_enough_are_no_reason_to_fail_for_a_task_of_two() -> None:
    """Both could do the second one, too, so nothing explains a refusal: all have been asked."""
    rules = DispatchRules(most_open=1)
    city = city_of(rider("a", at(0, 0)), rider("b", at(1, 0)), rules=rules)
    for name in ("T1", "T2"):
        done = city.publish(dataclasses.replace(a_task(at(1, 0), name), people=2), "office", NOW)
    assert [one.rule for one in done.events if isinstance(one, ev.TaskUnmatched)] == ["asked"]


def test_only_riders_without_a_plan_could() -> None:
    for people in (1, 2):
        key, off = rider("c", at(2, 0))
        riders = [rider("a", at(0, 0)), rider("b", at(1, 0)), (key, dataclasses.replace(off, status="off"))]
        city = city_of(*riders, a=seen(at(0, 0)), b=seen(at(1, 0)))
        task = dataclasses.replace(a_task(at(9, 0)), people=people)
        done = city.publish(task, "office", NOW)
        assert [one.rule for one in done.events if isinstance(one, ev.TaskUnmatched)] == ["late"], people
