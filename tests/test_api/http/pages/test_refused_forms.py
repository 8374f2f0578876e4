"""Whatever is filled in wrong is told in the reader's language, beside its field, and stays in the form."""

import html
import re
import secrets
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from fastapi.testclient import TestClient
from live_service import Service
from page_visits import token_of
from tiny_study import place, write_study

Json = dict[str, Any]
LON, LAT = (str(part) for part in place("B"))
THERE = {"place_lon": LON, "place_lat": LAT}
ITEM = {"title": "大米", "item": "rice", "sort": "goods", "points": "60"}
OFFICE = {"office": "bureau", "title": "城管局"}
KEY = {"tenant": "red", "role": "platform", "days": "5"}


class Wrong(NamedTuple):
    """A form that is sent with one field wrong."""

    who: str
    path: str
    good: dict[str, str]
    field: str
    value: str


def _each(who: str, path: str, good: dict[str, str], **wrong: tuple[str, ...]) -> list[Wrong]:
    return [Wrong(who, path, good, field, value) for field, values in wrong.items() for value in values]


NO_NUMBER = ("many", "nan", "inf", "1e999")
FORMS = [
    *_each("r0", "/stations/E01/say", {"says": "full"}, people=("5000", "-1", "many", "2.5", "1e999"),
           seats_free=("1001", "nan"), says=("", "ugly")),
    *_each("", "/report", {"kind": "appearance", **THERE}, kind=("", "ugly"),
           place_lon=("200", *NO_NUMBER, ""), place_lat=("91", *NO_NUMBER, ""),
           note=("长" * 4_001,), private=("me",)),
    *_each("office", "/tasks", {"kind": "hazard", **THERE}, kind=("x" * 99,), place_lon=("200", *NO_NUMBER),
           place_lat=("91",), hours=("0", "721", "-1", *NO_NUMBER), minutes=("-1", "1e9", *NO_NUMBER),
           people=("0", "11", "1.5", *NO_NUMBER), grid_code=("x" * 99,)),
    *_each("office", "/duty/confirm", THERE, place_lon=("200", *NO_NUMBER), place_lat=("91",),
           people=("0", "51", "1.5", *NO_NUMBER), skills=("x" * 99,),
           grid_code=("x" * 99,)),
    *_each("office", "/duty", THERE, place_lon=("200", ""), people=("51", *NO_NUMBER)),
    *_each("office", "/catalogue", ITEM, title=("", "长" * 101), item=("", "米", "x" * 41), sort=("", "x"),
           points=("", "0", "1.5", "9999999", *NO_NUMBER), ends=("tomorrow", "0000-00-00"),
           communities=("长" * 200, "\n".join(map(str, range(2_000))))),
    *_each("office", "/catalogue/rice/stock", {"pieces": "3"}, pieces=("", "0", "1.5", "9999999", *NO_NUMBER),
           name=("x" * 99,)),
    *_each("admin", "/admin/offices", OFFICE, title=("", "长" * 101), office=("", "nobody", "red"),
           kinds=("ugly",), area=("here", "{}", '{"type": "Polygon", "coordinates": []}', "[" * 9_999)),
    *_each("admin", "/admin/tenants", {"tenant_id": "green", "kind": "platform"}, tenant_id=("", "绿", "red"),
           kind=("", "x")),
    *_each("admin", "/admin/keys", KEY, tenant=("", "nobody"), role=("", "king", "rider", "grid_staff"),
           days=("-1", "1e9", "1e300", *NO_NUMBER)),
    *_each("office", "/planner/upload", {}, name=("", "长" * 101)),
    *_each("r0", "/points/buy", {"item": "rice", "once": "a"}, item=("", "nothing"), community=("nowhere",)),
    *_each("", "/sign-in", {}, key=("", "yl_wrong", "长" * 5_000)),
]  # fmt: skip


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("refused")
    made = Service(write_study(folder / "out"), f"sqlite:///{folder / 'yilu.db'}")
    made.client = TestClient(made.app, base_url="https://testserver", follow_redirects=False)
    with made.client:
        rice = {"sort": "goods", "title": "大米", "points": 60, "communities": ["north"]}
        made.ask("office", "PUT", "/v1/catalogue/rice", json=rice)
        yield made


def signed_in(service: Service, who: str, lang: str) -> str:
    """Sign in; returns the token of the forms."""
    client = service.client
    client.cookies.clear()
    client.get(f"/language/{lang}")
    token = token_of(client.get("/sign-in").text)
    if not who:
        return token
    sent = {"form_token": token, "key": service.keys[who]}
    assert client.post("/sign-in", data=sent).status_code == 303
    return token_of(client.get("/language/" + lang, follow_redirects=True).text)


TYPED = re.compile(r"[A-Za-z]{3,}")
KNOWN = {"GeoJSON", "Polygon", "MultiPolygon", "WGS", "area"}
HAN = re.compile(r"[\u4e00-\u9fff]")
KEPT = {"/stations/E01/say", "/report", "/tasks", "/duty/confirm", "/duty", "/catalogue", "/admin/offices",
        "/admin/tenants", "/admin/keys"}  # fmt: skip
ELSEWHERE = {
    "/admin/offices area {}", '/admin/offices area {"type": "Polygon", "coordinates": []}',
    "/admin/tenants tenant_id red", "/report place_lon", "/report place_lat",
}  # fmt: skip
"""Told of the form: only the rest of the service can judge it, or nothing was chosen on the map."""
BUTTONS = {"/stations/E01/say says", "/admin/tenants kind", "/admin/keys tenant", "/admin/keys role"}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_wrong_field_is_told_beside_it_and_nothing_is_lost(service: Service, lang: str) -> None:
    last, token = None, ""
    # What is told is made by the same code for both languages: a part is enough of the second.
    for wrong in FORMS if lang == "zh" else FORMS[::4]:
        if wrong.who != last:
            last, token = wrong.who, signed_in(service, wrong.who, lang)
        sent = {"form_token": token, **wrong.good, wrong.field: wrong.value}
        if wrong.path == "/admin/keys":
            sent["once"] = secrets.token_hex(8)
        more = {"files": {"photo": ("", b"")}} if wrong.path in ("/report", "/planner/upload") else {}
        answer = service.client.post(wrong.path, data=sent, **more)  # type: ignore[arg-type]
        about = f"{wrong.path} {wrong.field} {wrong.value}"[:60]
        assert answer.status_code in (401, 409, 422), about
        found = re.search(r'<div class="error"[^>]*>(.*?)</div>', answer.text, re.DOTALL)
        assert found is not None, about
        said = html.unescape(found[1])
        typed = {*KNOWN, *TYPED.findall(f"{wrong.value} north rice"), "GET"}
        assert not set(TYPED.findall(said)) - typed if lang == "zh" else not HAN.search(said), said
        if wrong.path not in KEPT:
            continue
        for name, value in sent.items():
            if name not in ("form_token", "once", "says", "place_lon", "place_lat") and name != wrong.field:
                assert html.escape(value, quote=False) in answer.text, (about, name)
        if wrong.value and wrong.field in ("people", "hours", "points", "item", "days", "seats_free", "note"):
            assert f'value="{wrong.value}"' in answer.text or f">{wrong.value}<" in answer.text, about
        beside = f'id="wrong-{wrong.field}"' in answer.text
        assert beside or about.strip() in ELSEWHERE or f"{wrong.path} {wrong.field}" in BUTTONS, about


def test_words_of_an_answer_that_is_refused_stay(service: Service) -> None:
    """An office's words come back in the form in which they were written, opened."""
    lon, lat = place("B")
    told = {"kind": "appearance", "lon": lon, "lat": lat, "note": ""}
    matter = service.ask("office", "POST", "/v1/reports?datum=wgs84", 201, json=told)["matter_id"]
    task = service.task("office", "kept")["id"]
    drill = {"name": "kept", "lon": lon, "lat": lat, "drill": True}
    raised = service.ask("office", "POST", "/v1/emergencies?datum=wgs84", 201, json=drill)["id"]
    token, words = signed_in(service, "office", "zh"), "写了很久的话" + "长" * 1_000
    for path, sent in (
        (f"/inbox/{matter}/decline", {"words": words}),
        (f"/inbox/{matter}/look", {"hours": "9999"}),
        (f"/tasks/{task}/withdraw", {"words": words}),
        (f"/duty/{raised}/close", {"reason": words}),
    ):
        more = {"files": {"photo": ("", b"")}} if path.startswith("/inbox") else {}
        answer = service.client.post(path, data={"form_token": token, **sent}, **more)  # type: ignore[arg-type]
        assert answer.status_code in (409, 422), path
        assert 'class="error"' in answer.text, path
        assert all(value in answer.text for value in sent.values()), path
        assert '<details class="card" open' in answer.text or path.startswith("/duty"), path
