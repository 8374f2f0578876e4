"""What has gone wrong elsewhere (FixMyStreet, Ushahidi, ledgers, time banks), as small cases of our own.

More of them stand where they belong: photos (FixMyStreet 5841, 5892) and forms of answers (FixMyStreet 4440,
uReport 162, three 11, Zürich 67) beside Open311, balances below zero (double_entry 114) beside the store.
"""

import concurrent.futures
import io
import json
from typing import Any

import pytest
from live_service import Service
from PIL import Image
from tiny_study import place

from api.store import SERVICE
from api.store.civic import ledger, people
from routing.civic import Entry, Posting

SCRIPT = "<script>alert(1)</script>\u202e'\";--\x0b"


def report(service: Service, **more: object) -> Any:  # noqa: ANN401
    lon, lat = place("B")
    body = {"kind": "roads", "lon": lon, "lat": lat, **more}
    return service.ask("r0", "POST", "/v1/reports?datum=wgs84", 201, json=body)


def steps(service: Service, made: Any) -> list[str]:  # noqa: ANN401
    told = service.ask("r0", "GET", f"/v1/reports/{made['report_id']}")
    return [one["step"] for one in told["steps"]]


def give(service: Service, rider: str, points: int) -> None:
    with service.database.transaction() as connection:
        people.add(connection, SERVICE, people.PersonRow("red", rider, f"p-{rider}", 1.0))
        moved = (Posting("city:issued", "points", -points), Posting(f"rider:p-{rider}", "points", points))
        ledger.book(connection, SERVICE, Entry(f"given:{rider}", "task", 1.0, moved))


def test_the_same_word_of_an_office_again_is_told_once(service: Service) -> None:
    """FixMyStreet 5492: a backend that said "fixed" again and again filled the page with it."""
    made = report(service)
    for _ in range(3):
        service.ask("bureau", "POST", f"/v1/matters/{made['matter_id']}/fix", json={"result": "filled"})
    assert steps(service, made) == ["matter_opened", "matter_fixed"]


def test_a_step_without_words_is_told_too(service: Service) -> None:
    """FixMyStreet 2639: a change of state alone did not reach the report."""
    made = report(service)
    service.ask("bureau", "POST", f"/v1/matters/{made['matter_id']}/start", json={})
    assert steps(service, made) == ["matter_opened", "work_started"]


def test_pictures_of_what_nobody_may_see_stay_with_the_office(service: Service) -> None:
    """FixMyStreet 4766: what may be fetched of a private report depends on who asks."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    made = report(service)
    photo = service.ask("bureau", "POST", "/v1/photos", 201, content=out.getvalue())["photo"]
    done = {"result": "filled", "photo": photo}
    service.ask("bureau", "POST", f"/v1/matters/{made['matter_id']}/fix", json=done)
    assert service.client.get(f"/v1/photos/{photo}").status_code == 200
    service.ask("bureau", "POST", f"/v1/matters/{made['matter_id']}/hide", json={"reason": "person"})
    assert service.client.get(f"/v1/photos/{photo}").status_code == 404
    service.ask("r0", "GET", f"/v1/photos/{photo}", 404)
    service.ask("office", "GET", f"/v1/photos/{photo}", 404)
    service.ask("bureau", "GET", f"/v1/photos/{photo}")


def test_nothing_is_there_before_one_has_signed_in(service: Service) -> None:
    """Ushahidi 404: private posts were to be seen for a moment without a key."""
    made = report(service, private="home", note="flat 12")
    for path in (
        "/v1/board", "/v1/board.geojson", "/v1/matters", f"/v1/matters/{made['matter_id']}", "/v1/reports",
        f"/v1/reports/{made['report_id']}", "/v1/events", "/open311/v2/requests.json",
        f"/open311/v2/requests/{made['matter_id']}.xml",
    ):  # fmt: skip
        answer = service.client.get(path)
        assert "flat 12" not in answer.text
        asked = made["matter_id"] in path
        assert asked or made["matter_id"] not in answer.text


def test_one_purchase_sent_at_the_same_time_is_one_purchase(service: Service) -> None:
    """Formance ledger 364, stack 1464: the same payment twice at once was an error, or was paid twice."""
    rice = {"sort": "goods", "title": "Rice", "points": 5}
    service.ask("office", "PUT", "/v1/catalogue/rice", json=rice)
    service.ask("office", "POST", "/v1/catalogue/rice/stock", 201, json={"name": "d", "pieces": 9})
    give(service, "r0", 20)
    wanted = {"name": "once", "item": "rice", "community": "North"}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        told = list(
            pool.map(
                lambda _: service.ask("r0", "POST", "/v1/riders/me/purchases", 201, json=wanted), range(16)
            )
        )
    assert all(one == told[0] for one in told)
    assert service.ask("r0", "GET", "/v1/riders/me/points")["points"] == 15
    # The name with other contents is another purchase: it is refused, not answered with the first one.
    other = {**wanted, "community": "South"}
    assert service.ask("r0", "POST", "/v1/riders/me/purchases", 409, json=other)["code"] == "exists"


@pytest.mark.parametrize("time_s", [-60, 0, 1.5, "an hour", 10**12, None])
def test_time_goes_one_way_and_in_whole_seconds(service: Service, time_s: object) -> None:
    """Vuln-bank 49: a negative transfer took from who should have got it."""
    other = service.ask("r9", "GET", "/v1/riders/me/points")["account"]
    body = {"name": "t", "account": other, "time_s": time_s}
    service.ask("r0", "POST", "/v1/riders/me/time", 422, json=body)


def test_no_text_of_anybody_becomes_markup(service: Service) -> None:
    """Stored scripts: every answer says what it is, and XML escapes what it holds."""
    text = SCRIPT.replace("\x0b", "")
    made = report(service, note=text)
    service.ask("bureau", "POST", f"/v1/matters/{made['matter_id']}/fix", json={"result": text})
    for path in ("/v1/board", "/v1/board.geojson", "/open311/v2/requests.json", "/open311/v2/requests.xml"):
        answer = service.client.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "html" not in answer.headers["content-type"]
        assert "script-src" in answer.headers["content-security-policy"]
        if path.endswith("xml"):
            assert "<script>" not in answer.text
        else:
            assert text in json.dumps(answer.json(), ensure_ascii=False).replace('\\"', '"')


@pytest.mark.parametrize(
    "text", [SCRIPT, "\ud7ff\ufffe", "垃圾" * 2_000, "\t\r\n", "\x01\x02\x1b[31m", "👩‍👩‍👧"]
)
def test_any_text_is_kept_as_it_is(service: Service, text: str) -> None:
    made = report(service, note=text)
    (mine,) = service.ask("bureau", "GET", "/v1/matters")["matters"]
    assert mine["reports"][0]["note"] == text
    assert service.client.get("/open311/v2/requests.xml").status_code == 200
    assert made["stage"] == "reported"


@pytest.mark.parametrize("text", ["\x00", "x" * 4_001])
def test_what_no_store_keeps_is_refused(service: Service, text: str) -> None:
    lon, lat = place("B")
    body = {"kind": "roads", "lon": lon, "lat": lat, "note": text}
    service.ask("r0", "POST", "/v1/reports?datum=wgs84", 422, json=body)
