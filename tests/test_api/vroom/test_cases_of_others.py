"""Cases that users of other planners reported, small, and what they ask of this one."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_study import place, write_study

from api.http.app import create_app
from api.settings import Settings

Json = dict[str, Any]
VROOM = "/v1/vroom"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = write_study(tmp_path_factory.mktemp("study") / "town")
    with TestClient(create_app(folder, settings=Settings())) as made:
        yield made


def at(letter: str) -> list[float]:
    return list(place(letter))


def posted(client: TestClient, request: Json) -> Json:
    answer = client.post(VROOM, json=request)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def vehicle(number: int = 1, **more: object) -> Json:
    return {"id": number, "profile": "ebike", "start": at("A"), **more}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_an_answer_given_back_as_steps_stays_what_it_was(client: TestClient, seed: int) -> None:
    """VROOM #1251: the steps of an answer were refused as infeasible when they were sent back."""
    rng = np.random.default_rng(seed)

    def some(letters: str) -> list[float]:
        return at(str(rng.choice(list(letters))))

    def windows() -> list[list[int]]:
        ends = np.sort(rng.integers(0, 4000, 4)).tolist()
        return [ends[:2], ends[2:]]

    jobs = [
        {"id": n, "location": some("BCDEFGHIJ"), "service": 45, "time_windows": windows(), "delivery": [1]}
        for n in range(5)
    ]
    pause = {"id": 1, "service": 60, "time_windows": windows()}
    vehicles = [vehicle(n, end=at("A"), capacity=[3], breaks=[pause], time_window=[0, 6000]) for n in (1, 2)]
    body = posted(client, {"vehicles": vehicles, "jobs": jobs})
    for one in vehicles:
        routes = [route for route in body["routes"] if route["vehicle"] == one["id"]]
        steps = [] if not routes else routes[0]["steps"]
        one["steps"] = [{key: step[key] for key in ("type", "id") if key in step} for step in steps]
    again = posted(client, {"vehicles": vehicles, "jobs": jobs})
    assert again["routes"] == body["routes"]
    assert [one["id"] for one in again["unassigned"]] == [one["id"] for one in body["unassigned"]]


@pytest.mark.parametrize(
    ("spoil", "pointer"),
    [
        # VROOM #896, #414: one window instead of several, or the reverse, was silently ignored.
        (lambda r: r["vehicles"][0].update(time_windows=[[0, 9]]), "/vehicles/0/time_windows"),
        (lambda r: r["jobs"][0].update(time_window=[0, 9]), "/jobs/0/time_window"),
        # VROOM #950: `skill` instead of `skills`.
        (lambda r: r["jobs"][0].update(skill=[1]), "/jobs/0/skill"),
        # VROOM #880: no window at all is not "any time".
        (lambda r: r["jobs"][0].update(time_windows=[]), "/jobs/0/time_windows"),
        # jsprit #281: milliseconds as if they were seconds.
        (
            lambda r: r["jobs"][0].update(time_windows=[[1474488000000, 1474495200000]]),
            "/jobs/0/time_windows",
        ),
        (lambda r: r["jobs"][0].update(service=-1), "/jobs/0/service"),
        (lambda r: r["jobs"].append(dict(r["jobs"][0])), "/jobs/1/id"),
        # VROOM #1245: a vehicle without a start.
        (lambda r: r["vehicles"][0].pop("start"), "/vehicles/0/start"),
    ],
)
def test_what_others_ignore_is_refused_where_it_stands(
    client: TestClient, spoil: Callable[[Json], object], pointer: str
) -> None:
    request: Json = {"vehicles": [vehicle()], "jobs": [{"id": 1, "location": at("B")}]}
    assert posted(client, request)["unassigned"] == []
    spoil(request)
    answer = client.post(VROOM, json=request)
    assert answer.status_code == 422
    assert any(one["pointer"].startswith(pointer) for one in answer.json()["errors"]), answer.json()


def test_a_window_of_one_instant_is_waited_for(client: TestClient) -> None:
    """Jsprit #201: a window from 10 to 10, and arrival before it."""
    job = {"id": 1, "location": at("B"), "time_windows": [[3600, 3600]], "service": 60}
    (route,) = posted(client, {"vehicles": [vehicle(time_window=[0, 9000])], "jobs": [job]})["routes"]
    step = route["steps"][1]
    assert step["arrival"] + step["waiting_time"] == 3600


def test_a_window_across_midnight_is_one_window(client: TestClient) -> None:
    midnight = 1_772_640_000
    job = {"id": 1, "location": at("B"), "time_windows": [[midnight - 600, midnight + 600]]}
    ready = vehicle(time_window=[midnight - 30, midnight + 3600])
    (route,) = posted(client, {"vehicles": [ready], "jobs": [job]})["routes"]
    assert route["steps"][1]["arrival"] > midnight


def test_windows_that_overlap_touch_or_come_in_any_order_are_the_same(client: TestClient) -> None:
    """Jsprit #279: several windows were violated."""

    def starts(windows: list[list[int]]) -> int:
        job = {"id": 1, "location": at("J"), "time_windows": windows}
        (route,) = posted(client, {"vehicles": [vehicle(time_window=[0, 9000])], "jobs": [job]})["routes"]
        step = route["steps"][1]
        return int(step["arrival"] + step["waiting_time"])

    assert starts([[0, 10], [2000, 2500]]) == starts([[2000, 2500], [0, 10]]) == 2000
    assert (
        starts([[0, 10], [1500, 2100], [2000, 2500], [2500, 2600]]) == starts([[0, 10], [1500, 2600]]) == 1500
    )


def test_several_jobs_at_one_place_and_at_the_start_take_no_way(client: TestClient) -> None:
    jobs = [{"id": number, "location": at("A")} for number in range(4)]
    (route,) = posted(client, {"vehicles": [vehicle(end=at("A"))], "jobs": jobs})["routes"]
    assert (route["duration"], route["service"], route["waiting_time"]) == (0, 0, 0)
    assert len(route["steps"]) == 6


def test_a_pair_with_tight_windows_is_served_when_it_can_be(client: TestClient) -> None:
    """reinterpretcat/vrp #193: a pick-up and delivery that is possible in time was left out."""
    shipment = {"pickup": {"id": 1, "location": at("B")}, "delivery": {"id": 1, "location": at("J")}}
    free = posted(client, {"vehicles": [vehicle(time_window=[0, 9000])], "shipments": [shipment]})
    done = free["routes"][0]["steps"][2]["arrival"]
    for latest, served in ((done, True), (done - 2, False)):
        shipment["delivery"]["time_windows"] = [[0, latest]]
        body = posted(client, {"vehicles": [vehicle(time_window=[0, 9000])], "shipments": [shipment]})
        assert (body["unassigned"] == []) is served


def test_a_given_plan_that_is_late_takes_what_makes_nothing_later(client: TestClient) -> None:
    """VROOM #719: a given plan that cannot be in time was an error, and with it everything else."""
    late = {"id": 1, "location": at("J"), "time_windows": [[0, 5]]}
    after = {"id": 2, "location": at("I"), "service": 60}
    plan = vehicle(steps=[{"type": "job", "id": 1}])
    body = posted(client, {"vehicles": [plan], "jobs": [late, after]})
    assert [step.get("id") for step in body["routes"][0]["steps"]] == [None, 1, 2]
    assert body["routes"][0]["steps"][1]["violations"][0]["cause"] == "delay"
    alone = posted(client, {"vehicles": [plan], "jobs": [late]})
    assert body["routes"][0]["steps"][1]["arrival"] == alone["routes"][0]["steps"][1]["arrival"]


def shipment(number: int, pickup: tuple[str, list[int]], delivery: tuple[str, list[int]]) -> Json:
    parts = {"pickup": pickup, "delivery": delivery}
    return {
        name: {"id": number, "location": at(letter), "time_windows": [window]}
        for name, (letter, window) in parts.items()
    }


def test_one_impossible_pair_does_not_spoil_the_others(client: TestClient) -> None:
    """OR-Tools #1470: a pair to be handed over before it can be taken up left the whole answer empty."""
    impossible = shipment(1, ("B", [7000, 8000]), ("C", [0, 5000]))
    possible = shipment(2, ("B", [0, 5000]), ("J", [0, 5000]))
    body = posted(client, {"vehicles": [vehicle(time_window=[0, 9000])], "shipments": [impossible, possible]})
    assert [(one["id"], one["type"]) for one in body["unassigned"]] == [(1, "pickup"), (1, "delivery")]
    assert [step.get("id") for step in body["routes"][0]["steps"]] == [None, 2, 2]


def test_of_two_pairs_that_exclude_each_other_one_is_served(client: TestClient) -> None:
    """OR-Tools #1470, the second case: each of two pairs is possible, both together are not."""
    first = shipment(1, ("B", [6000, 6100]), ("J", [0, 9000]))
    second = shipment(2, ("J", [0, 9000]), ("A", [6000, 6100]))
    body = posted(client, {"vehicles": [vehicle(time_window=[0, 9000])], "shipments": [first, second]})
    # There is time for both within the windows; with the same instant there is not.
    assert body["unassigned"] == []
    second["delivery"]["time_windows"] = [[6000, 6000]]
    first["pickup"]["time_windows"] = [[6000, 6000]]
    body = posted(client, {"vehicles": [vehicle(time_window=[0, 9000])], "shipments": [first, second]})
    assert len({one["id"] for one in body["unassigned"]}) == 1
    assert len(body["routes"][0]["steps"]) == 3


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"time_windows": [[0, 5]]}, "window"),
        ({"skills": [7]}, "skill"),
        ({"delivery": [4]}, "capacity"),
        ({"time_windows": [[8000, 8000]], "service": 2000}, "shift"),
    ],
)
def test_what_is_left_out_says_which_rule_kept_it_out(client: TestClient, change: Json, rule: str) -> None:
    """OR-Tools #2361 and reinterpretcat/vrp #48: no reason was given, or a wrong one."""
    job = {"id": 1, "location": at("J"), "delivery": [1], **change}
    body = posted(client, {"vehicles": [vehicle(time_window=[0, 9000], capacity=[3])], "jobs": [job]})
    assert [one["reason"]["rule"] for one in body["unassigned"]] == [rule]


def test_each_job_goes_to_the_vehicle_whose_hours_fit(client: TestClient) -> None:
    """Jsprit #95: with different hours the window of the early job was ignored."""
    early = {"id": 1, "location": at("C"), "time_windows": [[1000, 2000]]}
    later = {"id": 2, "location": at("G"), "time_windows": [[20_000, 21_000]]}
    morning, evening = vehicle(1, time_window=[0, 13_000]), vehicle(2, time_window=[12_000, 30_000])
    for vehicles in ([morning, evening], [evening, morning]):
        body = posted(client, {"vehicles": vehicles, "jobs": [early, later]})
        found = {route["vehicle"]: route["steps"][1]["id"] for route in body["routes"]}
        assert (found, body["unassigned"]) == ({1: 1, 2: 2}, [])


def test_no_delivery_stands_after_the_end_of_the_vehicle(client: TestClient) -> None:
    """Jsprit #146: shipments were handed over after the vehicle's time window."""
    pair = {"pickup": {"id": 1, "location": at("B")}, "delivery": {"id": 1, "location": at("J")}}
    free = posted(client, {"vehicles": [vehicle(time_window=[0, 9000])], "shipments": [pair]})
    done = free["routes"][0]["steps"][2]["arrival"]
    for end, served in ((done + 1, True), (done - 2, False)):
        body = posted(client, {"vehicles": [vehicle(time_window=[0, end])], "shipments": [pair]})
        assert (body["unassigned"] == []) is served
        if not served:
            assert {one["reason"]["rule"] for one in body["unassigned"]} == {"shift"}


def test_a_break_is_taken_even_where_a_job_would_fit_into_its_place(client: TestClient) -> None:
    """Jsprit #202 and #329: the window of a break was missed, or the break left out."""
    pause = {"id": 1, "service": 600, "time_windows": [[1000, 1200]]}
    job = {"id": 1, "location": at("B"), "time_windows": [[900, 1300]], "service": 500}
    one = vehicle(time_window=[0, 9000], breaks=[pause], steps=[{"type": "break", "id": 1}])
    body = posted(client, {"vehicles": [one], "jobs": [job]})
    steps = body["routes"][0]["steps"]
    (at_rest,) = [step for step in steps if step["type"] == "break"]
    assert 1000 <= at_rest["arrival"] + at_rest["waiting_time"] <= 1200
    assert at_rest["violations"] == []


def test_long_services_do_not_keep_a_feasible_job_out(client: TestClient) -> None:
    """VROOM #827: the planner waited for a later job first, and one of three was left out."""
    jobs = [
        {"id": 1, "location": at("B"), "service": 7200, "time_windows": [[0, 14_000]]},
        {"id": 2, "location": at("C"), "service": 1200, "time_windows": [[8000, 14_000]]},
        {"id": 3, "location": at("G"), "service": 1200, "time_windows": [[9000, 14_000]]},
    ]
    body = posted(client, {"vehicles": [vehicle(time_window=[0, 14_000])], "jobs": jobs})
    served = [step["id"] for step in body["routes"][0]["steps"] if step["type"] == "job"]
    assert (served[0], sorted(served), body["unassigned"]) == (1, [1, 2, 3], [])


def test_a_free_vehicle_takes_what_the_others_cannot(client: TestClient) -> None:
    """VROOM #1284: a job was left out and a vehicle unused that could do it."""
    jobs = [{"id": n, "location": at("B"), "service": 60} for n in range(8)]
    special = {"id": 69, "location": at("J"), "skills": [5], "time_windows": [[0, 400]]}
    fleet = [vehicle(1, skills=[5], max_travel_time=400), *(vehicle(n) for n in range(2, 5))]
    body = posted(client, {"vehicles": fleet, "jobs": [*jobs, special]})
    assert body["unassigned"] == []
    mine = next(route for route in body["routes"] if route["vehicle"] == 1)
    assert 69 in [step.get("id") for step in mine["steps"]]


def test_forced_times_around_a_break_are_kept(client: TestClient) -> None:
    """VROOM #1326: a route with forced bounds about its break was refused as infeasible."""
    pause = {"id": 40, "time_windows": [[100, 400]], "service": 120}
    jobs = [
        {"id": 71, "location": at("B"), "service": 60, "time_windows": [[0, 900]]},
        {"id": 100, "location": at("J"), "service": 60, "time_windows": [[200, 1200]]},
    ]
    steps = [
        {"type": "start"},
        {"type": "break", "id": 40, "service_after": 100, "service_before": 400},
        {"type": "job", "id": 71, "service_after": 0, "service_before": 900},
        {"type": "job", "id": 100, "service_after": 200, "service_before": 1200},
    ]
    (route,) = posted(client, {"vehicles": [vehicle(breaks=[pause], steps=steps)], "jobs": jobs})["routes"]
    assert [step.get("id") for step in route["steps"]] == [None, 40, 71, 100]
    assert route["violations"] == []


def test_nothing_is_done_during_one_of_two_breaks(client: TestClient) -> None:
    """OR-Tools #569 and #1962: visits overlapped with breaks, and of two breaks one was ignored."""
    breaks = [{"id": n, "time_windows": [[300 * n, 300 * n + 60]], "service": 120} for n in (1, 2)]
    jobs = [{"id": n, "location": at("BJ"[n % 2]), "service": 90} for n in range(5)]
    (route,) = posted(client, {"vehicles": [vehicle(breaks=breaks)], "jobs": jobs})["routes"]
    steps = route["steps"]
    assert sorted(step["id"] for step in steps if step["type"] == "break") == [1, 2]
    for before, after in itertools.pairwise(steps):
        assert after["arrival"] >= before["arrival"] + before["waiting_time"] + before["service"]
    for step in steps:
        if step["type"] == "break":
            start = step["arrival"] + step["waiting_time"]
            assert 300 * step["id"] <= start <= 300 * step["id"] + 60


def test_a_wider_window_loses_nothing(client: TestClient) -> None:
    """OR-Tools #1857: what was served within a window was not served within a wider one."""
    for last in (300, 600, 1200, 4000):
        job = {"id": 1, "location": at("J"), "service": 30, "time_windows": [[200, last]]}
        other = {"id": 2, "location": at("B"), "service": 30, "time_windows": [[0, 300]]}
        assert posted(client, {"vehicles": [vehicle()], "jobs": [job, other]})["unassigned"] == []


def test_a_route_that_takes_too_long_already_is_told(client: TestClient) -> None:
    """VROOM #835: a given route beyond `max_travel_time` was answered without a word."""
    jobs = [{"id": 1, "location": at("J")}]
    given = vehicle(steps=[{"type": "job", "id": 1}], max_travel_time=10)
    (route,) = posted(client, {"vehicles": [given], "jobs": jobs})["routes"]
    over = {"cause": "max_travel_time", "duration": route["duration"] - 10}
    assert over in route["violations"]
