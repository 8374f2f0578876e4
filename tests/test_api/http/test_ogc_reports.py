"""Street reports as an OGC collection: the public board as a layer, no person and nothing marked in it."""

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from live_service import Service
from tiny_study import place, write_study

ITEMS = "/ogc/collections/street_reports/items"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("reports")
    made = Service(write_study(folder / "out"), f"sqlite:///{folder / 'yilu.db'}")
    with made.client:
        yield made
    made.database.close()


@pytest.fixture(scope="module")
def matters(service: Service) -> dict[str, str]:
    """Four reports: two open ones, one that is done, one of somebody's home."""
    made = {}
    for name, kind, letter, private in (
        ("rubbish", "appearance", "B", None), ("hole", "roads", "J", None),
        ("lamp", "utilities", "B", None), ("home", "environment", "B", "home"),
    ):  # fmt: skip
        lon, lat = place(letter)
        body = {"kind": kind, "lon": lon, "lat": lat, "note": "call 13800001234", "private": private}
        told = service.ask("r0", "POST", "/v1/reports?datum=wgs84", 201, json=body)
        made[name] = told["matter_id"]
    for verb, more in (("accept", {}), ("fix", {"result": "new bulb"})):
        service.ask("bureau", "POST", f"/v1/matters/{made['lamp']}/{verb}", json=more)
    return made


def items(service: Service, **query: Any) -> Any:  # noqa: ANN401
    answer = service.client.get(ITEMS, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(found: Any) -> set[str]:  # noqa: ANN401
    return {one["id"] for one in found["features"]}


def test_the_board_is_a_layer_without_persons(service: Service, matters: dict[str, str]) -> None:
    found = items(service)
    assert ids(found) == {matters[name] for name in ("rubbish", "hole", "lamp")}
    assert found["numberMatched"] == 3, "nor is what is marked counted"
    assert not any(word in json.dumps(found) for word in ("1380000", "r0", "red", matters["home"]))
    lamp = service.client.get(f"{ITEMS}/{matters['lamp']}").json()
    assert lamp["geometry"]["coordinates"] == pytest.approx(place("B"), abs=1e-6)
    assert lamp["properties"] == {
        "kind": "utilities", "stage": "fixed", "office": "bureau", "result": "new bulb", "level": 0,
        "reported": "2026-03-04T12:00+08:00", "updated": "2026-03-04T12:00+08:00", "overdue": False,
        "due": lamp["properties"]["due"],
    }  # fmt: skip
    assert service.client.get(f"{ITEMS}/{matters['home']}").status_code == 404
    # A key changes nothing: it is the same board for all.
    again = service.ask("bureau", "GET", ITEMS)
    assert ids(again) == ids(found)


def test_it_is_asked_like_any_layer(service: Service, matters: dict[str, str]) -> None:
    assert ids(items(service, stage="fixed")) == {matters["lamp"]}
    assert ids(items(service, kind="roads")) == {matters["hole"]}
    lon, lat = place("J")
    box = f"{lon - 1e-4},{lat - 1e-4},{lon + 1e-4},{lat + 1e-4}"
    assert ids(items(service, bbox=box)) == {matters["hole"]}
    first = items(service, limit=2)
    second = items(service, limit=2, offset=2)
    assert (first["numberMatched"], len(first["features"]), len(second["features"])) == (3, 2, 1)
    assert not ids(first) & ids(second)
    assert items(service, datetime="../2026-03-03")["numberMatched"] == 0
    # What is done is over; what is not goes on.
    later = (service.clock.now + datetime.timedelta(days=3)).date().isoformat()
    assert ids(items(service, datetime=later)) == {matters["rubbish"], matters["hole"]}
    mercator = items(service, crs="http://www.opengis.net/def/crs/EPSG/0/3857", limit=1)
    assert abs(mercator["features"][0]["geometry"]["coordinates"][0]) > 1e6
    listed = service.client.get("/ogc/collections/street_reports").json()
    west, south, east, north = listed["extent"]["spatial"]["bbox"][0]
    assert west - 1e-6 <= lon <= east + 1e-6
    assert south - 1e-6 <= lat <= north + 1e-6
    assert "随手拍" in service.client.get(f"{ITEMS}?f=html&lang=zh").text


def test_what_is_marked_later_goes_at_once(service: Service, matters: dict[str, str]) -> None:
    service.ask("bureau", "POST", f"/v1/matters/{matters['rubbish']}/hide", json={"reason": "person"})
    assert ids(items(service)) == {matters["hole"], matters["lamp"]}
    service.ask("bureau", "POST", f"/v1/matters/{matters['rubbish']}/show", json={})
    assert ids(items(service)) == {matters["rubbish"], matters["hole"], matters["lamp"]}


def test_many_reports_of_a_rider_cost_as_many_queries_as_one(
    service: Service, matters: dict[str, str]
) -> None:
    asked: list[str] = []

    def count(_: Any, __: Any, statement: str, *more: Any) -> None:  # noqa: ANN401
        # The key is looked up by the clock, and the desk looks for what is due: neither is counted.
        if "FROM reports" in statement or " IN (" in statement:
            asked.append(statement)

    sa.event.listen(service.app.state.access.database.engine, "before_cursor_execute", count)
    try:
        assert len(service.ask("r0", "GET", "/v1/reports?limit=1")["reports"]) == 1
        one, asked[:] = len(asked), []
        assert len(service.ask("r0", "GET", "/v1/reports")["reports"]) == 4
        assert len(asked) == one == 3
    finally:
        sa.event.remove(service.app.state.access.database.engine, "before_cursor_execute", count)
