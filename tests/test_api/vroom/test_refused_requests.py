"""What of VROOM's JSON cannot be done is refused by name, with a pointer to the place."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from vroom_town import VROOM, Json, pos


def _valid() -> Json:
    return {
        "vehicles": [
            {
                "id": 1, "profile": "ebike", "start": pos("A"), "capacity": [2], "end": pos("A"),
                "breaks": [{"id": 1, "service": 60, "time_windows": [[0, 5000]]}],
                "steps": [{"type": kind, "id": 1} for kind in ("job", "pickup", "delivery")],
            }
        ],
        "jobs": [{"id": 1, "location": pos("B"), "time_windows": [[0, 5000]]}],
        "shipments": [
            {
                "pickup": {"id": 1, "location": pos("C")}, "delivery": {"id": 1, "location": pos("H")},
                "amount": [1],
            }
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("pointer", "value", "words"),
    [
        ("/matrices", {"car": {}}, "not which way it is, so it cannot be shown to keep to streets"),
        ("/vehicles/0/start_index", 3, "times come from the streets"),
        ("/vehicles/0/max_travel_time", -1, "allowed is 0 to"),
        ("/vehicles/0/max_distance", 0.5, "whole number"),
        ("/matrix", [[0]], "`speed_factor` slows a vehicle"),
        ("/vehicles/0/end_index", 3, "times come from the streets"),
        ("/jobs/0/location_index", 3, "times come from the streets"),
        ("/shipments/0/pickup/location_index", 3, "times come from the streets"),
        ("/distribute_options", {}, "several matrices or request files"),
        ("/vehicles/0/speed_factor", 1.5, "allowed is 0.1 to 1"),
        ("/vehicles/0/profile", "truck", "must be one of"),
        ("/vehicles/0/start", None, "must be a list"),
        ("/vehicles/0/whatever", 1, "no such field"),
        ("/vehicles/0/breaks/0/max_load", [1], "load during a break"),
        ("/jobs/0/amount", [1], "use `delivery` or `pickup`"),
        ("/jobs/0/service_per_type", {"a": -1}, "allowed is 0 to"),
        ("/jobs/0/location", [200, 0], "180 or less"),
        ("/jobs/0/delivery", [1, 2], "has 2 numbers, but /vehicles/0/capacity has 1"),
        ("/jobs/0/time_windows/0", [50, 40], "ends at 40 before it begins at 50"),
        ("/vehicles/0/time_window", [50, 40], "ends at 40 before it begins at 50"),
        ("/vehicles/0/steps/0/id", 9, "job 9 is not in the request"),
        ("/vehicles/0/steps/1", {"type": "job", "id": 1}, "already"),
        ("/vehicles/0/steps/1", {"type": "start"}, "first step"),
        ("/vehicles/0/steps/1", {"type": "break", "id": 4}, "no break 4"),
        ("/vehicles/0/steps/0", {"type": "job", "id": 1, "service_at": 9000}, "none of its windows"),
        ("/vehicles/0/start", [116.5, 39.9], "lies on no street"),
        ("/jobs/0/location", [116.5, 39.9], "lies on no street"),
    ],
)
def test_what_cannot_be_mapped_is_refused_by_name(
    client: TestClient, pointer: str, value: object, words: str
) -> None:
    request = _valid()
    assert client.post(VROOM, json=request).status_code == 200
    part: Any = request
    *steps, last = pointer.strip("/").split("/")
    for step in steps:
        part = part[int(step) if step.isdigit() else step]
    part[int(last) if last.isdigit() else last] = value
    answer = client.post(VROOM, json=request)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    told = {one["pointer"]: one["detail"] for one in answer.json()["errors"]}
    assert any(where.startswith(pointer) and words in text for where, text in told.items()), told


def test_what_cannot_be_mapped_is_refused_in_chinese_too(client: TestClient) -> None:
    request = _valid() | {"matrices": {"car": {"durations": [[0]]}}}
    request["jobs"][0]["location_index"] = 2
    answer = client.post(VROOM, json=request, headers={"accept-language": "zh"})
    told = {one["pointer"]: one["detail"] for one in answer.json()["errors"]}
    assert told.keys() == {"/matrices", "/jobs/0/location_index"}
    assert all(text.startswith("此处不支持：矩阵") for text in told.values()), told


def test_shipments_are_given_whole_and_ids_differ(client: TestClient) -> None:
    steps = _valid()["vehicles"][0]["steps"]
    for given, pointer, words in (
        (steps[:2], "/vehicles/0/steps/1", "the delivery of this shipment"),
        ([steps[2]], "/vehicles/0/steps/0", "the pickup of this shipment"),
        ([steps[2], steps[1]], "/vehicles/0/steps/0", "before its pick-up"),
    ):
        request = _valid()
        request["vehicles"][0]["steps"] = given
        (told,) = client.post(VROOM, json=request).json()["errors"]
        assert told["pointer"] == pointer
        assert words in told["detail"]
    twice = _valid()
    twice["vehicles"].append({"id": 1, "start": pos("A")})
    twice["jobs"].append({"id": 1, "location": pos("A")})
    told = {one["pointer"] for one in client.post(VROOM, json=twice).json()["errors"]}
    assert told == {"/vehicles/1/id", "/jobs/1/id"}


def test_set_up_times_of_a_shared_place_are_refused(client: TestClient) -> None:
    jobs = [{"id": number, "location": pos("B"), "setup": 30} for number in (1, 2)]
    vehicle = {"id": 1, "profile": "ebike", "start": pos("A")}
    answer = client.post(VROOM, json={"vehicles": [vehicle], "jobs": jobs})
    assert answer.status_code == 422
    assert {one["pointer"] for one in answer.json()["errors"]} == {"/jobs/0/setup", "/jobs/1/setup"}
