"""Who comes in, and what keeps others out: keys, sessions, forms from elsewhere, and what is left behind.

Several cases are those of other projects' trackers: several tabs and one token (joind.in 543, Bodhi 815), a
session that lives on after signing out (CiviForm 6975), one that was set before (ServiceStack 240), addresses
to go on to that lead elsewhere (CVE-2017-7233 and its kin), a form that is sent twice (QuickApps 69).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from live_service import Service
from page_visits import FLOWS, City, Seen, token_of
from tiny_study import write_study

from api.http.pages.frame.visitor import local_path

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(write_study(tmp_path / "out"), f"sqlite:///{tmp_path / 'yilu.db'}")
    made.client = TestClient(made.app, base_url="https://testserver", follow_redirects=False)
    with made.client:
        yield made


def enter(service: Service, who: str, **more: Any) -> Any:  # noqa: ANN401
    form = service.client.get("/sign-in").text
    data = {"form_token": token_of(form), "key": service.keys[who], **more}
    return service.client.post("/sign-in", data=data)


def test_a_session_is_held_where_scripts_and_other_sites_cannot_reach(service: Service) -> None:
    answer = enter(service, "r0")
    assert answer.status_code == 303
    cookie = next(one for one in answer.headers.get_list("set-cookie") if "session" in one)
    assert cookie.startswith("__Host-yilu_session=")
    for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie
    # The key itself is nowhere in it, and the store has no more than a digest.
    word = service.client.cookies["__Host-yilu_session"]
    assert word not in service.keys["r0"]
    with service.database.engine.connect() as connection:
        (row,) = connection.exec_driver_sql("SELECT digest FROM sessions").all()
    assert word not in row[0]


@pytest.mark.parametrize("path", ["/sign-in", "/stations", "/rider", "/pages/base.json", "/nowhere"])
def test_every_answer_has_a_policy(service: Service, path: str) -> None:
    enter(service, "r0")
    answer = service.client.get(path)
    policy = answer.headers.get_list("content-security-policy")
    assert len(policy) == 1
    if "text/html" in answer.headers["content-type"]:
        assert "unsafe" not in policy[0]
        assert "form-action 'self'" in policy[0]
        assert answer.headers["cache-control"] == "no-store"
        assert "<script>" not in answer.text
        assert " style=" not in answer.text
        assert " onclick" not in answer.text


def test_signing_out_ends_the_session_in_the_store_too(service: Service) -> None:
    enter(service, "r0")
    page = service.client.get("/rider")
    word = service.client.cookies["__Host-yilu_session"]
    out = service.client.post("/sign-out", data={"form_token": token_of(page.text)})
    assert out.headers["clear-site-data"] == '"cache"'
    # Whoever has kept the word (another machine, a backup) holds nothing.
    again = service.client.get("/rider", headers={"cookie": f"__Host-yilu_session={word}"})
    assert (again.status_code, again.headers["location"]) == (303, "/sign-in?next=/rider")


def test_a_word_that_was_set_before_is_not_taken_over(service: Service) -> None:
    """Session fixation: the attacker's word never becomes the session of whoever signs in."""
    service.client.cookies.set("__Host-yilu_session", "chosen-by-somebody-else", domain="testserver.local")
    enter(service, "r0")
    kept = service.client.get("/rider", headers={"cookie": "__Host-yilu_session=chosen-by-somebody-else"})
    assert kept.status_code == 303
    first = service.client.cookies["__Host-yilu_session"]
    # Signing in as somebody else ends the session before.
    token = token_of(service.client.get("/rider").text)
    service.client.post("/sign-in", data={"form_token": token, "key": service.keys["office"]})
    old = service.client.get("/rider", headers={"cookie": f"__Host-yilu_session={first}"})
    assert old.status_code == 303


@pytest.mark.parametrize(
    "given",
    [
        "//evil.example", "https://evil.example", "http:evil.example", "/\\evil.example", "\\\\evil.example",
        "javascript:alert(1)", "///evil.example", "/\t/evil.example", "/%0d%0aset-cookie:x=1\r\nx", "",
        "https:/\\/evil", "/\x00", "//evil.example/%2f..", "evil",
    ],
)  # fmt: skip
def test_addresses_to_go_on_to_stay_here(service: Service, given: str) -> None:
    assert local_path(given) == "/home"
    assert enter(service, "r0", next=given).headers["location"] == "/home"


def test_an_address_of_this_service_is_gone_on_to(service: Service) -> None:
    asked = service.client.get("/tasks?show=all")
    assert asked.headers["location"] == "/sign-in?next=/tasks%3Fshow%3Dall"
    assert enter(service, "office", next="/tasks?show=all").headers["location"] == "/tasks?show=all"


def test_forms_of_other_sites_do_nothing(service: Service) -> None:
    enter(service, "office")
    good = token_of(service.client.get("/tasks/new").text)
    sent = {"place_lon": "116.3", "place_lat": "39.98", "kind": "hazard"}
    for token, headers in ((None, {}), ("0" * 64, {}), (good, {"sec-fetch-site": "cross-site"}), ("ü", {})):
        data = sent if token is None else {**sent, "form_token": token}
        refused = service.client.post("/tasks", data=data, headers=headers)
        assert refused.status_code == 403, (token, headers)
        assert "text/html" in refused.headers["content-type"]
    assert service.ask("office", "GET", "/v1/tasks")["tasks"] == []
    # Nor does a key in a header stand in for a session: what a browser sends by itself is the session.
    with_key = service.client.post(
        "/tasks", data=sent, headers={"authorization": f"Bearer {service.keys['office']}"}
    )
    assert with_key.status_code == 403


def test_every_form_that_changes_something_carries_a_token(service: Service) -> None:
    import re

    service.task("office", "lamp", task={"grid_code": "G1"})
    task_id = service.ask("office", "GET", "/v1/tasks")["tasks"][0]["id"]
    for who, paths in {
        "office": ("/tasks", "/tasks/new", f"/tasks/{task_id}", "/duty", "/duty/new", "/planner", "/live"),
        "admin": ("/admin", "/admin/audit"),
        "r0": ("/rider",),
    }.items():
        service.client.cookies.clear()
        enter(service, who)
        for path in paths:
            page = service.client.get(path).text
            for form in re.findall(r"<form method=\"post\".*?</form>", page, re.DOTALL):
                assert 'name="form_token"' in form, (path, form[:200])


def test_two_tabs_have_one_token_and_an_old_one_before_signing_in_is_good(service: Service) -> None:
    """MuckRock 1100: a tab that was opened before signing in in another one lost what was written in it."""
    before = token_of(service.client.get("/sign-in").text)
    assert token_of(service.client.get("/sign-in").text) == before
    enter(service, "office")
    first, second = (token_of(service.client.get(path).text) for path in ("/tasks/new", "/duty/new"))
    assert first == second != before
    made = {"place_lon": "116.3035", "place_lat": "39.9798"}
    for once, token in (("ab12", first), ("cd34", before)):
        sent = {**made, "once": once, "form_token": token}
        assert service.client.post("/tasks", data=sent).status_code == 303
    # One of another session is not: what somebody else wrote is not sent in this one's name.
    service.client.post("/sign-out", data={"form_token": first})
    enter(service, "bureau")
    assert service.client.post("/tasks", data={**made, "form_token": first}).status_code == 403


def test_the_door_is_not_put_into_a_part_of_a_page(service: Service) -> None:
    """Gitea 29391, Hypha 4530: when a session had ended the whole sign-in page appeared inside of a list."""
    asks = {"hx-request": "true", "hx-current-url": "https://testserver/tasks?show=all"}
    answer = service.client.get("/rider/now", headers=asks)
    assert (answer.status_code, answer.text) == (204, "")
    assert answer.headers["hx-redirect"] == "/sign-in?next=/tasks%3Fshow%3Dall"
    elsewhere = service.client.get("/rider/now", headers={**asks, "hx-current-url": "//evil.example"})
    assert elsewhere.headers["hx-redirect"] == "/sign-in?next=/home"


def test_a_part_without_news_is_not_put_in_anew(service: Service) -> None:
    """Htmx 75 and 523: what is swapped loses its focus; so nothing is swapped where nothing is new."""
    enter(service, "r0")
    part = service.client.get("/rider/now")
    again = part.text.partition('hx-get="')[2].partition('"')[0]
    assert service.client.get(again).status_code == 204
    service.riders("red", "A")
    service.task("office", "lamp")
    assert service.client.get(again).status_code == 200


def test_a_form_that_is_sent_twice_counts_once(service: Service) -> None:
    enter(service, "office")
    token = token_of(service.client.get("/tasks/new").text)
    lon, lat = "116.3035", "39.9798"
    sent = {"form_token": token, "place_lon": lon, "place_lat": lat, "once": "f00d", "name": "灯"}
    first, second = (service.client.post("/tasks", data=sent) for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    assert len(service.ask("office", "GET", "/v1/tasks")["tasks"]) == 1
    twice = [service.client.post("/duty", data=sent) for _ in range(2)]
    assert twice[0].headers["location"] == twice[1].headers["location"]
    assert len(service.ask("office", "GET", "/v1/emergencies")["emergencies"]) == 1


def test_bad_keys_are_told_apart_from_nothing_and_limited(service: Service) -> None:
    token = token_of(service.client.get("/sign-in").text)
    seen = []
    for n in range(40):
        key = f"yl_{n:012d}_{'A' * 43}"
        seen.append(service.client.post("/sign-in", data={"form_token": token, "key": key}).status_code)
    assert set(seen[:30]) == {401}
    assert 429 in seen[30:]
    assert "set-cookie" not in service.client.post("/sign-in", data={"form_token": token, "key": "é"}).headers


def test_without_dev_nobody_chooses_who_they_are(service: Service) -> None:
    token = token_of(service.client.get("/sign-in").text)
    chosen = {"form_token": token, "role": "admin", "tenant": "office"}
    answer = service.client.post("/sign-in/dev", data=chosen)
    assert answer.status_code == 401
    assert "__Host-yilu_session" not in service.client.cookies


def test_the_language_is_asked_for_and_kept(service: Service) -> None:
    assert 'lang="zh-CN"' in service.client.get("/sign-in", headers={"accept-language": "zh-CN"}).text
    assert 'lang="en"' in service.client.get("/sign-in", headers={"accept-language": "fi, en;q=0.5"}).text
    back = service.client.get("/language/zh?next=//evil.example")
    assert back.headers["location"] == "/home"
    assert 'lang="zh-CN"' in service.client.get("/sign-in", headers={"accept-language": "en"}).text


@pytest.mark.parametrize("window", FLOWS)
def test_the_door(city: City, browser: "Browser", window: str) -> None:
    seen = Seen(browser, city.address, window)
    seen.open("/rider")
    seen.look("sign-in")
    # By keyboard alone: to the field, the key, and in.
    seen.page.focus("#key")
    seen.page.keyboard.type(city.service.keys["r0"])
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_url("**/rider")
    seen.page.click("text=退出")
    seen.page.wait_for_url("**/sign-in")
    seen.page.go_back()
    seen.page.wait_for_load_state("load")
    # Going back shows nothing of what was there.
    assert seen.page.locator("#key").count() == 1
    seen.close()


def test_the_first_stop_of_the_keyboard_skips_the_menu(city: City, browser: "Browser") -> None:
    seen = Seen(browser, city.address, "desktop", lang="en")
    seen.open("/stations")
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.className") == "skip"
    seen.page.keyboard.press("Enter")
    assert seen.page.evaluate("location.hash") == "#main"
    seen.close()


def test_long_words_break_and_nothing_is_wider_than_a_phone(city: City, browser: "Browser") -> None:
    """Long Chinese names without a blank, and long addresses, pushed buttons off the screen elsewhere."""
    name = "北京市海淀区中关村街道知春里社区第三网格消防通道堵塞" * 2
    city.service.task("office", (name + "x" * 64)[:64], task={"grid_code": "网" * 40})
    seen = Seen(browser, city.address, "phone")
    seen.sign_in(city.service.keys["office"])
    seen.open("/tasks")
    seen.look("long-words")
    seen.page.click("ul.cards h3 a")
    seen.drawn()
    seen.look("long-words-task")
    seen.close()


def test_pages_work_without_scripts(city: City, browser: "Browser") -> None:
    context = browser.new_context(java_script_enabled=False, locale="en")
    page = context.new_page()
    page.goto(city.address + "/stations?at_lon=116.3035&at_lat=39.9798")
    assert "Near, by day" in page.inner_text("section")
    page.goto(city.address + "/sign-in")
    page.fill("#key", city.service.keys["grid"])
    page.click("main form[action='/sign-in'] button")
    page.goto(city.address + "/tasks/new")
    page.click("summary")
    page.fill("#place_lon", "116.3035")
    page.fill("#place_lat", "39.9798")
    page.click("main button.main")
    assert "/tasks/" in page.url
    context.close()
