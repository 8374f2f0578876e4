"""Costs by kilometre and by the time on the spot, and limits on a whole route."""

import copy
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from vroom_town import Json, pos, post


def _anywhere(rng: np.random.Generator) -> list[float]:
    return pos(str(rng.choice(list("ABCDEFGHJ"))))


def _request(rng: np.random.Generator, **of_vehicle: Any) -> Json:  # noqa: ANN401
    jobs: list[Json] = [{"id": n, "location": _anywhere(rng), "service": 20} for n in range(1, 7)]
    vehicles: list[Json] = []
    for n in range(2):
        steps = [{"type": "job", "id": 3 * n + at} for at in (1, 2, 3)]
        mode = ("car", "ebike")[n]
        vehicle = {"id": n, "profile": mode, "start": pos("A"), "end": pos("F"), "steps": steps}
        vehicles.append(vehicle | copy.deepcopy(of_vehicle))
    return {"vehicles": vehicles, "jobs": jobs, "options": {"g": True}}


def _forced(client: TestClient, request: Json, free: Json) -> list[Json]:
    """The answers with the job as a given step at every place."""
    answers = []
    for at in range(len(request["vehicles"])):
        for place in range(4):
            forced = copy.deepcopy(request)
            forced["jobs"].append(free)
            forced["vehicles"][at]["steps"].insert(place, {"type": "job", "id": free["id"]})
            answers.append(post(client, forced))
    return answers


def test_the_cheapest_place_counts_time_way_and_the_spot(client: TestClient) -> None:
    """Every place in every plan tried by force."""
    moved = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        request = _request(rng, costs={"per_hour": 3600, "per_km": 0})
        request["vehicles"][0]["costs"] = {"per_hour": 36, "per_km": 9000, "per_task_hour": 50}
        free = {"id": 9, "location": _anywhere(rng), "service": 60}
        whole = copy.deepcopy(request)
        whole["jobs"].append(free)
        told = post(client, whole)
        forced = [one["summary"]["cost"] for one in _forced(client, request, free)]
        # Vehicles are compared by what a task takes, waiting and service too; costs are told of the way.
        assert told["summary"]["cost"] >= min(forced)
        mine = next(one for one in told["routes"] if any(step.get("id") == 9 for step in one["steps"]))
        if mine["vehicle"] == 0:
            moved += 1
            assert told["summary"]["cost"] <= min(forced[:4]) + 2
    assert moved


def test_the_cost_told_is_that_of_its_parts(client: TestClient) -> None:
    costs = {"fixed": 7, "per_hour": 1800, "per_km": 1000, "per_task_hour": 7200}
    vehicle = {"id": 1, "profile": "ebike", "start": pos("A"), "costs": costs}
    jobs = [{"id": 1, "location": pos("B"), "service": 60}]
    (route,) = post(client, {"vehicles": [vehicle], "jobs": jobs, "options": {"g": True}})["routes"]
    assert route["cost"] == 7 + (route["duration"] * 1800 + 60 * 7200) // 3600 + route["distance"]


@pytest.mark.parametrize(("name", "told"), [("max_travel_time", "duration"), ("max_distance", "distance")])
def test_no_route_gets_beyond_its_limits(client: TestClient, name: str, told: str) -> None:
    rng = np.random.default_rng(5)
    request = _request(rng)
    free = {"id": 9, "location": pos("J"), "service": 60}
    request["vehicles"] = request["vehicles"][:1]
    request["jobs"] = request["jobs"][:3]
    plain = post(client, request)["routes"][0][told]
    request["jobs"].append(free)
    with_it = post(client, request)["routes"][0][told]
    assert with_it > plain, "the job is on the way, and the case says nothing"
    request["vehicles"][0][name] = with_it
    assert post(client, request)["unassigned"] == []
    request["vehicles"][0][name] = with_it - 1
    answer = post(client, request)
    assert [(one["id"], one["reason"]["rule"]) for one in answer["unassigned"]] == [(9, "shift")]
    assert "longer or farther" in answer["unassigned"][0]["reason"]["text"]
    assert answer["routes"][0][told] <= with_it - 1
    request["vehicles"][0][name] = plain - 1
    causes = [one["cause"] for one in post(client, request)["routes"][0]["violations"]]
    assert name in causes, "a given route beyond its limit is told"
