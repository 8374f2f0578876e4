"""GeoReport v2 over HTTP, with the requests of the specification and what apps of others send."""

import datetime
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import pytest
from live_service import Service
from PIL import Image
from tiny_study import place

ROOT = "/open311/v2"
EXAMPLE_POST = (
    "api_key=xyz&jurisdiction_id=city.gov&service_code=001&lat=37.76524078&long=-122.4212043"
    "&address_string=1234+5th+street&email=smit333%40sfgov.edu&device_id=tt222111&account_id=123456"
    "&first_name=john&last_name=smith&phone=111111111"
    "&description=A+large+sinkhole+is+destroying+the+street"
    "&media_url=http%3A%2F%2Ffarm3.static.flickr.com%2F2002%2F2212426634_5ed477a060.jpg"
    "&attribute[WHISPAWN]=123456&attribute[WHISDORN]=COISL001"
)
"""The example of POST Service Request."""


@pytest.fixture
def service(folder: Path, tmp_path: Path) -> Iterator[Service]:
    made = Service(folder, f"sqlite:///{tmp_path / 'yilu.db'}", jurisdiction="city.gov")
    with made.client:
        yield made
    made.database.close()


def send(service: Service, form: str = "json", expect: int = 201, **changes: str) -> Any:  # noqa: ANN401
    pairs = {**dict(parse_qsl(EXAMPLE_POST)), "service_code": "emergency", **changes}
    answer = service.client.post(f"{ROOT}/requests.{form}", data=pairs)
    assert answer.status_code == expect, answer.text
    return answer.json() if form == "json" else ET.fromstring(answer.content)  # noqa: S314


def test_the_examples_of_the_specification(service: Service) -> None:
    client = service.client
    listed = client.get(f"{ROOT}/services.json?jurisdiction_id=city.gov").json()
    assert {one["service_code"] for one in listed} >= {"emergency", "roads"}
    xml = ET.fromstring(client.get(f"{ROOT}/services.xml").content)  # noqa: S314
    assert [one.findtext("service_code") for one in xml] == [one["service_code"] for one in listed]
    defined = client.get(f"{ROOT}/services/roads.xml")
    assert b"<service_code>roads</service_code>" in defined.content
    # The example's own service is not one of ours.
    (error,) = client.post(
        f"{ROOT}/requests.json", content=EXAMPLE_POST,
        headers={"content-type": "application/x-www-form-urlencoded"},
    ).json()  # fmt: skip
    assert error["code"] == "404"
    (made,) = send(service)
    number = made["service_request_id"]
    assert "bureau" in made["service_notice"]
    (shown,) = client.get(f"{ROOT}/requests/{number}.json").json()
    assert (shown["status"], shown["service_code"]) == ("open", "emergency")
    assert (shown["lat"], shown["long"]) == (37.76524078, -122.4212043)
    assert "sinkhole" not in json.dumps(shown)
    query = "?start_date=2026-03-01T00:00:00Z&end_date=2026-03-31T00:00:00Z&status=open"
    root = ET.fromstring(client.get(f"{ROOT}/requests.xml{query}").content)  # noqa: S314
    assert [one.findtext("service_request_id") for one in root] == [number]
    text = service.database.engine
    with text.connect() as connection:
        kept = " ".join(
            str(row) for row in connection.exec_driver_sql("SELECT state FROM matters").all()
        ) + " ".join(str(row) for row in connection.exec_driver_sql("SELECT * FROM reports").all())
    for secret in ("john", "smith", "111111111", "smit333", "tt222111", '"123456"'):
        assert secret not in kept
    report = str(dict(service.ask("bureau", "GET", "/v1/matters")["matters"][0]["reports"][0])["report_id"])
    (token,) = client.get(f"{ROOT}/tokens/{report}.json").json()
    assert token == {"service_request_id": number, "token": report}


def test_the_same_sender_is_one_reporter_and_an_offices_word_comes_back(service: Service) -> None:
    (first,) = send(service)
    (again,) = send(service, description="still growing")
    assert again["service_request_id"] == first["service_request_id"]
    (mine,) = service.ask("bureau", "GET", "/v1/matters")["matters"]
    assert (len(mine["reports"]), mine["people"]) == (2, 1)
    send(service, account_id="other")
    assert service.ask("bureau", "GET", "/v1/matters")["matters"][0]["people"] == 2
    service.ask("bureau", "POST", f"/v1/matters/{mine['matter_id']}/fix", json={"result": "filled & <safe>"})
    shown = service.client.get(f"{ROOT}/requests/{mine['matter_id']}.xml")
    root = ET.fromstring(shown.content)  # noqa: S314
    # FixMyStreet 4440: what is done is told as closed, whatever finer stages there are inside.
    assert root.findtext("request/status") == "closed"
    assert root.findtext("request/status_notes") == "filled & <safe>"
    assert service.client.get(f"{ROOT}/requests.json?status=open").json() == []
    assert len(service.client.get(f"{ROOT}/requests.json?status=closed").json()) == 1


def test_what_nobody_may_see_is_not_there(service: Service) -> None:
    (made,) = send(service)
    number = made["service_request_id"]
    service.ask("bureau", "POST", f"/v1/matters/{number}/hide", json={"reason": "home"})
    assert service.client.get(f"{ROOT}/requests/{number}.json").status_code == 404
    assert service.client.get(f"{ROOT}/requests.json").json() == []


def test_steps_come_as_the_extension_that_fixmystreet_reads(service: Service) -> None:
    """The fields of mySociety's extension: each step of the office's, in its words, and of nobody else."""
    (made,) = send(service)
    name = made["service_request_id"]
    (hidden,) = send(service, service_code="roads")
    path = f"/v1/matters/{name}"
    service.ask("bureau", "POST", f"{path}/accept", json={})
    service.clock.now += datetime.timedelta(hours=2)
    service.ask("bureau", "POST", f"{path}/start", json={})
    service.ask("bureau", "POST", f"{path}/fix", json={"result": "filled <in>"})
    other = f"/v1/matters/{hidden['service_request_id']}"
    service.ask("bureau", "POST", f"{other}/accept", json={})
    service.ask("bureau", "POST", f"{other}/hide", json={"reason": "home"})

    def updates(form: str = "json", **query: str) -> Any:  # noqa: ANN401
        answer = service.client.get(f"{ROOT}/servicerequestupdates.{form}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json() if form == "json" else ET.fromstring(answer.content)  # noqa: S314

    found = updates()
    assert [one["status"] for one in found] == ["investigating", "in_progress", "fixed"]
    assert {one["service_request_id"] for one in found} == {name}
    assert found[-1]["description"] == "filled <in>"
    assert all(one["updated_datetime"].endswith(":00:00Z") for one in found), "whole hours, as on the board"
    xml = updates("xml")
    assert [one.findtext("update_id") for one in xml.findall("request_update")] == [
        one["update_id"] for one in found
    ]
    assert "smit333" not in json.dumps(found)
    # Who asks from the minute of their last question on misses nothing, and names stay: nothing counts twice.
    since = (service.clock.now - datetime.timedelta(minutes=1)).isoformat()
    assert [one["status"] for one in updates(start_date=since)] == ["in_progress", "fixed"]
    assert updates(service_request_id=name)[-1] == found[-1]
    assert updates(service_request_id=hidden["service_request_id"]) == []
    (error,) = service.client.get(f"{ROOT}/servicerequestupdates.json?jurisdiction_id=elsewhere").json()
    assert error["code"] == "404"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/requests/none.xml", 404, "was not found"),
        ("/services/none.json", 404, "was not found"),
        ("/tokens/none.json", 404, "was not found"),
        ("/requests.json?status=lost", 400, "allowed are open and closed"),
        ("/requests.xml?start_date=yesterday", 400, "write it like"),
        ("/services.json?jurisdiction_id=dc.gov", 404, "is not served here"),
        ("/services.html", 404, "json or xml"),
    ],
)
def test_errors_come_in_the_form_that_was_asked_for(
    service: Service, path: str, status: int, words: str
) -> None:
    """Apps read errors as they read answers (uReport 162, three 11): never a page, never another form."""
    answer = service.client.get(ROOT + path)
    assert answer.status_code == status
    if ".xml" in path:
        assert answer.headers["content-type"].startswith("text/xml")
        root = ET.fromstring(answer.content)  # noqa: S314
        assert (root.tag, root.findtext("error/code")) == ("errors", str(status))
        assert words in str(root.findtext("error/description"))
    else:
        (told,) = answer.json()
        assert told["code"] == str(status)
        assert words in told["description"]


def test_answers_hold_plain_values_not_lists_of_one(service: Service) -> None:
    """A converter from XML wrote every value as a list, and clients needed a special case (Zürich, 67)."""
    (made,) = send(service)
    (shown,) = service.client.get(f"{ROOT}/requests.json").json()
    for value in (*made.values(), *shown.values()):
        assert not isinstance(value, list | dict)
    assert isinstance(shown["lat"], float)


def test_steps_stay_in_order_and_the_same_state_twice_is_two_steps(service: Service) -> None:
    """FixMyStreet 4137, 5247, 2327: steps out of order, taken for one another, or before their request."""
    (made,) = send(service)
    name = made["service_request_id"]
    path = f"/v1/matters/{name}"
    service.ask("bureau", "POST", f"{path}/accept", json={})
    rounds = 6
    for number in range(rounds):
        service.ask("bureau", "POST", f"{path}/fix", json={"result": f"filled {number}"})
        if number < rounds - 1:
            # One more report of the same thing opens it again.
            service.clock.now += datetime.timedelta(minutes=1)
            (again,) = send(service, account_id=f"n{number}")
            assert again["service_request_id"] == name
    query = f"service_request_id={name}"
    found = service.client.get(f"{ROOT}/servicerequestupdates.json?{query}").json()
    assert [one["description"] for one in found if one["status"] == "fixed"] == [
        f"filled {number}" for number in range(rounds)
    ]
    assert len({one["update_id"] for one in found}) == len(found) > 10
    (request,) = service.client.get(f"{ROOT}/requests/{name}.json").json()
    assert all(one["updated_datetime"] >= request["requested_datetime"] for one in found)


def test_addresses_of_photos_are_those_at_which_people_reach_the_service(
    folder: Path, tmp_path: Path
) -> None:
    """Boston 311 600, network-pulse 507: addresses of pictures that led to the machine behind the proxy."""
    made = Service(folder, f"sqlite:///{tmp_path / 'p.db'}", public_url="https://city.example/yilu/")
    with made.client:
        (sent,) = send(made, jurisdiction_id="yilu")
        path = f"/v1/matters/{sent['service_request_id']}"
        body = io.BytesIO()
        Image.new("RGB", (8, 8)).save(body, "JPEG")
        headers = {"content-type": "image/jpeg"}
        photo = made.ask("bureau", "POST", "/v1/photos", 201, content=body.getvalue(), headers=headers)
        made.ask("bureau", "POST", f"{path}/fix", json={"result": "filled", "photo": photo["photo"]})
        wanted = f"https://city.example/yilu/v1/photos/{photo['photo']}"
        assert made.client.get(f"{ROOT}/requests.json").json()[0]["media_url"] == wanted
        assert made.client.get(f"{ROOT}/servicerequestupdates.json").json()[-1]["media_url"] == wanted
    made.database.close()


def test_a_photo_in_the_form_is_kept_without_its_place(service: Service) -> None:
    """FixMyStreet 5841: photos that came in by Open311 kept the place where they were taken."""
    out = io.BytesIO()
    picture = Image.new("RGB", (40, 20), "red")
    exif = picture.getexif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x010F] = "SecretCamera"
    picture.save(out, "JPEG", exif=exif)
    lon, lat = place("B")
    data = {"service_code": "roads", "lat": str(lat), "long": str(lon), "description": "hole"}
    answer = service.client.post(
        f"{ROOT}/requests.json", data=data, files={"media": ("hole.jpg", out.getvalue(), "image/jpeg")}
    )
    assert answer.status_code == 201, answer.text
    (mine,) = service.ask("bureau", "GET", "/v1/matters")["matters"]
    photo = mine["reports"][0]["photo"]
    headers = {"authorization": f"Bearer {service.keys['bureau']}"}
    kept = service.client.get(f"/v1/photos/{photo}", headers=headers).content
    assert b"SecretCamera" not in kept
    with Image.open(io.BytesIO(kept)) as shown:
        assert not shown.getexif()
        # FixMyStreet 5892: turned upright before what says so is thrown away.
        assert shown.size == (20, 40)
    bad = service.client.post(
        f"{ROOT}/requests.json", data=data, files={"media": ("x.jpg", b"<script>", "image/jpeg")}
    )
    assert bad.status_code == 400
    assert "cannot be read" in bad.json()[0]["description"]


def test_keys_of_ours_count_and_others_are_none(service: Service) -> None:
    send(service, expect=403, api_key="yl_" + "0" * 12 + "_" + "0" * 43)
    send(service, api_key=service.keys["r0"])
    assert len(service.ask("r0", "GET", "/v1/reports")["reports"]) == 1
    for _ in range(25):
        answer = service.client.post(f"{ROOT}/requests.xml", data={"service_code": "roads"})
    assert answer.status_code == 429
    assert ET.fromstring(answer.content).findtext("error/code") == "429"  # noqa: S314
    assert int(answer.headers["retry-after"]) > 0


def test_no_body_makes_the_service_fail(service: Service) -> None:
    for content, kind in (
        (b"{}", "application/json"),
        (b"\xff\xfe=%ff", "application/x-www-form-urlencoded"),
        (b"lat=1&long=1&service_code=roads&description=%00", "application/x-www-form-urlencoded"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (b"&".join(b"a%d=1" % n for n in range(400)), "application/x-www-form-urlencoded"),
    ):
        answer = service.client.post(f"{ROOT}/requests.json", content=content, headers={"content-type": kind})
        assert answer.status_code == 400, (content, answer.text)
        assert answer.json()[0]["code"] == "400"
