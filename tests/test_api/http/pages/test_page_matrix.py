"""Who may open which page and send which form: the matrix of roles, for pages.

A page's route without a row fails. `a` allowed, `s` sent to the door (303 to /sign-in), `3` not for this role
(403), `4` not there (404), `1` refused at the door (401). Roles as in the matrix of the API.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from live_service import Service
from page_visits import token_of
from tiny_study import place, write_study

from api.http.pages.frame.route import PageRoute

ROLES = ("nobody", "red", "blue", "office", "bureau", "grid", "grid2", "r0", "r9", "admin")
TABLE = {
    "GET /sign-in": "aaaaaaaaaa",
    "POST /sign-in": "1aaaaaaaaa",
    # A service that names no identity provider has no such page.
    "GET /sign-in/provider": "4444444444",
    "GET /sign-in/provider/back": "4444444444",
    "POST /sign-in/dev": "1111111111",
    "GET /language/{lang}": "aaaaaaaaaa",
    "GET /home": "saaaaaaaaa",
    "GET /news": "saaaaaaaaa",
    "GET /stations": "aaaaaaaaaa",
    # The drawn town's first station; a platform speaks through its own systems.
    "GET /stations/{station_id}/say": "aaaaaaaaaa",
    "POST /stations/{station_id}/say": "s33aaaaaaa",
    "GET /rider": "s333333aaa",
    "GET /rider/now": "s333333aaa",
    "GET /rider/offers/{offer_id}": "s333333a4a",
    "POST /rider/offers/{offer_id}/accept": "s333333a4a",
    "POST /rider/offers/{offer_id}/{verb}": "s333333a4a",
    "GET /rider/alerts/{alert_id}": "s333333a4a",
    "POST /rider/alerts/{alert_id}/{said}": "s333333a4a",
    "GET /tasks": "saaaaaa33a",
    "GET /tasks/new": "saaaaaa33a",
    "POST /tasks": "saaaaa433a",
    "GET /tasks/photos/{photo_id}": "s444444334",
    "GET /tasks/{task_id}": "s44a4a433a",
    "GET /tasks/{task_id}/now": "s44a4a433a",
    "POST /tasks/{task_id}/{verb}": "s44a4a433a",
    "GET /report": "aaaaaaaaaa",
    "POST /report": "aaaaaaaaaa",
    # Whoever has a report's word in their browser, or made it with their account.
    "GET /report/{report_id}": "444444444a",
    "POST /report/{report_id}/{said}": "444444444a",
    "GET /board": "aaaaaaaaaa",
    "GET /points": "s333333aaa",
    "POST /points/buy": "s333333aaa",
    "GET /inbox": "s33aaaa33a",
    # The drawn town lies in no unit grid: grid staff have no part in what is reported there.
    "GET /inbox/{matter_id}": "s33a44433a",
    "POST /inbox/{matter_id}/{verb}": "s33a44433a",
    "GET /inbox/photos/{photo_id}": "s334444334",
    "GET /grids": "s33aaaa33a",
    "GET /duty": "s33aaaa33a",
    "GET /duty/new": "s33aaaa33a",
    "POST /duty/confirm": "s33aaaa33a",
    "POST /duty": "s33aaa433a",
    "GET /duty/{emergency_id}": "s33a4a433a",
    "GET /duty/{emergency_id}/now": "s33a4a433a",
    "POST /duty/{emergency_id}/close": "s33a4a433a",
    "GET /live": "saaaaaa33a",
    "GET /live/now": "saaaaaa33a",
    "GET /planner": "s33aa3333a",
    "POST /planner/upload": "s33aa3333a",
    "GET /planner/{study_id}": "s334433334",
    "GET /planner/{study_id}/now": "s334433334",
    "POST /planner/{study_id}/start": "s334433334",
    "POST /planner/{study_id}/cancel": "s334433334",
    "POST /planner/{study_id}/publish": "s334433334",
    "POST /planner/{study_id}/delete": "s334433334",
    "GET /planner/{study_id}/files/{path:path}": "s334433334",
    "GET /plans/inspect": "s33aa3333a",
    "POST /plans/inspect": "s33aa3333a",
    "GET /plans/compare": "s33aa3333a",
    "GET /catalogue": "s33aa3333a",
    "POST /catalogue": "s33aa3333a",
    "POST /catalogue/{item}/stock": "s33aa3333a",
    "GET /admin/offices": "s33333333a",
    "POST /admin/offices": "s33333333a",
    "GET /plans/compare/{name}": "s334433334",
    "GET /admin": "s33333333a",
    "POST /admin/tenants": "s33333333a",
    "POST /admin/keys": "s33333333a",
    "POST /admin/keys/{key_id}/rotate": "s33333333a",
    "POST /admin/keys/{key_id}/revoke": "s33333333a",
    "GET /admin/audit": "s33333333a",
    "POST /sign-out": "aaaaaaaaaa",
}
LABEL = "label-of-the-office"
# What a form that is good enough, or wants something else, is answered with: never as if it were not allowed.
ALLOWED = {200, 204, 303, 409, 422}
ORDER = ("nobody", "blue", "bureau", "grid2", "r9", "grid", "r0", "red", "office", "admin")


def page_routes(routes: Any) -> Iterator[str]:  # noqa: ANN401
    for route in routes:
        if isinstance(route, PageRoute):
            for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
                yield f"{method} {route.path}"
        elif not isinstance(route, APIRoute) and hasattr(route, "original_router"):
            yield from page_routes(route.original_router.routes)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("page-matrix")
    made = Service(write_study(folder / "out"), f"sqlite:///{folder / 'yilu.db'}")
    made.client = TestClient(made.app, base_url="https://testserver", follow_redirects=False)
    with made.client:
        yield made


@pytest.fixture(scope="module")
def names(service: Service) -> dict[str, str]:
    """What there is to reach: red's rider is asked for the office's task, and called by its drill."""
    service.riders("red", "A")
    task = service.task("office", LABEL, task={"grid_code": "G1"})
    (offer,) = service.ask("red", "GET", "/v1/offers")["offers"]
    lon, lat = place("B")
    drill = {"name": "drill", "lon": lon, "lat": lat, "drill": True, "grid_code": "G1"}
    raised = service.ask("office", "POST", "/v1/emergencies?datum=wgs84", 201, json=drill)
    (alert,) = service.ask("red", "GET", "/v1/alerts")["alerts"]
    asked = {"kind": "appearance", "lon": lon, "lat": lat, "note": LABEL}
    report = service.ask("office", "POST", "/v1/reports?datum=wgs84", 201, json=asked)
    return {
        "matter_id": report["matter_id"], "report_id": report["report_id"], "photo_id": "0" * 24,
        "task_id": task["id"], "offer_id": offer["offer_id"], "emergency_id": raised["id"],
        "alert_id": alert["alert_id"], "study_id": "0" * 24, "key_id": "0" * 12, "path:path": "summary.json",
        "lang": "zh", "verb": "start", "said": "no", "item": "rice", "station_id": "E01",
    }  # fmt: skip


@pytest.fixture(scope="module")
def sessions(service: Service) -> dict[str, tuple[dict[str, str], str]]:
    """Of everybody: what their browser sends, and the token of their forms."""
    held = {}
    for who in ROLES:
        service.client.cookies.clear()
        token = token_of(service.client.get("/sign-in").text)
        if who != "nobody":
            data = {"form_token": token, "key": service.keys[who]}
            assert service.client.post("/sign-in", data=data).status_code == 303
            token = token_of(service.client.get("/stations").text)
        held[who] = dict(service.client.cookies), token
    service.client.cookies.clear()
    return held


def send(service: Service, call: str, names: dict[str, str], session: tuple[dict[str, str], str]) -> Any:  # noqa: ANN401
    method, _, path = call.partition(" ")
    for name, value in names.items():
        path = path.replace("{" + name + "}", value)
    if "/tasks/{task_id}/{verb}" in call:
        path = path.replace("/start", "/verify")
    if call.startswith("POST /report/"):
        path = path.replace("/no", "/confirm")
    cookies, token = session
    headers = {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    if method == "GET":
        return service.client.get(path, headers=headers)
    lon, lat = place("B")
    data = {
        "form_token": token,
        "place_lon": str(lon),
        "place_lat": str(lat),
        "drill": "yes",
        "grid_code": "G1",
    }
    if call.endswith(("/upload", "/inspect")):
        return service.client.post(path, headers=headers, data=data, files={"other": ("a.txt", b"x")})
    return service.client.post(path, headers=headers, data=data)


def test_every_page_has_a_row(service: Service) -> None:
    assert set(page_routes(service.app.routes)) == set(TABLE)


@pytest.mark.parametrize("call", TABLE)
def test_the_matrix_of_pages(
    service: Service, names: dict[str, str], sessions: dict[str, tuple[dict[str, str], str]], call: str
) -> None:
    wrong = {}
    for who in ORDER:
        expected = TABLE[call][ROLES.index(who)]
        # What has no end is opened in `test_news.py`.
        if call == "GET /news" and expected == "a":
            continue
        # Signing in or out would end the session of the next call.
        if call in ("POST /sign-out", "POST /sign-in") and who != "nobody":
            continue
        answer = send(service, call, names, sessions[who])
        status = answer.status_code
        to_door = status == 303 and answer.headers["location"].startswith("/sign-in?next=")
        good = {
            "a": status in ALLOWED and not to_door,
            "s": to_door,
            "1": status in (401, 422),
            "3": status == 403,
            # A form about what is not there comes back with what was filled in.
            "4": status == 404 or (status == 422 and call in ("POST /tasks", "POST /duty")),
        }[expected]
        if not good:
            wrong[who] = (expected, status, answer.text[-800:])
        text = answer.text
        if who in ("blue", "bureau", "grid2", "r9"):
            assert LABEL not in text, (who, call)
            # The address that was asked for stands in the link to the other language.
            rest = re.sub(r'"/language/[^"]*"', "", text)
            assert not [name for name in ("task_id", "emergency_id") if names[name] in rest], (who, call)
        if who not in ("red", "r0", "admin", "blue", "r9"):
            assert ">r0<" not in text
            assert "red" not in {word.strip("\"'<>") for word in text.split()}, (who, call)
    assert wrong == {}
