"""Cases that users of other planners reported, small, and what they ask of this one."""

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
