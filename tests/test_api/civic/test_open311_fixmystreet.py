"""What FixMyStreet sends over Open311 and what it makes of the answers: ten cases after its client."""

import datetime
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from live_service import Service
from tiny_study import place

ROOT = "/open311/v2"
LON, LAT = place("B")
URL = "https://fix.example/report/7"
DETAIL = "A hole as wide as a wheel, in front of the school. " * 40
DESCRIPTION = f"title:  Hole\n\ndetail: {DETAIL}\n\nurl: {URL}\n\nSubmitted via FixMyStreet\n"
SENT: dict[str, Any] = {
    "jurisdiction_id": "city.gov", "api_key": "", "service_code": "roads", "lat": str(LAT), "long": str(LON),
    "email": "ann@example.org", "phone": "555-0100", "first_name": "Ann", "last_name": "Smith",
    "description": DESCRIPTION,
}  # fmt: skip
"""Its ``_populate_service_request_params``, with the extended description."""
PLACES = itertools.count()


@pytest.fixture(scope="module")
def service(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    database = tmp_path_factory.mktemp("fixmystreet") / "yilu.db"
    made = Service(folder, f"sqlite:///{database}", jurisdiction="city.gov", open_burst=1_000)
    with made.client:
        yield made
    made.database.close()


def simple(element: ET.Element) -> Any:  # noqa: ANN401
    """What Perl's XML::Simple makes of an element: a text, or a hash; an empty element is an empty hash."""
    if not len(element):
        return element.text if element.text else {}
    found: dict[str, Any] = {}
    for child in element:
        found.setdefault(child.tag, []).append(simple(child))
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def parsed(service: Service, method: str, path: str, expect: int, **more: Any) -> Any:  # noqa: ANN401
    answer = service.client.request(method, f"{ROOT}/{path}", **more)
    assert answer.status_code == expect, answer.text
    assert answer.headers["content-type"].startswith(("text/xml", "application/xml"))
    return simple(ET.fromstring(answer.content))  # noqa: S314


def sent(service: Service, **more: Any) -> str:  # noqa: ANN401
    """Send a problem; returns the number that FixMyStreet keeps as `external_id`."""
    # Each at a place of its own: what lies within 50 m is one matter.
    form = {**SENT, "lat": str(LAT + 0.01 * next(PLACES)), **more}
    number = parsed(service, "POST", "requests.xml", 201, data=form)["request"]["service_request_id"]
    # A reference is an empty element: such a problem is sent again and again.
    assert isinstance(number, str)
    return number


def note_of(service: Service, number: str) -> str:
    return str(service.ask("bureau", "GET", f"/v1/matters/{number}")["reports"][0]["note"])


def test_a_problem_gets_a_number_at_once(service: Service) -> None:
    number = sent(service)
    found = parsed(service, "GET", "requests.xml", 200, params={"service_request_id": number})
    assert found["request"]["service_request_id"] == number
    assert found["request"]["status"] == "open"


def test_a_token_leads_to_the_number(service: Service) -> None:
    """Where no number came FixMyStreet asks for the token's once."""
    number = sent(service)
    report = service.ask("bureau", "GET", f"/v1/matters/{number}")["reports"][0]["report_id"]
    params = {"jurisdiction_id": "city.gov"}
    found = parsed(service, "GET", f"tokens/{report}.xml", 200, params=params)
    assert found["request"]["service_request_id"] == number


def test_questions_of_a_category_come_and_none_are_none(service: Service) -> None:
    """PopulateServiceList asks for questions where `metadata` is true; a category is not dropped without."""
    listed = parsed(service, "GET", "services.xml", 200, params={"jurisdiction_id": "city.gov"})["service"]
    assert {one["metadata"] for one in listed} == {"false"}
    for one in listed:
        assert all(isinstance(one[name], str) for name in ("service_code", "service_name", "type")), one
    found = parsed(service, "GET", "services/roads.xml", 200)
    assert found["service_code"] == "roads"


def test_answers_to_questions_reach_the_office_and_nothing_is_said_twice(service: Service) -> None:
    """Attributes repeat title, detail and address: a long report would be refused for its length."""
    extra = {
        "attribute[title]": "Hole", "attribute[description]": DETAIL, "attribute[external_id]": "7",
        "attribute[report_url]": URL, "attribute[easting]": "529025",
        "attribute[depth]": ["5 cm", "deep"], "attribute[empty]": "",
    }  # fmt: skip
    note = note_of(service, sent(service, **extra))
    assert note.count("A hole as wide as a wheel") == DETAIL.count("A hole as wide as a wheel")
    assert note.splitlines()[-3:] == ["external_id: 7", "easting: 529025", "depth: 5 cm, deep"]


def test_all_photos_of_a_report_are_named(service: Service) -> None:
    urls = [f"https://fix.example/photo/7.{number}.full.jpeg" for number in range(3)]
    note = note_of(service, sent(service, media_url=urls))
    assert [line for line in note.splitlines() if line.startswith("media_url")] == [
        f"media_url: {url}" for url in urls
    ]
    (error,) = service.client.post(
        f"{ROOT}/requests.json", data={**SENT, "media_url": [urls[0], "javascript:alert(1)"]}
    ).json()
    assert "http:// or https://" in error["description"]


def test_extended_fields_of_a_council_are_no_obstacle(service: Service) -> None:
    """`extended_sendrequest` sends them beside the specification's; names and mail go nowhere."""
    more = {
        "northing": "179645", "easting": "529025", "report_url": URL, "title": "MS",
        "service_request_id_ext": "7", "report_title": "Hole", "public_anonymity_required": "TRUE",
        "email_alerts_requested": "FALSE", "requested_datetime": "2026-03-04T12:00:00+08:00",
    }  # fmt: skip
    note = note_of(service, sent(service, **more))
    assert "Ann" not in note
    assert "example.org" not in note


def test_several_numbers_are_asked_for_at_once(service: Service) -> None:
    numbers = [sent(service), sent(service, service_code="greening")]
    found = parsed(service, "GET", "requests.xml", 200, params={"service_request_id": ",".join(numbers)})
    assert {one["service_request_id"] for one in found["request"]} == set(numbers)


def test_steps_of_the_last_two_hours_are_within_them(service: Service) -> None:
    """It asks for two hours and drops, by comparing texts, what does not lie between their ends."""
    number = sent(service)
    service.clock.now += datetime.timedelta(minutes=47)
    for verb, body in (("accept", {}), ("start", {}), ("fix", {"result": "filled"})):
        service.ask("bureau", "POST", f"/v1/matters/{number}/{verb}", json=body)
    end = service.clock.now.astimezone(datetime.UTC)
    start = end - datetime.timedelta(hours=2)
    ends = [f"{one:%Y-%m-%dT%H:%M:%SZ}" for one in (start, end)]
    params = {"jurisdiction_id": "city.gov", "start_date": ends[0], "end_date": ends[1]}
    found = parsed(service, "GET", "servicerequestupdates.xml", 200, params=params)["request_update"]
    assert [one["status"].lower().replace("_", " ") for one in found] == [
        "investigating",
        "in progress",
        "fixed",
    ]
    assert all(ends[0] <= one["updated_datetime"] <= ends[1] for one in found)
    assert len({one["update_id"] for one in found}) == 3
    # One step is a hash and no list, none is no element; both are read.
    nothing = parsed(service, "GET", "servicerequestupdates.xml", 200, params={"service_request_id": "none"})
    assert nothing == {}


STATUSES = ("OPEN", "INVESTIGATING", "ACTION_SCHEDULED", "IN_PROGRESS", "FIXED", "CLOSED", "DUPLICATE",
            "NOT_COUNCILS_RESPONSIBILITY", "NO_FURTHER_ACTION", "INTERNAL_REFERRAL")  # fmt: skip


@pytest.mark.parametrize("status", STATUSES)
def test_a_comment_of_its_user_is_answered_by_a_number_or_in_a_sentence(
    service: Service, status: str
) -> None:
    """After the fix a user may say so or object; what only the office says is refused, nothing fails."""
    number = sent(service)
    for verb, body in (("accept", {}), ("fix", {"result": "filled"})):
        service.ask("bureau", "POST", f"/v1/matters/{number}/{verb}", json=body)
    comment = {
        "jurisdiction_id": "city.gov", "api_key": "", "update_id_ext": "3", "service_request_id_ext": "7",
        "updated_datetime": "2026-03-04T12:00:00+08:00", "service_request_id": number, "status": status,
        "email": "ann@example.org", "description": "Still there.", "public_anonymity_required": "TRUE",
        "last_name": "-", "first_name": "Ann", "title": "MS", "email_alerts_requested": "FALSE",
    }  # fmt: skip
    users = status in ("OPEN", "FIXED", "CLOSED")
    found = parsed(service, "POST", "servicerequestupdates.xml", 200 if users else 409, data=comment)
    if users:
        assert isinstance(found["request_update"]["update_id"], str)
    else:
        assert found["error"]["code"] == "409"
        assert found["error"]["description"].startswith("status")


def test_an_error_is_read_by_code_and_description(service: Service) -> None:
    """Its ``_process_error`` writes both into its log; a page or another form would be "unknown error"."""
    for changes, code in (
        ({"service_code": "none"}, "404"),
        ({"lat": "x"}, "400"),
        ({"jurisdiction_id": "b"}, "404"),
    ):
        error = parsed(service, "POST", "requests.xml", int(code), data={**SENT, **changes})["error"]
        assert error["code"] == code
        assert error["description"]
