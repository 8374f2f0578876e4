"""What went wrong between Open311 servers and the apps that ask them, from their trackers, as small cases."""

import datetime
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from live_service import Service
from PIL import Image
from tiny_study import place

ROOT = "/open311/v2"
LON, LAT = place("B")
FORM = {"service_code": "roads", "lat": str(LAT), "long": str(LON), "description": "hole"}


@pytest.fixture(scope="module")
def service(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service with five requests, an hour apart, the first at noon on 4 March."""
    place = tmp_path_factory.mktemp("open311")
    made = Service(folder, f"sqlite:///{place / 'yilu.db'}")
    with made.client:
        for number, kind in enumerate(("roads", "greening", "emergency", "roads", "greening")):
            there = {"lat": str(LAT + 0.01 * number), "service_code": kind}
            made.client.post(f"{ROOT}/requests.json", data={**FORM, **there})
            made.clock.now += datetime.timedelta(hours=1)
        yield made
    made.database.close()


def asked(service: Service, query: str, what: str = "requests") -> list[dict[str, Any]]:
    answer = service.client.get(f"{ROOT}/{what}.json?{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def test_a_day_may_be_asked_for_by_its_date_alone(service: Service) -> None:
    """FixMyStreet 1313: clients write dates without a time. A day is one of the city's, to its end."""
    assert len(asked(service, "start_date=2026-03-04&end_date=2026-03-04")) == 5
    assert asked(service, "start_date=2026-03-05&end_date=2026-03-06") == []
    assert asked(service, "end_date=2026-03-03") == []


@pytest.mark.parametrize(
    ("start", "count"),
    [
        ("2026-03-04T06%3A30%3A01.017Z", 2),
        ("2026-03-04T06:30:01.017Z", 2),
        ("2026-03-04T14:30:00%2B08:00", 2),
        ("2026-03-04T14:30:00+08:00", 2),
        ("2026-03-04T14:30:00+0800", 2),
    ],
)
def test_instants_are_read_as_clients_write_them(service: Service, start: str, count: int) -> None:
    """Fractions and encoded colons found nothing (uReport 285); a plus that is not encoded is a blank."""
    assert len(asked(service, f"start_date={start}&end_date=2026-03-04T23:00:00%2B08:00")) == count


def test_pages_follow_each_other_and_end(service: Service) -> None:
    """A page after the last came back as the last, or had any size (uReport 31, three 17)."""
    everything = [one["service_request_id"] for one in asked(service, "")]
    pages = [
        [one["service_request_id"] for one in asked(service, f"page={number}&page_size=2")]
        for number in (1, 2, 3, 4)
    ]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert [name for page in pages for name in page] == everything
    assert len(asked(service, "page_size=2&service_code=roads,greening&page=2")) == 2
    assert asked(service, "page=100000") == []


def test_all_of_a_list_of_requests_come(service: Service) -> None:
    """Of several numbers (uReport 224) only the first was answered."""
    numbers = [one["service_request_id"] for one in asked(service, "")][1:4]
    found = asked(service, f"service_request_id={','.join(numbers)},none")
    assert {one["service_request_id"] for one in found} == set(numbers)


def test_arguments_without_a_value_are_none(service: Service) -> None:
    """FixMyStreet 949, 2428, Boston 386: apps send every field of their form, also the empty ones."""
    query = "jurisdiction_id=&service_request_id=&service_code=&status=&start_date=&end_date=&page="
    assert len(asked(service, query)) == 5
    empty = dict.fromkeys(
        ("jurisdiction_id", "api_key", "email", "media_url", "address_string", "account_id"), ""
    )
    data = {**FORM, "lat": str(LAT - 0.01), **empty, "attribute[colour]": "", "attribute[size][]": " "}
    answer = service.client.post(f"{ROOT}/requests.json", data=data)
    assert answer.status_code == 201, answer.text
    number = answer.json()[0]["service_request_id"]
    mine = service.ask("bureau", "GET", f"/v1/matters/{number}")
    assert mine["reports"][0]["note"] == "hole"


def test_an_app_sends_a_form_of_parts_with_a_photo(service: Service) -> None:
    """open311-android 83: fields and picture as parts of one form, words of any language among them."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG")
    data = {
        **FORM,
        "lat": str(LAT - 0.02),
        "address_string": "Thomas-Müntzer-Platz 37 知春路",
        "last_name": "N",
    }
    answer = service.client.post(
        f"{ROOT}/requests.json",
        data=data,
        files={"media": ("IMG 1.jpg", out.getvalue(), "application/octet-stream")},
    )
    assert answer.status_code == 201, answer.text
    number = answer.json()[0]["service_request_id"]
    (report,) = service.ask("bureau", "GET", f"/v1/matters/{number}")["reports"]
    assert report["note"] == "hole\naddress_string: Thomas-Müntzer-Platz 37 知春路"
    assert report["photo"]


@pytest.mark.parametrize("accept", ["application/xml", "text/html", "application/vnd.x+json;q=0.1", "x"])
def test_the_ending_decides_the_form_whatever_else_is_accepted(service: Service, accept: str) -> None:
    """Mark-a-Spot 68: requests.json answered 406 by the header."""
    answer = service.client.get(f"{ROOT}/requests.json", headers={"accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")


def test_no_date_is_missing_or_ahead_or_of_1970(service: Service) -> None:
    """Srtracker 76 and 80, fms-endpoint 32: lists of requests broke on such dates."""
    now = service.clock.now.astimezone(datetime.UTC)
    for one in asked(service, ""):
        made, changed, due = (
            datetime.datetime.fromisoformat(one[f"{name}_datetime"])
            for name in ("requested", "updated", "expected")
        )
        assert now - datetime.timedelta(days=1) < made <= changed <= now
        assert due > made


def test_a_place_on_the_equator_is_a_place(service: Service) -> None:
    """NerdyDayTrips 631: a latitude of 0 was taken for one that is not given."""
    answer = service.client.post(f"{ROOT}/requests.json", data={**FORM, "lat": "0.000000", "long": "0"})
    assert answer.status_code == 201, answer.text
    assert answer.json()[0]["service_request_id"]


def test_instants_of_steps_say_their_zone(service: Service) -> None:
    """FixMyStreet 1373: steps told in the server's local time lay an hour ahead of the request."""
    number = asked(service, "")[-1]["service_request_id"]
    service.ask("bureau", "POST", f"/v1/matters/{number}/accept", json={})
    (step,) = asked(service, f"service_request_id={number}", "servicerequestupdates")
    told = datetime.datetime.fromisoformat(step["updated_datetime"])
    assert told == service.clock.now.replace(minute=0)
    assert step["updated_datetime"].endswith("Z")
