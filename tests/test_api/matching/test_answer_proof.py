"""The answer as sent: random requests through the door, the JSON text checked against the request."""

import dataclasses
import datetime
import functools
import json
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice import lattice
from towns import NOW, in_windows, place_in, some_riders, some_tasks

from api.forms import PointedError, epoch_s_of
from api.matching import proof
from api.matching.forms import MatchRequest, PolicyIn, RiderIn, StopIn, TaskIn, VisitIn, Windows
from api.matching.translate import answer, asked_of
from routing.model import Rider, Stop, Task, Visit
from routing.proof import Checker

UTC = datetime.UTC
TOWN = lattice(10)
ROOMY = {"max_extra_s": 3000.0, "max_extra_per_hour_s": 3600.0}
Assignment = Literal["in_order", "together"]


def instant(epoch_s: float) -> datetime.datetime | None:
    return datetime.datetime.fromtimestamp(round(epoch_s, 3), UTC) if np.isfinite(epoch_s) else None


LAST_S = NOW + 86_400.0


def node(at: int) -> tuple[float, float]:
    """A junction of the town."""
    lon, lat = TOWN.node_lonlat[at].tolist()
    return lon, lat


def windows_of(visit: Visit | Stop) -> Windows | None:
    """The several windows of a visit, as they are sent."""
    if not visit.closed_s:
        return None
    ends = [visit.earliest_s, *(end for span in visit.closed_s for end in span), min(visit.latest_s, LAST_S)]
    told = [datetime.datetime.fromtimestamp(round(end, 3), UTC) for end in ends]
    return tuple(zip(told[::2], told[1::2], strict=True))


def sent(
    riders: list[Rider],
    tasks: list[Task],
    policy: dict[str, float],
    assignment: Assignment = "together",
) -> MatchRequest:
    """Write riders and tasks as a request."""

    def rider_in(rider: Rider) -> RiderIn:
        stops = tuple(
            StopIn(
                stop_id=stop.stop_id,
                lon=stop.lonlat[0],
                lat=stop.lonlat[1],
                service_s=stop.service_s,
                earliest=None if stop.closed_s else instant(stop.earliest_s),
                due=None if stop.closed_s else instant(stop.latest_s),
                windows=windows_of(stop),
                kind=stop.kind,  # type: ignore[arg-type]
                load_change=stop.load_change,
            )
            for stop in rider.stops
        )
        facts = {
            name: getattr(rider, name)
            for name in (
                "rider_id", "mode", "speed_factor", "status", "worked_since_break_s", "worked_today_s",
                "capacity", "load", "platform", "contribution", "extra_last_hour_s",
            )
        }  # fmt: skip
        return RiderIn(
            lon=rider.lonlat[0],
            lat=rider.lonlat[1],
            stops=stops,
            skills=tuple(sorted(rider.skills)),
            shift_end=instant(rider.shift_end_s),
            available_at=instant(rider.available_s),
            **facts,
        )

    def visit_in(visit: Visit) -> VisitIn:
        lon, lat = visit.lonlat
        if visit.closed_s:
            return VisitIn(lon=lon, lat=lat, service_s=visit.service_s, windows=windows_of(visit))
        earliest, latest = instant(visit.earliest_s), instant(visit.latest_s)
        return VisitIn(lon=lon, lat=lat, service_s=visit.service_s, earliest=earliest, latest=latest)

    return MatchRequest(
        datum="wgs84",
        now=instant(NOW) or datetime.datetime.now(UTC),
        riders=tuple(rider_in(rider) for rider in riders),
        tasks=tuple(
            TaskIn(
                task_id=task.task_id,
                place=visit_in(task.place),
                dropoff=None if task.dropoff is None else visit_in(task.dropoff),
                kind=task.kind,  # type: ignore[arg-type]
                skills=tuple(sorted(task.skills)),
                modes=tuple(sorted(task.modes)),  # type: ignore[arg-type]
                priority=task.priority,
                people=task.people,
                load=task.load,
                platforms=tuple(sorted(task.platforms)),
            )
            for task in tasks
        ),
        policy=PolicyIn(**policy),
        assignment=assignment,
    )


def answer_problems(request: MatchRequest, text: str) -> list[str]:
    return proof.answer_problems(Checker(TOWN, asked_of(request).policy), request, text)


def mixed(rng: np.random.Generator, count: int, everything: bool) -> list[Task]:
    """Visits, pairs, and tasks for two or three people."""
    tasks = []
    for task in some_tasks(TOWN, rng, count, everything=everything):
        kind = rng.integers(0, 4)
        if kind == 0:
            end = Visit(place_in(TOWN, rng), 20.0)
            task = dataclasses.replace(task, dropoff=end, load=int(rng.integers(0, 3)), kind="errand")
        elif kind == 1:
            task = dataclasses.replace(task, people=int(rng.integers(2, 4)))
        tasks.append(task)
    return tasks


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    everything=st.booleans(),
    assignment=st.sampled_from(["in_order", "together"]),
    roomy=st.booleans(),
    several=st.booleans(),
)
def test_the_answer_as_sent_holds(
    seed: int, everything: bool, assignment: Assignment, roomy: bool, several: bool
) -> None:
    rng = np.random.default_rng(seed)
    riders = some_riders(TOWN, rng, 5, everything=everything)
    policy = ROOMY if roomy else {"slack_kept_s": 30.0}
    tasks = mixed(rng, 8, everything)
    if several:
        riders, tasks = in_windows(rng, riders, tasks)
    request = sent(riders, tasks, policy, assignment)
    text = answer(TOWN, request).model_dump_json()
    assert answer_problems(request, text) == []


@functools.cache
def busy_request() -> tuple[MatchRequest, str]:
    """One rider who gets several tasks, two people, a pair; and the answer, which holds."""
    for seed in range(200):
        rng = np.random.default_rng(seed)
        riders = some_riders(TOWN, rng, 3, everything=False)
        request = sent(riders, mixed(rng, 6, False), ROOMY)
        text = answer(TOWN, request).model_dump_json()
        told = json.loads(text)
        riders_of = [match["rider_id"] for match in told["matches"]]
        if len(told["matches"]) > 4 and len(set(riders_of)) < len(riders_of):
            assert answer_problems(request, text) == []
            return request, text
    raise AssertionError("no seed gives a rider several tasks")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda told: told["matches"].pop(),
        lambda told: told["matches"].append(told["matches"][0]),
        lambda told: told["routes"].pop(),
        lambda told: told["routes"][0]["steps"].reverse(),
        lambda told: told["routes"][0]["steps"].pop(0),
        lambda told: told["routes"][0]["steps"][0].update(start="2030-01-01T00:00:00Z"),
        lambda told: told["routes"][0]["steps"][-1].update(slack_s=1e6),
        lambda told: told["routes"][0]["steps"][0].update(load=99),
        lambda told: told["routes"][0]["steps"][0].update(wait_s=12.0),
        lambda told: told["routes"][0].update(leave="2030-01-01T00:00:00Z"),
        lambda told: told["matches"][0].update(place=told["matches"][0]["place"] + 1),
        lambda told: told["matches"][0].update(arrival="2030-01-01T00:00:00Z"),
        lambda told: told["matches"][0].update(extra_s=10_000.0),
        lambda told: told["matches"][0].update(rider_id="nobody"),
        lambda told: told["matches"][0].update(task_id="nothing"),
    ],
)  # fmt: skip
def test_the_check_finds_what_is_wrong(spoil: Callable[[dict[str, Any]], None]) -> None:
    request, text = busy_request()
    told = json.loads(text)
    spoil(told)
    assert answer_problems(request, json.dumps(told))


def test_two_people_begin_together_and_the_first_one_waits() -> None:
    """The case of the issue: two people began ten minutes apart, so they never met."""
    rng = np.random.default_rng(4)
    riders = some_riders(TOWN, rng, 6, everything=False)
    request = sent(riders, [Task("both", Visit(place_in(TOWN, rng), 60.0), people=2)], ROOMY)
    response = answer(TOWN, request)
    one, two = response.matches
    assert one.rider_id != two.rider_id
    assert one.start == two.start
    assert min((m.start - m.arrival).total_seconds() for m in (one, two)) == 0.0, "nobody waits for nothing"


def test_people_who_cannot_meet_are_refused_with_the_gap() -> None:
    near, far = TOWN.node_lonlat[0], TOWN.node_lonlat[-1]
    place = (float(near[0]), float(near[1]))
    riders = [Rider("here", place), Rider("there", (float(far[0]), float(far[1])))]
    policy = {"max_extra_s": 900.0, "max_extra_per_hour_s": 900.0}
    alone = [answer(TOWN, sent([rider], [Task("t", Visit(place, 5.0))], policy)) for rider in riders]
    away_s = (alone[1].matches[0].arrival - alone[0].matches[0].arrival).total_seconds()
    # One who is there at once may not wait as long as the other needs to come.
    tight = {"max_extra_s": away_s + 5.5, "max_extra_per_hour_s": 900.0}
    both = Task("t", Visit(place, 5.0), people=2)
    assert len(answer(TOWN, sent(riders, [both], tight)).matches) == 2
    spent = [dataclasses.replace(riders[0], extra_last_hour_s=900.0 - away_s / 2), riders[1]]
    (refused,) = answer(TOWN, sent(spent, [both], tight)).refused
    assert refused.rule == "people"
    assert refused.by_s == pytest.approx(away_s, abs=0.01)


def test_order_does_not_decide_who_is_served() -> None:
    """Anybody may do t1, which is due first; only a may do t2: one by one, t1 takes a."""
    lon, lat = (float(value) for value in TOWN.node_lonlat[0])
    riders = [
        Rider("a", (lon, lat), skills=frozenset({"aid"})),
        Rider("b", (float(TOWN.node_lonlat[1, 0]), float(TOWN.node_lonlat[1, 1]))),
    ]
    visit = Visit((lon, lat), 400.0)
    tasks = [
        Task("t1", dataclasses.replace(visit, latest_s=NOW + 3000.0)),
        Task("t2", visit, skills=frozenset({"aid"})),
    ]
    policy = {"max_extra_s": 700.0, "max_extra_per_hour_s": 700.0}
    in_order = answer(TOWN, sent(riders, tasks, policy, "in_order"))
    assert [one.task_id for one in in_order.refused] == ["t2"]
    together = answer(TOWN, sent(riders, tasks, policy))
    assert {one.task_id: one.rider_id for one in together.matches} == {"t1": "b", "t2": "a"}


def test_several_windows_are_waited_for_and_checked() -> None:
    """A stop and a task shut from noon to two, and a task that is just too early for its first window."""
    near, far = node(0), node(-1)
    stop = Stop("lunch", far, 60.0, NOW, NOW + 9000.0, closed_s=((NOW + 1.0, NOW + 1500.0),))
    rider = Rider("r", near, stops=(stop,))
    visit = Visit(near, 30.0, NOW + 10.0, NOW + 2000.0, closed_s=((NOW + 20.0, NOW + 600.0),))
    request = sent([rider], [Task("t", visit)], ROOMY)
    text = answer(TOWN, request).model_dump_json()
    assert answer_problems(request, text) == []
    (route,) = json.loads(text)["routes"]
    begins = {step["stop_id"]: epoch_s_of(step["start"]) - NOW for step in route["steps"]}
    assert begins == {"t": 10.0, "lunch": 1500.0}
    late = dataclasses.replace(rider, available_s=NOW + 100.0)
    text = answer(TOWN, sent([late], [Task("t", visit)], ROOMY)).model_dump_json()
    assert '"start":"' in text
    spoiled = json.loads(text)
    for step in spoiled["routes"][0]["steps"]:
        step["start"] = datetime.datetime.fromtimestamp(NOW + 100.0, UTC).isoformat()
    found = answer_problems(sent([late], [Task("t", visit)], ROOMY), json.dumps(spoiled))
    assert any("between two windows" in problem for problem in found)


@pytest.mark.parametrize("one", ["earliest", "latest"])
def test_two_kinds_of_windows_at_once_are_refused_by_pointer(one: str) -> None:
    near = node(0)
    visit = Visit(near, 30.0, NOW, NOW + 2000.0, closed_s=((NOW + 20.0, NOW + 600.0),))
    request = sent([], [Task("t", visit)], ROOMY)
    (task,) = request.tasks
    place = task.place.model_copy(update={one: instant(NOW)})
    twice = request.model_copy(update={"tasks": (task.model_copy(update={"place": place}),)})
    with pytest.raises(PointedError) as refused:
        answer(TOWN, twice)
    assert list(refused.value.places) == ["/tasks/0/place/windows"]


def test_one_of_several_windows_that_ends_before_it_begins_is_told_by_pointer() -> None:
    near = node(0)
    visit = Visit(near, 30.0, NOW, NOW + 2000.0, closed_s=((NOW + 20.0, NOW + 600.0),))
    request = sent([], [Task("t", visit)], ROOMY)
    (task,) = request.tasks
    assert task.place.windows is not None
    place = task.place.model_copy(update={"windows": (task.place.windows[0], task.place.windows[1][::-1])})
    with pytest.raises(PointedError) as refused:
        answer(TOWN, request.model_copy(update={"tasks": (task.model_copy(update={"place": place}),)}))
    assert list(refused.value.places) == ["/tasks/0/place/windows/1"]
