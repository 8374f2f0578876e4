"""POST servicerequestupdates, as FixMyStreet and the systems behind it send it: cases of their trackers."""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from live_service import NOON, Service
from tiny_study import place

ROOT = "/open311/v2"
WHO = {"email": "a@example.org", "first_name": "Ann", "last_name": "Smith", "title": "Ms"}


@pytest.fixture
def service(folder: Path, tmp_path: Path) -> Iterator[Service]:
    made = Service(folder, f"sqlite:///{tmp_path / 'yilu.db'}", jurisdiction="city.gov")
    with made.client:
        yield made
    made.database.close()


@pytest.fixture
def number(service: Service) -> str:
    """A request by Ann."""
    lon, lat = place("B")
    pairs = {"service_code": "emergency", "lat": str(lat), "long": str(lon), "description": "hole", **WHO}
    (made,) = service.client.post(f"{ROOT}/requests.json", data=pairs).json()
    return str(made["service_request_id"])


def say(service: Service, /, expect: int = 200, form: str = "json", **pairs: Any) -> Any:  # noqa: ANN401
    answer = service.client.post(f"{ROOT}/servicerequestupdates.{form}", data=pairs)
    assert answer.status_code == expect, answer.text
    return answer.json() if form == "json" else ET.fromstring(answer.content)  # noqa: S314


def told(service: Service) -> list[tuple[str, str]]:
    found = service.client.get(f"{ROOT}/servicerequestupdates.json").json()
    return [(one["status"], one["description"]) for one in found]


def by_office(service: Service, number: str, status: str, **more: str) -> dict[str, Any]:
    return {"api_key": service.keys["bureau"], "service_request_id": number, "status": status, **more}


def test_an_offices_system_moves_a_request_and_reads_its_own_word_back(service: Service, number: str) -> None:
    """fms-endpoint 27, fixmystreet 2521: the same numbers both ways, so that no word comes back as news."""
    first = say(service, **by_office(service, number, "investigating", update_id="77", **WHO))
    xml = say(service, form="xml", **by_office(service, number, "IN PROGRESS", update_id="78"))
    done = say(
        service,
        **by_office(
            service, number, "Fixed - Council", update_id="79", description="Filled.",
            updated_datetime=NOON.isoformat(), media_url="https://example.org/p.jpg",
        ),
    )  # fmt: skip
    listed = service.client.get(f"{ROOT}/servicerequestupdates.json").json()
    assert [one["update_id"] for one in listed] == [
        first[0]["update_id"], xml.findtext("request_update/update_id"), done[0]["update_id"],
    ]  # fmt: skip
    assert [one["status"] for one in listed] == ["investigating", "in_progress", "fixed"]
    assert listed[-1]["description"] == "Filled.\nmedia_url: https://example.org/p.jpg"
    (shown,) = service.client.get(f"{ROOT}/requests/{number}.json").json()
    assert shown["status"] == "open" or shown["status_notes"].startswith("Filled.")


def test_a_word_said_twice_or_late_changes_nothing(service: Service, number: str) -> None:
    """By mysociety/fixmystreet 2521 (same update_id), 4007, 5247 (same words), 2075 (no words)."""
    for update_id in ("1", "1", "2"):
        say(service, **by_office(service, number, "fixed", update_id=update_id, description="Filled."))
    before = told(service)
    assert before == [("fixed", "Filled.")]
    for status in ("investigating", "in_progress", "fixed", "closed", "no_further_action"):
        (answer,) = say(service, **by_office(service, number, status, update_id="9"))
        assert answer["update_id"].startswith(number)
    assert told(service) == before


def test_only_those_who_are_expected_move_a_request(service: Service, number: str) -> None:
    """fms-endpoint 33: a key of an office; who sends another's number or no key moves nothing."""
    for pairs in (
        {}, {"api_key": "whatever the app was built with"}, {"email": "other@example.org"},
        {"api_key": service.keys["red"]}, {"api_key": service.keys["r0"]},
    ):  # fmt: skip
        say(service, 403, service_request_id=number, status="fixed", **pairs)
    say(service, 403, api_key="yl_nothing", service_request_id=number, status="fixed")
    say(service, 404, **by_office(service, "nothing", "fixed"))
    say(service, 404, **by_office(service, number, "fixed", jurisdiction_id="dc.gov"))
    assert told(service) == []


@pytest.mark.parametrize("status", ["no_further_action", "Not Councils Responsibility", "duplicate"])
def test_an_office_declines_under_the_names_that_others_use(
    service: Service, number: str, status: str
) -> None:
    say(service, **by_office(service, number, status, external_status_code="X", description="Private land."))
    assert told(service) == [("no_further_action", "Private land.")]


def test_closed_is_said_as_the_specification_says_it(service: Service, number: str) -> None:
    """By mysociety/fixmystreet 4440: plain "closed" and "open" beside the extended ones."""
    say(service, **by_office(service, number, "open"))
    assert told(service) == []
    say(service, **by_office(service, number, "CLOSED"))
    assert told(service)[0][0] == "fixed"
    (error,) = say(service, 409, **by_office(service, number, "open"))
    assert "who reported it may" in error["description"]


def test_who_reported_it_confirms_or_objects_through_an_app(service: Service, number: str) -> None:
    """FixMyStreet sends what its users say under their mail; an objection opens the request again."""
    mine: dict[str, Any] = {"service_request_id": number, **WHO}
    (error,) = say(service, 409, status="open", description="still there", **mine)
    assert "new request" in error["description"]
    say(service, 409, status="fixed", **mine)
    say(service, 409, status="investigating", **mine)
    say(service, **by_office(service, number, "fixed", description="Filled."))
    service.clock.now += datetime.timedelta(hours=1)
    say(service, status="open", description="not filled at all", **mine)
    assert [one for one, _ in told(service)] == ["fixed", "open"]
    assert "not filled" not in str(told(service))  # between them and the office
    say(service, **by_office(service, number, "fixed", description="Filled again."))
    say(service, status="fixed", **mine)
    assert told(service)[-1][0] == "closed"
    assert say(service, status="fixed", **mine)[0]["update_id"].startswith(number)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"service_request_id": ""}, "service_request_id was not provided"),
        # fixmystreet 2521, review: a status that nobody knows is refused, not kept.
        ({"status": "banana"}, "status is 'banana'; allowed are open, reopen"),
        ({"status": ""}, "status is ''"),
        ({"updated_datetime": "2026-03-04 12:00"}, "updated_datetime is '2026-03-04 12:00'"),
        ({"updated_datetime": "2036-03-04T12:00:00Z"}, "lies in the future"),
        ({"media_url": "javascript:alert(1)"}, "http:// or https://"),
        ({"description": "x" * 4_001}, "allowed are 4000"),
    ],
)
def test_an_update_that_is_not_right_is_refused(
    service: Service, number: str, changes: dict[str, str], said: str
) -> None:
    (error,) = say(service, 400, **{**by_office(service, number, "fixed"), **changes})
    assert said in error["description"]
    assert told(service) == []


def test_names_and_mail_are_not_kept(service: Service, number: str) -> None:
    say(service, **by_office(service, number, "fixed", description="Filled.", phone="555-0100", **WHO))
    with service.database.engine.connect() as connection:
        for table in ("matters", "events", "reports", "audit"):
            kept = str(connection.exec_driver_sql(f"SELECT * FROM {table}").all())  # noqa: S608
            for secret in ("Ann", "Smith", "a@example.org", "555-0100"):
                assert secret not in kept, table
