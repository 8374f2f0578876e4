"""Calls on the quick way are answered as by the routes of the document, the refused ones too."""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import Response
from live_service import Service
from tiny_study import place

from api.http.quick_routes import QuickRoute
from api.http.routes import offers, riders, tasks


def test_every_call_that_changes_riders_tasks_or_offers_has_a_quick_way(service: Service) -> None:
    quick = {one.path for one in service.app.router.routes if isinstance(one, QuickRoute)}
    wanted = {
        route.path  # type: ignore[attr-defined]
        for router in (riders.router, tasks.router, offers.router)
        for route in router.routes
        if route.methods & {"POST", "PUT"}  # type: ignore[attr-defined]
    }
    assert quick == wanted
    assert len(quick) > 9


def _calls(service: Service) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Requests, good ones and others: who asks, how, and what is sent."""
    lon, lat = place("B")
    later = (service.clock.now + datetime.timedelta(hours=1)).isoformat()
    visit = {"lon": lon, "lat": lat, "latest": later}
    task = {"task_id": "lamp", "place": visit}
    report = {"rider_id": "r0", "at": service.clock.now.isoformat(), "lon": lon, "lat": lat, "stops": []}
    bulk = {"datum": "wgs84", "riders": [report]}
    here, put, post = "/v1/tasks?datum=wgs84", "PUT /v1/riders", f"POST {'/v1/tasks?datum=wgs84'}"
    yield "red", put, {"json": bulk}
    yield "red", put, {"json": bulk, "headers": {"accept-language": "zh"}}
    yield "red", put, {"json": bulk | {"datum": "none"}}
    yield "red", f"{put}?unknown=1", {"json": bulk}
    yield "office", put, {"json": bulk}
    yield "red", put, {"content": b"{"}
    yield "red", put, {"content": b"{}", "headers": {"content-type": "text/plain"}}
    yield "office", post, {"json": task}
    yield "office", post, {"json": task}
    yield "office", post, {"json": task | {"task_id": "2", "place": visit | {"lon": float(lon) + 1e-4}}}
    yield "office", "POST /v1/tasks", {"json": task}
    yield "office", "POST /v1/tasks?datum=none", {"json": task}
    yield "office", f"POST {here}&datum=gcj02", {"json": task}
    yield "office", f"POST {here}&more=1", {"json": task | {"task_id": "3"}}
    yield "office", post, {"json": task | {"task_id": "\u0000"}}
    yield "office", post, {"json": task | {"task_id": "4"}, "headers": {"idempotency-key": "k"}}
    yield "office", post, {"json": task | {"task_id": "4"}, "headers": {"idempotency-key": "k"}}
    yield "office", post, {"json": task | {"task_id": "5"}, "headers": {"idempotency-key": "k"}}
    yield "office", post, {"json": task | {"task_id": "5"}, "headers": {"idempotency-key": "k k"}}
    yield "red", "POST /v1/offers/none/accept", {"json": {}}
    yield "red", "POST /v1/offers/no%20ne/accept", {"json": {}}
    yield "office", "POST /v1/tasks/none/withdraw", {"json": {"reason": ""}, "headers": {"if-match": '"1"'}}
    yield "office", "POST /v1/tasks/none/withdraw", {"json": {}, "headers": {"if-match": "x"}}
    yield "office", "DELETE /v1/tasks", {}


def test_both_ways_give_the_same_answers(folder: Path, tmp_path: Path) -> None:
    def answers(name: str, *, quick: bool) -> list[tuple[int, dict[str, str], Any]]:
        service = Service(folder, f"sqlite:///{tmp_path / name}")
        ids = iter(range(10_000))
        service.app.state.ids = lambda: f"id{next(ids):04d}"
        if not quick:
            kept = [one for one in service.app.router.routes if not isinstance(one, QuickRoute)]
            service.app.router.routes[:] = kept
        told = []
        with service.client:
            for who, call, more in _calls(service):
                method, _, path = call.partition(" ")
                given = {"authorization": f"Bearer {service.keys[who]}", "x-request-id": "one"}
                sent = {**more, "headers": given | more.get("headers", {})}
                answer = service.client.request(method, path, **sent)
                headers = {one: two for one, two in answer.headers.items() if one != "ratelimit"}
                told.append((answer.status_code, headers, answer.text))
        service.database.close()
        return told

    slow, fast = answers("slow.db", quick=False), answers("fast.db", quick=True)
    assert [one[0] for one in slow[:3]] == [200, 200, 422]
    for one, other in zip(slow, fast, strict=True):
        assert one == other


def test_a_handler_that_wants_something_unknown_is_found_out_when_the_service_is_made() -> None:
    async def handler(thing: int) -> Response:
        return Response()

    tasks.router.add_api_route("/thing", handler, methods=["POST"])
    route = tasks.router.routes.pop()
    with pytest.raises(TypeError, match="where thing stands"):
        QuickRoute(route, route)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["/v1/board?kind=%00", "/v1/board.geojson?after=%00", "/v1/studies/a%00"])
def test_an_address_with_a_character_that_no_text_has_is_refused(service: Service, path: str) -> None:
    answer = service.ask("admin", "GET", path, expect=422)
    assert "U+0000" in answer["detail"]
