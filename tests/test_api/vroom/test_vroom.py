"""``POST /v1/vroom``: given steps keep their order, the rest is inserted; held by an independent reading."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
from fastapi.testclient import TestClient
from tiny_study import place
from vroom_check import problems_of
from vroom_town import Json, pos, post, steps_of

from api.vroom.polyline import encoded
from geo.datum import Datum, from_wgs84


def _between(rng: np.random.Generator) -> list[float]:
    """A place beside a street of the town, on the part that is joined."""
    a, b = [("A", "B"), ("F", "G"), ("G", "H"), ("I", "J"), ("C", "D"), ("D", "I")][int(rng.integers(6))]
    part = float(rng.uniform())
    return [round(x + part * (y - x), 7) for x, y in zip(pos(a), pos(b), strict=True)]


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
        body = post(client, request)
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
                "id": 1, "profile": "ebike", "start": pos("A"), "capacity": [3], "skills": [4],
                "steps": [{"type": "job", "id": 1}, {"type": "job", "id": 2}],
            }
        ],
        "jobs": [
            {"id": 1, "location": pos("B"), "service": 30, "delivery": [2]},
            {"id": 2, "location": pos("H"), "time_windows": [[0, 900]], "delivery": [1], "skills": [4]},
        ],
        "shipments": [
            {
                "pickup": {"id": 1, "location": pos("G")}, "delivery": {"id": 1, "location": pos("F")},
                "amount": [1],
            }
        ],
    }  # fmt: skip
    body = post(client, request)
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
                "id": 5, "profile": "ebike", "description": "Li", "start": pos("A"), "end": pos("A"),
                "time_window": [28800, 43200],
                "steps": [
                    {"type": "start"}, {"type": "job", "id": 2}, {"type": "job", "id": 1}, {"type": "end"},
                ],
            },
            {"id": 6, "profile": "ebike", "start": pos("J")},
        ],
        "jobs": [
            {"id": 1, "location": pos("F"), "service": 60},
            {"id": 2, "location": pos("C"), "service": 60, "description": "far first"},
            {"id": 3, "location": pos("G"), "service": 10},
        ],
    }  # fmt: skip
    body = post(client, request)
    assert steps_of(body) == [("start", None), ("job", 2), ("job", 3), ("job", 1), ("end", None)]
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
    moved = post(client, later)["routes"][0]
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
        before = {route["vehicle"]: route for route in post(client, request | {"jobs": jobs})["routes"]}
        body = post(client, request)
        extras = []
        for at, vehicle in enumerate(vehicles):
            for place_at in range(4):
                forced = copy.deepcopy(request)
                forced["vehicles"][at]["steps"].insert(place_at, {"type": "job", "id": 9})
                whole = post(client, forced)
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
    route = post(client, request, params={"datum": "gcj02"})["routes"][0]
    assert route["distance"] == route["steps"][-1]["distance"] == pytest.approx(400, abs=5)
    # North Street is straight: two points, and perhaps its corner.
    assert route["geometry"].startswith(encoded([shifted["A"]])[:6])
    assert route["steps"][0]["location"] == pytest.approx(shifted["A"])


def test_a_polyline_is_encoded_as_google_does() -> None:
    line = [(-120.2, 38.5), (-120.95, 40.7), (-126.453, 43.252)]
    assert encoded(line) == "_p~iF~ps|U_ulLnnqC_mqNvxq`@"


def test_of_several_windows_the_one_that_fits_is_taken(client: TestClient) -> None:
    job = {
        "id": 1,
        "location": pos("B"),
        "service": 60,
        "time_windows": [[0, 5], [700, 800], [1000, 1100]],
    }
    vehicle: Json = {"id": 1, "profile": "ebike", "start": pos("J"), "time_window": [0, 3600]}
    (_, step) = post(client, {"vehicles": [vehicle], "jobs": [job]})["routes"][0]["steps"]
    assert (step["arrival"] + step["waiting_time"], step["waiting_time"]) == (700, 0)
    given = vehicle | {"steps": [{"type": "job", "id": 1, "service_after": 1050}]}
    (_, step) = post(client, {"vehicles": [given], "jobs": [job]})["routes"][0]["steps"]
    assert step["arrival"] == 1050
    busy = vehicle | {"time_window": [780, 3600], "steps": [{"type": "job", "id": 1}]}
    (_, step) = post(client, {"vehicles": [busy], "jobs": [job]})["routes"][0]["steps"]
    assert step["arrival"] == 1000


def test_a_given_step_that_is_late_is_told_and_not_made_later(client: TestClient) -> None:
    request: Json = {
        "vehicles": [{"id": 1, "profile": "ebike", "start": pos("A"), "steps": [{"type": "job", "id": 1}]}],
        "jobs": [{"id": 1, "location": pos("J"), "service": 5, "time_windows": [[0, 10]]}],
    }
    alone = post(client, request)
    (violation,) = alone["summary"]["violations"]
    assert violation["cause"] == "delay"
    assert violation["duration"] == alone["routes"][0]["steps"][1]["arrival"] - 10 > 0
    request["jobs"].append({"id": 2, "location": pos("A"), "service": 30})
    body = post(client, request)
    assert steps_of(body) == [("start", None), ("job", 1), ("job", 2)]
    assert body["routes"][0]["steps"][1]["arrival"] == alone["routes"][0]["steps"][1]["arrival"]


def test_breaks_are_taken_where_the_vehicle_is(client: TestClient, travel_s: Callable[..., float]) -> None:
    pause = {"id": 3, "service": 1200, "time_windows": [[200, 900]], "description": "lunch"}
    request = {
        "vehicles": [{"id": 1, "profile": "ebike", "start": pos("A"), "end": pos("A"), "breaks": [pause]}],
        "jobs": [
            {"id": 1, "location": pos("C"), "time_windows": [[0, 400]]},
            {"id": 2, "location": pos("H"), "time_windows": [[1300, 4000]]},
        ],
    }
    body = post(client, request)
    assert problems_of(request, body, travel_s) == []
    assert steps_of(body) == [("start", None), ("job", 1), ("break", 3), ("job", 2), ("end", None)]
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
        ({}, {"location": pos("X")}, "unreachable", "no legal way"),
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
        "vehicles": [{"id": 1, "profile": "ebike", "start": pos("A"), **vehicle}],
        "jobs": [{"id": 4, "location": pos("J"), "description": "it", **job}],
    }
    body = post(client, request)
    assert body["routes"] == []
    (lost,) = body["unassigned"]
    assert (lost["id"], lost["type"], lost["description"]) == (4, "job", "it")
    assert lost["reason"]["rule"] == rule
    assert words in lost["reason"]["text"]
    chinese = post(client, request, headers={"accept-language": "zh"})["unassigned"][0]["reason"]
    assert chinese["rule"] == rule
    assert chinese["text"] != lost["reason"]["text"]


def test_nothing_is_done_after_the_end(client: TestClient) -> None:
    vehicle = {
        "id": 1,
        "profile": "ebike",
        "start": pos("A"),
        "end": pos("B"),
        "time_window": [0, 900],
    }
    request = {
        "vehicles": [vehicle | {"steps": [{"type": "end"}]}],
        "jobs": [{"id": 1, "location": pos("J"), "service": 560, "time_windows": [[60, 400]]}],
    }
    body = post(client, request)
    assert steps_of(body) == [("start", None), ("end", None)]
    assert body["unassigned"][0]["reason"]["rule"] == "shift"
    assert "come to its end" in body["unassigned"][0]["reason"]["text"]


def test_a_vehicle_without_a_time_window_sets_out_for_its_first_step(client: TestClient) -> None:
    job = {"id": 1, "location": pos("J"), "time_windows": [[1772600400, 1772604000]]}
    request = {"vehicles": [{"id": 1, "profile": "ebike", "start": pos("A")}], "jobs": [job]}
    start, step = post(client, request)["routes"][0]["steps"]
    assert start["arrival"] + step["duration"] == step["arrival"] >= 1772600400
    assert step["waiting_time"] == 0


def test_who_can_go_elsewhere_makes_room(client: TestClient) -> None:
    """Job 1 comes first and fits both vehicles; job 2 has only the one that job 1 would take."""
    request: Json = {
        "vehicles": [
            {"id": 1, "profile": "ebike", "start": pos("A"), "max_tasks": 1, "skills": [7]},
            {"id": 2, "profile": "ebike", "start": pos("J"), "max_tasks": 1},
        ],
        "jobs": [
            {"id": 1, "location": pos("B"), "time_windows": [[0, 800]]},
            {"id": 2, "location": pos("G"), "skills": [7], "time_windows": [[0, 900]]},
        ],
    }
    body = post(client, request)
    assert body["unassigned"] == []
    assert {route["vehicle"]: route["steps"][1]["id"] for route in body["routes"]} == {1: 2, 2: 1}


def test_a_lower_priority_stays_out_for_a_higher_one_only(client: TestClient) -> None:
    job = {"location": pos("B"), "skills": []}
    request: Json = {
        "vehicles": [{"id": 1, "profile": "ebike", "start": pos("A"), "max_tasks": 1}],
        "jobs": [
            {"id": 1, "priority": 5, **job},
            {"id": 2, "priority": 9, **job},
            {"id": 3, "priority": 9, **job},
        ],
    }
    body = post(client, request)
    assert [step.get("id") for step in body["routes"][0]["steps"]] == [None, 2]
    assert [one["id"] for one in body["unassigned"]] == [1, 3]


def test_times_by_type_and_set_up_times_count(client: TestClient, travel_s: Callable[..., float]) -> None:
    job = {"id": 1, "location": pos("B"), "service": 60, "setup": 30}
    by_type = {**job, "service_per_type": {"van": 100}, "setup_per_type": {"van": 200}}
    for kind, setup, service in (("", 30, 60), ("bike", 30, 60), ("van", 200, 100)):
        for steps in ([], [{"type": "job", "id": 1}]):
            vehicle = {
                "id": 1,
                "profile": "ebike",
                "start": pos("A"),
                "end": pos("A"),
                "type": kind,
                "steps": steps,
            }
            request = {"vehicles": [vehicle], "jobs": [by_type]}
            (route,) = post(client, request)["routes"]
            _, step, end = route["steps"]
            assert (step["setup"], step["service"], route["setup"], route["service"]) == (setup, service) * 2
            assert (
                end["arrival"] - step["arrival"]
                >= setup + service + travel_s(vehicle, pos("B"), pos("A")) - 1
            )
    near = {"id": 1, "profile": "ebike", "start": pos("A"), "type": "van"}
    far = {"id": 2, "profile": "ebike", "start": pos("F"), "type": "bike"}
    (route,) = post(client, {"vehicles": [near, far], "jobs": [by_type]})["routes"]
    assert route["vehicle"] == 2, "the way is longer, the service shorter"


def test_a_task_goes_where_it_costs_least(client: TestClient) -> None:
    job = {"id": 1, "location": pos("B")}

    def taken(**costs: int) -> Json:
        near = {"id": 1, "profile": "ebike", "start": pos("A"), "costs": costs}
        far = {"id": 2, "profile": "ebike", "start": pos("J")}
        route: Json = post(client, {"vehicles": [near, far], "jobs": [job]})["routes"][0]
        return route

    plain = taken()
    assert (plain["vehicle"], plain["cost"]) == (1, plain["duration"])
    assert taken(fixed=10_000)["vehicle"] == 2
    assert taken(per_hour=360_000)["vehicle"] == 2
    cheap = taken(per_hour=360, fixed=5)
    assert (cheap["vehicle"], cheap["cost"]) == (1, 5 + cheap["duration"] // 10)


def test_positions_in_another_datum_are_answered_and_doubted(client: TestClient) -> None:
    """Orders come from a map in GCJ-02, the vehicles' depots are right; who asks in WGS-84 is told which."""
    rng = np.random.default_rng(9)
    doors = np.array([_between(rng) for _ in range(30)])

    def asked(datum: Datum, **more: Json) -> Json:
        sent = from_wgs84(doors, datum).tolist()
        shipments = [
            {"pickup": {"id": n, "location": sent[n]}, "delivery": {"id": n, "location": sent[n + 6]}}
            for n in range(20, 24)
        ]
        jobs = [{"id": n, "location": one} for n, one in enumerate(sent[:20])]
        vehicles = [{"id": n, "profile": "ebike", "start": pos(letter)} for n, letter in enumerate("ACFHJ")]
        return post(client, {"vehicles": vehicles, "jobs": jobs, "shipments": shipments}, **more)

    assert asked("wgs84")["warnings"] == []
    (warning,) = asked("bd09")["warnings"]
    assert (warning["code"], warning["declared"], warning["likely"]) == ("datum", "wgs84", "bd09")
    assert warning["positions"] == ["jobs", "shipments"]
    assert warning["median_m"]["bd09"] < 5 < 60 < warning["median_m"]["wgs84"]
    (warning,) = asked("bd09", headers={"accept-language": "zh"})["warnings"]
    assert warning["text"].startswith("作业地点和取送件地点：")
