"""Stations in a rider's pocket: sentences, breaks on the way, reports, check-ins, codes and pages."""

import datetime
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import segno
from fastapi.testclient import TestClient
from live_service import NOON, Service
from tiny_study import TOWN, place, write_study

from api.forms import Station
from api.http.app import create_app
from api.http.stations.wording import opening_text, opens_next
from api.settings import Settings
from geo.datum import from_wgs84
from geo.travel import travel_times_s
from siting.stations import parse_hours

NEAREST, BREAK = "/v1/stations/nearest", "/v1/stations/break"
Json = dict[str, Any]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    folder = write_study(tmp_path / "out")
    made = Service(folder, f"sqlite:///{tmp_path / 'yilu.db'}")
    access, settings = made.app.state.access, made.app.state.settings
    made.use(create_app(folder, named={"other": folder}, settings=settings, access=access, clock=made.clock))
    with made.client:
        yield made
    made.database.close()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = write_study(tmp_path_factory.mktemp("stations") / "out")
    with TestClient(create_app(folder, settings=Settings(), clock=lambda: NOON)) as client:
        yield client


def at(letter: str, **more: Any) -> Json:  # noqa: ANN401
    lon, lat = place(letter)
    return {"lon": lon, "lat": lat, "datum": "wgs84", **more}


def then(hour: int, minute: int = 0) -> str:
    return NOON.replace(hour=hour, minute=minute).isoformat()


def station(hours: str, **more: Any) -> Station:  # noqa: ANN401
    values: Json = {
        "station_id": "E01", "name": "S", "lonlat": (116.3, 39.9), "kind": "micro", "existing": True,
        "opening_hours": hours, "facilities": (), "street": "", "plan": "stay", "closed_from": None, **more,
    }  # fmt: skip
    return Station(**values)


def told(hours: str, when: datetime.datetime, lang: str = "en", country: str | None = "CN") -> str:
    is_open, closes = parse_hours(hours).closes(when, country)
    changes = closes if is_open else opens_next(station(hours), when, country)
    return opening_text(when, is_open, changes, (), lang)  # type: ignore[arg-type]


WEDNESDAY = datetime.datetime(2026, 3, 4, tzinfo=NOON.tzinfo)
MAY_DAY = datetime.datetime(2026, 5, 1, tzinfo=NOON.tzinfo)


@pytest.mark.parametrize(
    ("hours", "day", "clock", "said"),
    [
        ("Mo-Su 08:00-18:00", WEDNESDAY, (17, 40), "open until 18:00, closes in 20 minutes"),
        ("Mo-Su 08:00-18:00", WEDNESDAY, (17, 0), "open until 18:00"),
        ("Mo-Su 08:00-18:00", WEDNESDAY, (17, 59), "open until 18:00, closes in 1 minutes"),
        ("Mo-Su 08:00-18:00", WEDNESDAY, (18, 0), "shut, opens on 2026-03-05 at 08:00"),
        ("Mo-Su 20:00-02:00", WEDNESDAY, (23, 50), "open until 02:00"),
        ("24/7", WEDNESDAY, (3, 0), "open round the clock"),
        # OsmAnd #22907: in the lunch break it opens today, not tomorrow.
        ("Mo-Fr 08:30-12:30,14:00-19:30; PH off", WEDNESDAY, (13, 50), "shut, opens at 14:00"),
        # OsmAnd #21780: no opening is told inside of dates on which it is shut.
        ("Mo-Fr 09:00-20:00; 2026 Mar 01-2026 Mar 20 off", WEDNESDAY, (8, 0), "shut"),
        ("Mo-Fr 09:00-20:00; 2026 Mar 1-8 off", WEDNESDAY, (8, 0), "shut, opens on 2026-03-09 at 09:00"),
        # OsmAnd #2116: "PH off" is no "always off"; #11344: on a public holiday it is off.
        ("Mo-Fr 11:00-21:00; PH off", WEDNESDAY, (12, 0), "open until 21:00"),
        ("Mo-Su 08:00-20:00; PH off", MAY_DAY, (12, 0), None),
        # OsmAnd #11828: PH in the first place of the list of days.
        ("PH,Mo-Su 09:00-22:00", WEDNESDAY, (11, 37), "open until 22:00"),
        ("PH,Mo-Su 09:00-22:00", MAY_DAY, (11, 37), "open until 22:00"),
    ],
)  # fmt: skip
def test_open_now_as_a_sentence(
    hours: str, day: datetime.datetime, clock: tuple[int, int], said: str | None
) -> None:
    when = day.replace(hour=clock[0], minute=clock[1])
    sentence = told(hours, when)
    if said is None:
        assert sentence.startswith("shut, opens on 2026-05-")
    else:
        assert sentence == said
    assert re.search("[\u4e00-\u9fff]", told(hours, when, "zh"))


def test_a_station_that_closes_for_good_opens_no_more() -> None:
    shut = station("Mo-Su 08:00-18:00", closed_from=WEDNESDAY.date() + datetime.timedelta(days=1))
    assert opens_next(shut, WEDNESDAY.replace(hour=19), None) is None
    assert opens_next(shut, WEDNESDAY.replace(hour=5), None) == WEDNESDAY.replace(hour=8)


def test_the_nearest_station_says_when_it_closes_and_how_to_get_there(client: TestClient) -> None:
    near = client.get(NEAREST, params=at("F", at=then(17, 40)), headers={"accept-language": "zh"}).json()
    assert (near["station_id"], near["closes_in_s"]) == ("E01", 1_200.0)
    assert near["text"] == "开放至 18:00，20 分钟后关门"
    assert near["links"]["geo"].startswith("geo:39.97")
    assert "uri.amap.com" in near["links"]["amap"]
    gcj = from_wgs84(np.array([place("B")]), "gcj02")[0]
    assert f"position={gcj[0]:.6f},{gcj[1]:.6f}" in near["links"]["amap"]
    always = client.get(NEAREST, params=at("J")).json()
    assert (always["closes_in_s"], always["text"]) == (None, "open round the clock")


def test_a_station_that_closes_before_one_gets_there_is_passed_by(client: TestClient) -> None:
    # E01 is a minute away and closes in half a minute; E02 is three minutes away.
    last = NOON.replace(hour=17, minute=59, second=30).isoformat()
    assert client.get(NEAREST, params=at("F", at=last)).json()["station_id"] == "E02"
    asked = at("F", at=last, facility="toilet")
    answer = client.get(NEAREST, params=asked)
    assert answer.status_code == 404
    assert "closes before one can be there" in answer.json()["detail"]


def seconds(start: str, end: str) -> float:
    network = TOWN.network()
    here, there = (network.snap(np.array([place(letter)]), "ebike") for letter in (start, end))
    return float(travel_times_s(network, "ebike", here, there)[0, 0])


def test_the_break_is_taken_where_it_costs_least_on_the_way(client: TestClient) -> None:
    lon, lat = place("I")
    asked = at("F", next_lon=lon, next_lat=lat, working_since=then(8, 30))
    answer = client.get(BREAK, params=asked).json()
    assert (answer["break_due"], answer["due_in_s"], answer["break_s"]) == (then(12, 30), 1_800.0, 1_200.0)
    assert answer["text"] == "a break of 20 minutes falls due in 30 minutes, at 12:30"
    # Both by the streets, without a look at the code that is tested.
    straight = seconds("F", "I")
    extra = {"E01": seconds("F", "B") + seconds("B", "I") - straight,
             "E02": seconds("F", "J") + seconds("J", "I") - straight}  # fmt: skip
    assert {one["station_id"]: one["extra_s"] for one in answer["stations"]} == pytest.approx(extra, abs=0.1)
    assert [one["station_id"] for one in answer["stations"]] == sorted(extra, key=lambda name: extra[name])
    assert all(one["in_time"] for one in answer["stations"])


def test_a_station_counts_where_it_is_open_for_the_whole_break(client: TestClient) -> None:
    for clock, expected in (((17, 30), {"E01", "E02"}), ((17, 41), {"E02"})):
        found = client.get(BREAK, params=at("F", at=then(*clock))).json()["stations"]
        assert {one["station_id"] for one in found} == expected
    nothing = client.get(BREAK, params=at("F", at=then(17, 41), facility="toilet"))
    assert nothing.status_code == 404


def test_a_break_that_is_due_already(client: TestClient) -> None:
    answer = client.get(BREAK, params=at("F", working_since=then(7, 0))).json()
    assert answer["due_in_s"] == -3_600.0
    assert answer["text"] == "a break of 20 minutes is due now"
    assert not any(one["in_time"] for one in answer["stations"])
    assert answer["stations"][0]["text"].endswith("after the break falls due")
    unknown = client.get(BREAK, params=at("F")).json()
    assert (unknown["break_due"], unknown["due_in_s"]) == (None, None)
    assert client.get(BREAK, params=at("F", working_since=then(13))).status_code == 422
    assert client.get(BREAK, params=at("F", next_lon=116.3)).status_code == 422


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_a_break_in_the_datum_of_the_caller(client: TestClient, datum: str) -> None:
    there, after = from_wgs84(np.array([place("F"), place("I")]), datum).tolist()
    asked = {"lon": there[0], "lat": there[1], "next_lon": after[0], "next_lat": after[1], "datum": datum}
    shifted = client.get(BREAK, params=asked).json()["stations"]
    lon, lat = place("I")
    plain = client.get(BREAK, params=at("F", next_lon=lon, next_lat=lat)).json()["stations"]
    assert [one["extra_s"] for one in shifted] == [one["extra_s"] for one in plain]
    moved = from_wgs84(np.array([list(plain[0]["position"].values())]), datum)[0]
    assert list(shifted[0]["position"].values()) == pytest.approx(moved, abs=2e-7)


def test_the_break_of_a_rider_by_the_hours_counted_here(service: Service) -> None:
    lon, lat = place("F")
    stop = dict(zip(("lon", "lat"), place("I"), strict=True))
    rider = {"rider_id": "r0", "at": NOON.isoformat(), "lon": lon, "lat": lat, "status": "busy",
             "worked_since_break_s": 3 * 3_600.0, "stops": [{"stop_id": "s", **stop}]}  # fmt: skip
    service.ask("red", "PUT", "/v1/riders", json={"datum": "wgs84", "riders": [rider]})
    mine = service.ask("r0", "GET", "/v1/riders/r0/break")
    assert (mine["break_due"], mine["due_in_s"]) == (then(13), 3_600.0)
    assert mine["stations"][0]["extra_s"] is not None
    assert service.ask("red", "GET", "/v1/riders/r0/break") == mine
    service.ask("r9", "GET", "/v1/riders/r0/break", 404)
    service.ask("blue", "GET", "/v1/riders/r0/break", 404)
    service.clock.now += datetime.timedelta(minutes=1)
    resting = {**rider, "at": service.clock.now.isoformat(), "status": "on_break"}
    service.ask("red", "PUT", "/v1/riders", json={"datum": "wgs84", "riders": [resting]})
    assert service.ask("r0", "GET", "/v1/riders/r0/break")["break_due"] is None


def say(service: Service, who: str, says: str, rider: str | None = None, expect: int = 201) -> Any:  # noqa: ANN401
    body = {"says": says} | ({} if rider is None else {"rider_id": rider})
    return service.ask(who, "POST", "/v1/stations/E01/reports", expect, json=body)


def test_two_riders_or_an_office_shut_a_station_and_open_it_again(service: Service) -> None:
    def nearest() -> str:
        return str(service.client.get(NEAREST, params=at("F")).json()["station_id"])

    assert say(service, "r0", "shut")["reported"] == []
    # The same rider through the platform is no second one.
    assert say(service, "red", "shut", "r0")["reported"] == []
    assert nearest() == "E01"
    (believed,) = say(service, "red", "shut", "r1")["reported"]
    assert (believed["condition"], believed["by_office"]) == ("shut", False)
    assert nearest() == "E02"
    assert "reported as shut" in service.client.get("/v1/stations/E01").json()["text"]
    assert {one["station_id"] for one in service.client.get(BREAK, params=at("F")).json()["stations"]} == {
        "E02"
    }
    assert say(service, "grid", "fine")["reported"] == []
    assert nearest() == "E01"
    assert say(service, "office", "shut")["reported"][0]["by_office"] is True
    service.clock.now += datetime.timedelta(hours=4, minutes=1)
    assert nearest() == "E01"


def test_a_dirty_station_is_told_and_still_there(service: Service) -> None:
    say(service, "office", "dirty")
    near = service.client.get(NEAREST, params=at("F"), headers={"accept-language": "zh"}).json()
    assert near["station_id"] == "E01"
    assert near["text"].endswith("；有人反映不干净")
    text = service.client.get("/v1/stations/E01").text
    # Who said so is nobody's business.
    assert not re.search(r"office\"|r0|rider", text.replace("by_office", ""))


def test_words_of_riders_are_dated_by_the_quarter_of_an_hour(service: Service) -> None:
    """Who says something to the second was there in that second."""
    service.clock.now += datetime.timedelta(minutes=7, seconds=23)
    body = {"says": "dirty", "people": 14}
    for who in ("r0", "red"):
        rider = {"rider_id": "r1"} if who == "red" else {}
        service.ask(who, "POST", "/v1/stations/E01/reports", 201, json={**body, **rider})
    shown = service.client.get("/v1/stations/E01").json()
    times = [shown["occupancy"]["at"], shown["reported"][0]["since"], shown["reported"][0]["until"]]
    assert [(one[11:16], one[17:19]) for one in times] == [("12:00", "00"), ("12:00", "00"), ("00:15", "00")]
    service.ask("office", "POST", "/v1/stations/E01/reports", 201, json=body)
    assert service.client.get("/v1/stations/E01").json()["occupancy"]["at"][11:19] == "12:07:23"


def test_a_head_count_is_shown_as_reported_for_half_an_hour(service: Service) -> None:
    """The last count, with its time; of people fewer than ten no number, whoever they are."""

    def nearest() -> Any:  # noqa: ANN401
        return service.client.get(NEAREST, params=at("F"), headers={"accept-language": "en"}).json()

    def count(who: str, expect: int = 201, **counts: int) -> None:
        service.ask(who, "POST", "/v1/stations/E01/reports", expect, json={"says": "fine", **counts})

    assert nearest()["occupancy"] is None
    count("r0", people=14, seats_free=3)
    shown = nearest()["occupancy"]
    assert {key: shown[key] for key in ("people", "fewer_than", "seats_free", "by_office")} == {
        "people": 14, "fewer_than": None, "seats_free": 1, "by_office": False
    }  # fmt: skip
    assert nearest()["text"].endswith("; reported at 12:00: 14 people there, at least one seat free")
    service.clock.now += datetime.timedelta(minutes=1)
    count("grid", people=9)
    shown = service.client.get("/v1/stations/E01").json()["occupancy"]
    assert (shown["people"], shown["fewer_than"], shown["seats_free"], shown["by_office"]) == (
        None, 10, None, True
    )  # fmt: skip
    assert "不足10人在站" in service.client.get("/stations/E01?lang=zh").text
    # A word without a count does not take the count back; one that is too large is no count.
    service.ask("r0", "POST", "/v1/stations/E01/reports", 201, json={"says": "dirty"})
    assert nearest()["occupancy"]["fewer_than"] == 10
    count("r0", 422, people=1_001)
    count("r0", 422, seats_free=-1)
    service.clock.now += datetime.timedelta(minutes=30)
    assert nearest()["occupancy"] is None


def test_at_night_one_is_told_what_opens_first(client: TestClient) -> None:
    night = at("F", facility="toilet", at=NOON.replace(hour=23).isoformat())
    refused = client.get(NEAREST, params=night)
    assert refused.status_code == 404
    assert refused.json()["detail"] == (
        "none of 1 fitting stations is open at 2026-03-04 23:00;"
        " the first to open is Near, by day, on 2026-03-05 at 08:00"
    )
    told = client.get(NEAREST, params=night, headers={"accept-language": "zh"}).json()["detail"]
    assert told.endswith("最早开放的是Near, by day（2026-03-05 08:00）")


def test_who_may_speak_for_whom(service: Service) -> None:
    say(service, "red", "full", None, 422)
    say(service, "r0", "full", "r1", 422)
    say(service, "office", "full", "r1", 422)
    say(service, "red", "ugly", "r1", 422)
    service.ask("r0", "POST", "/v1/stations/E99/reports", 404, json={"says": "shut"})
    assert service.client.post("/v1/stations/E01/reports", json={"says": "shut"}).status_code == 401


def test_a_study_below_a_name_has_words_of_its_own(service: Service) -> None:
    say(service, "office", "shut")
    assert service.client.get("/s/other" + NEAREST, params=at("F")).json()["station_id"] == "E01"
    assert service.client.get(NEAREST, params=at("F")).json()["station_id"] == "E02"


def check_in(service: Service, rider: str, expect: int = 204) -> None:
    service.ask("red", "POST", "/v1/stations/E01/check-ins", expect, json={"rider_id": rider})


def test_check_ins_are_told_by_week_and_of_ten_riders_only(service: Service) -> None:
    for number in range(9):
        check_in(service, f"v{number}")
        check_in(service, f"v{number}")
    service.ask("r0", "POST", "/v1/stations/E01/check-ins", 204, json={})
    assert service.ask("office", "GET", "/v1/stations/visits")["weeks"] == []
    service.clock.now += datetime.timedelta(days=7)
    check_in(service, "v1")
    (week,) = service.ask("office", "GET", "/v1/stations/visits")["weeks"]
    assert week == {
        "station_id": "E01",
        "name": "Near, by day",
        "monday": "2026-03-02",
        "visits": 10,
        "riders": 10,
    }
    service.clock.now += datetime.timedelta(days=7)
    first, second = service.ask("office", "GET", "/v1/stations/visits")["weeks"]
    assert first == week
    assert second == {
        "station_id": "E01",
        "name": "Near, by day",
        "monday": "2026-03-09",
        "visits": None,
        "riders": None,
    }
    # A week of which days are forgotten already is told no more: it would fall by single visits.
    service.clock.now += datetime.timedelta(days=41)
    assert service.ask("office", "GET", "/v1/stations/visits")["weeks"][0]["monday"] == "2026-03-09"
    service.clock.now -= datetime.timedelta(days=41)
    # Eight weeks later nothing is left of it.
    service.clock.now += datetime.timedelta(days=60)
    check_in(service, "v1")
    assert service.ask("office", "GET", "/v1/stations/visits")["weeks"] == []
    with service.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM station_events").scalar() == 1


def drawn(svg: bytes) -> set[tuple[int, int]]:
    """The dark squares of a code, read from its path: rows of strokes one module high."""
    path = next(one for one in ET.fromstring(svg).iter() if one.get("stroke"))  # noqa: S314
    x = y = 0.0
    dark = set()
    for command, numbers in re.findall(r"([Mmhvz])([-\d. ]*)", path.get("d", "")):
        values = [float(one) for one in re.findall(r"-?[\d.]+", numbers)]
        if command == "M":
            x, y = values
        elif command == "m":
            x, y = x + values[0], y + values[1]
        elif command == "h":
            dark |= {(int(y), int(x) + k) for k in range(int(values[0]))}
            x += values[0]
    return dark


def test_the_code_on_the_wall_has_the_address_that_people_use(tmp_path: Path) -> None:
    settings = Settings(public_url="https://yilu.example.org")
    with TestClient(create_app(write_study(tmp_path / "out"), settings=settings)) as client:
        answer = client.get("/v1/stations/E01/qr.svg")
        assert answer.headers["content-type"] == "image/svg+xml"
        code = segno.make_qr("https://yilu.example.org/stations/E01", error="q")
        # Four modules of quiet around it (ISO/IEC 18004, 9.1).
        expected = {
            (y + 4, x + 4) for y, row in enumerate(code.matrix) for x, cell in enumerate(row) if cell & 1
        }
        assert drawn(answer.content) == expected
        assert b"<script" not in answer.content
        assert client.get("/v1/stations/E01").json()["page"] == "https://yilu.example.org/stations/E01"
        assert client.get("/v1/stations/E99/qr.svg").status_code == 404


@pytest.mark.parametrize("path", ["/stations/E01", "/stations/E01/poster", "/stations/S01"])
@pytest.mark.parametrize(("lang", "word"), [("zh", "设施|建议"), ("en", "What is there|Suggested")])
def test_pages_of_a_station(client: TestClient, path: str, lang: str, word: str) -> None:
    answer = client.get(path, params={"lang": lang})
    assert answer.status_code == 200
    assert f'<html lang="{lang}">' in answer.text
    assert re.search(word, answer.text)
    assert "<script" not in answer.text
    assert "unsafe-inline" not in answer.headers.get_list("content-security-policy")[0]
    assert client.get("/stations/E99").status_code == 404
    if path.endswith("poster"):
        image = re.search(r'src="([^"]+)" alt="([^"]+)"', answer.text)
        assert image is not None
        assert client.get(f"/stations/E01/{image[1]}").headers["content-type"] == "image/svg+xml"
        assert image[2] == "http://testserver/stations/E01"
