"""``POST /v1/vroom``: given steps keep their order, the rest is inserted; held by an independent reading."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from tiny_study import TOWN, place, write_study
from vroom_check import problems_of

from api.http.app import create_app
from api.settings import Settings
from api.vroom.polyline import encoded
from geo.datum import from_wgs84
from routing.model.policy import Policy
from routing.proof.reference_paths import PlainWays

VROOM = "/v1/vroom"
Json = dict[str, Any]
NETWORK = TOWN.network()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = write_study(tmp_path_factory.mktemp("study") / "out")
    with TestClient(create_app(folder, settings=Settings())) as client:
        yield client


@pytest.fixture(scope="module")
def travel_s() -> Callable[[Json, tuple[float, float], tuple[float, float]], float]:
    ways: dict[str, PlainWays] = {}

    def seconds(vehicle: Json, here: tuple[float, float], there: tuple[float, float]) -> float:
        profile: str = vehicle.get("profile", "car")
        mode = "bike" if profile == "bicycle" else profile
        plain = ways.setdefault(mode, PlainWays(NETWORK, mode, Policy()))
        a, b = (NETWORK.snap(np.array([one]), mode) for one in (here, there))
        return plain.fastest_ms(a, b) / float(vehicle.get("speed_factor", 1.0)) / 1000

    return seconds


def _at(letter: str) -> list[float]:
    return [round(one, 7) for one in place(letter)]


def _between(rng: np.random.Generator) -> list[float]:
    """A place beside a street of the town, on the part that is joined."""
    a, b = [("A", "B"), ("F", "G"), ("G", "H"), ("I", "J"), ("C", "D"), ("D", "I")][int(rng.integers(6))]
    part = float(rng.uniform())
    return [round(x + part * (y - x), 7) for x, y in zip(_at(a), _at(b), strict=True)]


def _post(client: TestClient, request: Json, **more: Any) -> Json:  # noqa: ANN401 - of the client
    answer = client.post(VROOM, json=request, **more)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    assert body["code"] == 0
    return body


def _steps(body: Json, route: int = 0) -> list[tuple[str, int | None]]:
    return [(step["type"], step.get("id")) for step in body["routes"][route]["steps"]]


def _random(seed: int, dimensions: int) -> Json:
    """Vehicles of all kinds; jobs and shipments, some of them given as steps."""
    rng = np.random.default_rng(seed)

    def some(low: int, high: int) -> list[int]:
        return [int(one) for one in rng.integers(low, high, dimensions)]

    def windows() -> list[list[int]]:
        starts = np.sort(rng.integers(0, 1800, int(rng.integers(1, 4))))
        return [[int(a), int(a + rng.integers(30, 250))] for a in starts]

    def part(number: int) -> Json:
        one: Json = {"id": number, "location": _between(rng), "service": int(rng.integers(0, 90))}
        return one | ({"time_windows": windows()} if rng.random() < 0.5 else {})

    jobs: list[Json] = [
        part(n) | {"skills": [1] if rng.random() < 0.3 else [], "priority": int(rng.integers(0, 5))}
        | {str(rng.choice(["delivery", "pickup"])): some(0, 4)}
        for n in range(1, 9)
    ]  # fmt: skip
    shipments: list[Json] = [
        {"pickup": part(n), "delivery": part(n + 50), "amount": some(0, 4)} for n in range(1, 5)
    ]
    vehicles = []
    for n, profile in enumerate(["ebike", "car", "bicycle"]):
        vehicle: Json = {"id": n, "profile": profile, "start": _between(rng), "capacity": some(3, 9)}
        vehicle |= {"skills": [1] if rng.random() < 0.5 else [], "max_tasks": int(rng.integers(2, 12))}
        if rng.random() < 0.6:
            vehicle["end"] = _between(rng)
        if rng.random() < 0.6:
            vehicle["time_window"] = [int(rng.integers(0, 300)), int(rng.integers(2500, 5000))]
        if rng.random() < 0.5:
            vehicle["breaks"] = [{"id": 7, "service": 120, "time_windows": windows()}]
        if rng.random() < 0.3:
            vehicle["speed_factor"] = 0.8
        vehicles.append(vehicle)
    free = {key: list(range(4)) for key in ("job", "shipment")}
    for vehicle in vehicles[:2]:
        vehicle["skills"], vehicle["max_tasks"], vehicle["capacity"] = [1], 30, [40] * dimensions
        job, shipment = jobs[free["job"].pop()], shipments[free["shipment"].pop()]
        steps = [("job", job["id"]), ("pickup", shipment["pickup"]["id"])]
        steps.append(("delivery", shipment["delivery"]["id"]))
        if "breaks" in vehicle and rng.random() < 0.5:
            steps.insert(int(rng.integers(4)), ("break", 7))
        vehicle["steps"] = [{"type": kind, "id": number} for kind, number in steps]
    return {"vehicles": vehicles, "jobs": jobs, "shipments": shipments}


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_answers_hold_when_read_independently(
    client: TestClient, travel_s: Callable[..., float], dimensions: int
) -> None:
    served = lost = 0
    for seed in range(12):
        request = _random(seed, dimensions)
        body = _post(client, request)
        assert problems_of(request, body, travel_s) == [], seed
        lost += len(body["unassigned"])
        served += sum(
            step["type"] in ("job", "pickup", "delivery") for r in body["routes"] for step in r["steps"]
        )
    assert served > 12 * 8
    assert lost > 0


def test_the_reading_finds_what_is_broken(client: TestClient, travel_s: Callable[..., float]) -> None:
    request: Json = {
        "vehicles": [
            {
                "id": 1, "profile": "ebike", "start": _at("A"), "capacity": [3], "skills": [4],
                "steps": [{"type": "job", "id": 1}, {"type": "job", "id": 2}],
            }
        ],
        "jobs": [
            {"id": 1, "location": _at("B"), "service": 30, "delivery": [2]},
            {"id": 2, "location": _at("H"), "time_windows": [[0, 900]], "delivery": [1], "skills": [4]},
        ],
        "shipments": [
            {
                "pickup": {"id": 1, "location": _at("G")}, "delivery": {"id": 1, "location": _at("F")},
                "amount": [1],
            }
        ],
    }  # fmt: skip
    body = _post(client, request)
    assert problems_of(request, body, travel_s) == []
    steps = body["routes"][0]["steps"]
    at = {(step["type"], step.get("id")): n for n, step in enumerate(steps)}

    def broken(change: Callable[[list[Json]], object]) -> bool:
        other = copy.deepcopy(body)
        change(other["routes"][0]["steps"])
        return bool(problems_of(request, other, travel_s))

    assert broken(lambda s: s.__setitem__(slice(1, 3), s[2:0:-1]))
    assert broken(lambda s: s.pop())
    assert broken(lambda s: s[at["job", 2]].update(arrival=901))
    assert broken(lambda s: s[at["job", 1]].update(arrival=s[at["job", 1]]["arrival"] - 5))
    assert broken(lambda s: s[at["job", 1]].update(load=[0]))
    for key, value in (("capacity", [2]), ("skills", []), ("max_tasks", 1), ("time_window", [50, 9000])):
        changed = copy.deepcopy(request)
        changed["vehicles"][0][key] = value
        assert problems_of(changed, body, travel_s), key


def test_given_steps_stay_and_the_rest_is_inserted_on_the_way(client: TestClient) -> None:
    request: Json = {
        "vehicles": [
            {
                "id": 5, "profile": "ebike", "description": "Li", "start": _at("A"), "end": _at("A"),
                "time_window": [28800, 43200],
                "steps": [
                    {"type": "start"}, {"type": "job", "id": 2}, {"type": "job", "id": 1}, {"type": "end"},
                ],
            },
            {"id": 6, "profile": "ebike", "start": _at("J")},
        ],
        "jobs": [
            {"id": 1, "location": _at("F"), "service": 60},
            {"id": 2, "location": _at("C"), "service": 60, "description": "far first"},
            {"id": 3, "location": _at("G"), "service": 10},
        ],
    }  # fmt: skip
    body = _post(client, request)
    assert _steps(body) == [("start", None), ("job", 2), ("job", 3), ("job", 1), ("end", None)]
    assert body["unassigned"] == []
    # A vehicle without work is left out, as in VROOM; relative seconds stay relative.
    assert [route["vehicle"] for route in body["routes"]] == [5]
    route = body["routes"][0]
    assert (route["description"], route["steps"][1]["description"]) == ("Li", "far first")
    assert route["steps"][0]["arrival"] == 28800
    assert "distance" not in route
    assert body["summary"] == {
        "cost": route["duration"], "routes": 1, "unassigned": 0, "setup": 0, "service": 130,
        "duration": route["duration"], "waiting_time": 0, "priority": 0, "delivery": [], "pickup": [],
        "violations": [],
    }  # fmt: skip
    # The same a day later, in absolute seconds, takes as long.
    later = copy.deepcopy(request)
    later["vehicles"][0]["time_window"] = [1772600400 + 28800, 1772600400 + 43200]
    moved = _post(client, later)["routes"][0]
    assert [step["arrival"] - 1772600400 for step in moved["steps"]] == [s["arrival"] for s in route["steps"]]


def test_the_place_is_the_cheapest_of_all_that_hold(client: TestClient) -> None:
    """Every place in every plan tried by force: the task given there as a step, and the whole judged."""
    inserted = refused = 0
    for seed in range(15):
        rng = np.random.default_rng(seed)
        jobs: list[Json] = [
            {"id": n, "location": _between(rng), "service": 20} | {("delivery", "pickup")[n % 2]: [1, n % 3]}
            for n in range(1, 7)
        ]
        vehicles: list[Json] = []
        for n in range(2):
            vehicle = {"id": n, "profile": "ebike", "start": _between(rng), "end": _between(rng)}
            steps = [{"type": "job", "id": 3 * n + at} for at in (1, 2, 3)]
            vehicles.append(
                vehicle
                | {"capacity": [3, 3], "time_window": [0, int(rng.integers(350, 900))], "steps": steps}
            )
        free = {"id": 9, "location": _between(rng), "service": 30, "delivery": [1, 1], "pickup": [0, 1]}
        request = {"vehicles": vehicles, "jobs": [*jobs, free]}
        before = {route["vehicle"]: route for route in _post(client, request | {"jobs": jobs})["routes"]}
        body = _post(client, request)
        extras = []
        for at, vehicle in enumerate(vehicles):
            for place_at in range(4):
                forced = copy.deepcopy(request)
                forced["vehicles"][at]["steps"].insert(place_at, {"type": "job", "id": 9})
                whole = _post(client, forced)
                # What is late already may not get later, so nothing at all may change there.
                broken = whole["routes"][at]["violations"] != before[vehicle["id"]]["violations"]
                spent = sum(whole["summary"][name] for name in ("duration", "service"))
                extras += [] if broken else [spent]
        if not extras:
            refused += 1
            assert [one["id"] for one in body["unassigned"]] == [9]
            continue
        inserted += 1
        # Whole seconds are rounded up at each end.
        assert body["summary"]["duration"] + body["summary"]["service"] == pytest.approx(min(extras), abs=1)
    assert inserted >= 5
    assert refused >= 1


def test_geometry_comes_on_request_in_the_datum_of_the_request(client: TestClient) -> None:
    shifted = {name: from_wgs84([place(name)], "gcj02")[0].tolist() for name in "AC"}
    request = {
        "vehicles": [{"id": 1, "profile": "ebike", "start": shifted["A"]}],
        "jobs": [{"id": 1, "location": shifted["C"]}],
        "options": {"g": True},
    }
    route = _post(client, request, params={"datum": "gcj02"})["routes"][0]
    assert route["distance"] == route["steps"][-1]["distance"] == pytest.approx(400, abs=5)
    # North Street is straight: two points, and perhaps its corner.
    assert route["geometry"].startswith(encoded([shifted["A"]])[:6])
    assert route["steps"][0]["location"] == pytest.approx(shifted["A"])


def test_a_polyline_is_encoded_as_google_does() -> None:
    line = [(-120.2, 38.5), (-120.95, 40.7), (-126.453, 43.252)]
    assert encoded(line) == "_p~iF~ps|U_ulLnnqC_mqNvxq`@"


def test_of_several_windows_the_one_that_fits_is_taken(client: TestClient) -> None:
    job = {"id": 1, "location": _at("B"), "service": 60, "time_windows": [[0, 5], [700, 800], [1000, 1100]]}
    vehicle: Json = {"id": 1, "profile": "ebike", "start": _at("J"), "time_window": [0, 3600]}
    (_, step) = _post(client, {"vehicles": [vehicle], "jobs": [job]})["routes"][0]["steps"]
    assert (step["arrival"] + step["waiting_time"], step["waiting_time"]) == (700, 0)
    given = vehicle | {"steps": [{"type": "job", "id": 1, "service_after": 1050}]}
    (_, step) = _post(client, {"vehicles": [given], "jobs": [job]})["routes"][0]["steps"]
    assert step["arrival"] == 1050
    busy = vehicle | {"time_window": [780, 3600], "steps": [{"type": "job", "id": 1}]}
    (_, step) = _post(client, {"vehicles": [busy], "jobs": [job]})["routes"][0]["steps"]
    assert step["arrival"] == 1000


def test_a_given_step_that_is_late_is_told_and_not_made_later(client: TestClient) -> None:
    request: Json = {
        "vehicles": [{"id": 1, "profile": "ebike", "start": _at("A"), "steps": [{"type": "job", "id": 1}]}],
        "jobs": [{"id": 1, "location": _at("J"), "service": 5, "time_windows": [[0, 10]]}],
    }
    alone = _post(client, request)
    (violation,) = alone["summary"]["violations"]
    assert violation["cause"] == "delay"
    assert violation["duration"] == alone["routes"][0]["steps"][1]["arrival"] - 10 > 0
    request["jobs"].append({"id": 2, "location": _at("A"), "service": 30})
    body = _post(client, request)
    assert _steps(body) == [("start", None), ("job", 1), ("job", 2)]
    assert body["routes"][0]["steps"][1]["arrival"] == alone["routes"][0]["steps"][1]["arrival"]


def test_breaks_are_taken_where_the_vehicle_is(client: TestClient, travel_s: Callable[..., float]) -> None:
    pause = {"id": 3, "service": 1200, "time_windows": [[200, 900]], "description": "lunch"}
    request = {
        "vehicles": [{"id": 1, "profile": "ebike", "start": _at("A"), "end": _at("A"), "breaks": [pause]}],
        "jobs": [
            {"id": 1, "location": _at("C"), "time_windows": [[0, 400]]},
            {"id": 2, "location": _at("H"), "time_windows": [[1300, 4000]]},
        ],
    }
    body = _post(client, request)
    assert problems_of(request, body, travel_s) == []
    assert _steps(body) == [("start", None), ("job", 1), ("break", 3), ("job", 2), ("end", None)]
    steps = body["routes"][0]["steps"]
    assert (steps[2]["description"], "location" in steps[2]) == ("lunch", False)
    # No way back to the start for it.
    assert steps[2]["duration"] == steps[1]["duration"]


@pytest.mark.parametrize(
    ("vehicle", "job", "rule", "words"),
    [
        ({"capacity": [3, 1]}, {"delivery": [1, 2]}, "capacity", "has room for it"),
        ({"max_tasks": 0}, {}, "capacity", "as many tasks as it may"),
        ({}, {"skills": [9]}, "skill", "lacks the skill 9"),
        ({}, {"location": [116.5, 39.9]}, "place", "more than 2 km from every street"),
        ({"time_window": [0, 60]}, {}, "shift", "ends"),
        ({}, {"time_windows": [[0, 1]]}, "window", "after its window"),
        ({}, {"location": _at("X")}, "unreachable", "no legal way"),
        (
            {"time_window": [0, 30000]},
            {"time_windows": [[20000, 30000]]},
            "break",
            "break of rider 1 falls due",
        ),
    ],
)
def test_what_no_vehicle_gets_has_its_reason(
    client: TestClient, vehicle: Json, job: Json, rule: str, words: str
) -> None:
    request = {
        "vehicles": [{"id": 1, "profile": "ebike", "start": _at("A"), **vehicle}],
        "jobs": [{"id": 4, "location": _at("J"), "description": "it", **job}],
    }
    body = _post(client, request)
    assert body["routes"] == []
    (lost,) = body["unassigned"]
    assert (lost["id"], lost["type"], lost["description"]) == (4, "job", "it")
    assert lost["reason"]["rule"] == rule
    assert words in lost["reason"]["text"]
    chinese = _post(client, request, headers={"accept-language": "zh"})["unassigned"][0]["reason"]
    assert chinese["rule"] == rule
    assert chinese["text"] != lost["reason"]["text"]


def test_nothing_is_done_after_the_end(client: TestClient) -> None:
    vehicle = {"id": 1, "profile": "ebike", "start": _at("A"), "end": _at("B"), "time_window": [0, 900]}
    request = {
        "vehicles": [vehicle | {"steps": [{"type": "end"}]}],
        "jobs": [{"id": 1, "location": _at("J"), "service": 560, "time_windows": [[60, 400]]}],
    }
    body = _post(client, request)
    assert _steps(body) == [("start", None), ("end", None)]
    assert body["unassigned"][0]["reason"]["rule"] == "shift"
    assert "come to its end" in body["unassigned"][0]["reason"]["text"]


def _valid() -> Json:
    return {
        "vehicles": [
            {
                "id": 1, "profile": "ebike", "start": _at("A"), "capacity": [2], "end": _at("A"),
                "breaks": [{"id": 1, "service": 60, "time_windows": [[0, 5000]]}],
                "steps": [{"type": kind, "id": 1} for kind in ("job", "pickup", "delivery")],
            }
        ],
        "jobs": [{"id": 1, "location": _at("B"), "time_windows": [[0, 5000]]}],
        "shipments": [
            {
                "pickup": {"id": 1, "location": _at("C")}, "delivery": {"id": 1, "location": _at("H")},
                "amount": [1],
            }
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("pointer", "value", "words"),
    [
        ("/matrices", {"car": {}}, "times come from the streets"),
        ("/vehicles/0/start_index", 3, "times come from the streets"),
        ("/vehicles/0/costs", {"per_km": 5}, "by kilometre"),
        ("/vehicles/0/costs", {"per_task_hour": 5}, "by kilometre"),
        ("/vehicles/0/max_travel_time", 900, "limits on a whole route"),
        ("/vehicles/0/max_distance", 9000, "limits on a whole route"),
        ("/matrix", [[0]], "times come from the streets"),
        ("/vehicles/0/end_index", 3, "times come from the streets"),
        ("/jobs/0/location_index", 3, "times come from the streets"),
        ("/shipments/0/pickup/location_index", 3, "times come from the streets"),
        ("/distribute_options", {}, "several matrices or request files"),
        ("/vehicles/0/speed_factor", 1.5, "less than or equal to 1"),
        ("/vehicles/0/profile", "truck", "Input should be"),
        ("/vehicles/0/start", None, "valid tuple"),
        ("/vehicles/0/whatever", 1, "not permitted"),
        ("/vehicles/0/breaks/0/max_load", [1], "load during a break"),
        ("/jobs/0/amount", [1], "use `delivery` or `pickup`"),
        ("/jobs/0/service_per_type", {"a": -1}, "greater than or equal to 0"),
        ("/jobs/0/location", [200, 0], "less than or equal to 180"),
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
    twice["vehicles"].append({"id": 1, "start": _at("A")})
    twice["jobs"].append({"id": 1, "location": _at("A")})
    told = {one["pointer"] for one in client.post(VROOM, json=twice).json()["errors"]}
    assert told == {"/vehicles/1/id", "/jobs/1/id"}


def test_a_vehicle_without_a_time_window_sets_out_for_its_first_step(client: TestClient) -> None:
    job = {"id": 1, "location": _at("J"), "time_windows": [[1772600400, 1772604000]]}
    request = {"vehicles": [{"id": 1, "profile": "ebike", "start": _at("A")}], "jobs": [job]}
    start, step = _post(client, request)["routes"][0]["steps"]
    assert start["arrival"] + step["duration"] == step["arrival"] >= 1772600400
    assert step["waiting_time"] == 0


def test_who_can_go_elsewhere_makes_room(client: TestClient) -> None:
    """Job 1 comes first and fits both vehicles; job 2 has only the one that job 1 would take."""
    request: Json = {
        "vehicles": [
            {"id": 1, "profile": "ebike", "start": _at("A"), "max_tasks": 1, "skills": [7]},
            {"id": 2, "profile": "ebike", "start": _at("J"), "max_tasks": 1},
        ],
        "jobs": [
            {"id": 1, "location": _at("B"), "time_windows": [[0, 800]]},
            {"id": 2, "location": _at("G"), "skills": [7], "time_windows": [[0, 900]]},
        ],
    }
    body = _post(client, request)
    assert body["unassigned"] == []
    assert {route["vehicle"]: route["steps"][1]["id"] for route in body["routes"]} == {1: 2, 2: 1}


def test_a_lower_priority_stays_out_for_a_higher_one_only(client: TestClient) -> None:
    job = {"location": _at("B"), "skills": []}
    request: Json = {
        "vehicles": [{"id": 1, "profile": "ebike", "start": _at("A"), "max_tasks": 1}],
        "jobs": [
            {"id": 1, "priority": 5, **job},
            {"id": 2, "priority": 9, **job},
            {"id": 3, "priority": 9, **job},
        ],
    }
    body = _post(client, request)
    assert [step.get("id") for step in body["routes"][0]["steps"]] == [None, 2]
    assert [one["id"] for one in body["unassigned"]] == [1, 3]


def test_times_by_type_and_set_up_times_count(client: TestClient, travel_s: Callable[..., float]) -> None:
    job = {"id": 1, "location": _at("B"), "service": 60, "setup": 30}
    by_type = {**job, "service_per_type": {"van": 100}, "setup_per_type": {"van": 200}}
    for kind, setup, service in (("", 30, 60), ("bike", 30, 60), ("van", 200, 100)):
        for steps in ([], [{"type": "job", "id": 1}]):
            vehicle = {
                "id": 1,
                "profile": "ebike",
                "start": _at("A"),
                "end": _at("A"),
                "type": kind,
                "steps": steps,
            }
            request = {"vehicles": [vehicle], "jobs": [by_type]}
            (route,) = _post(client, request)["routes"]
            _, step, end = route["steps"]
            assert (step["setup"], step["service"], route["setup"], route["service"]) == (setup, service) * 2
            assert (
                end["arrival"] - step["arrival"]
                >= setup + service + travel_s(vehicle, _at("B"), _at("A")) - 1
            )
    near = {"id": 1, "profile": "ebike", "start": _at("A"), "type": "van"}
    far = {"id": 2, "profile": "ebike", "start": _at("F"), "type": "bike"}
    (route,) = _post(client, {"vehicles": [near, far], "jobs": [by_type]})["routes"]
    assert route["vehicle"] == 2, "the way is longer, the service shorter"


def test_set_up_times_of_a_shared_place_are_refused(client: TestClient) -> None:
    jobs = [{"id": number, "location": _at("B"), "setup": 30} for number in (1, 2)]
    vehicle = {"id": 1, "profile": "ebike", "start": _at("A")}
    answer = client.post(VROOM, json={"vehicles": [vehicle], "jobs": jobs})
    assert answer.status_code == 422
    assert {one["pointer"] for one in answer.json()["errors"]} == {"/jobs/0/setup", "/jobs/1/setup"}


def test_a_task_goes_where_it_costs_least(client: TestClient) -> None:
    job = {"id": 1, "location": _at("B")}

    def taken(**costs: int) -> Json:
        near = {"id": 1, "profile": "ebike", "start": _at("A"), "costs": costs}
        far = {"id": 2, "profile": "ebike", "start": _at("J")}
        route: Json = _post(client, {"vehicles": [near, far], "jobs": [job]})["routes"][0]
        return route

    plain = taken()
    assert (plain["vehicle"], plain["cost"]) == (1, plain["duration"])
    assert taken(fixed=10_000)["vehicle"] == 2
    assert taken(per_hour=360_000)["vehicle"] == 2
    cheap = taken(per_hour=360, fixed=5)
    assert (cheap["vehicle"], cheap["cost"]) == (1, 5 + cheap["duration"] // 10)
