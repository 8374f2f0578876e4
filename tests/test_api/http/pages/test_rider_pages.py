"""A rider with one thumb: what they are asked, the way, yes and no, done, and where to rest."""

import re
from typing import TYPE_CHECKING

import pytest
from page_visits import FLOWS, City, Seen, picture

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.mark.parametrize("window", FLOWS)
def test_a_rider_answers_and_finishes(city: City, browser: "Browser", window: str) -> None:
    service = city.service
    service.riders("red", "A")
    seen = Seen(browser, city.address, window)
    seen.sign_in(service.keys["r0"])
    seen.look("rider-nothing")
    task = service.task("office", f"lamp-{window}")
    # It appears by itself.
    seen.page.wait_for_selector("#rider_now a[href^='/rider/offers/']")
    seen.look("rider-asked")
    seen.page.click("#rider_now a.button")
    seen.drawn()
    assert "查看安全隐患" in seen.page.inner_text("h1")
    assert "North Street" in seen.page.inner_text("main")
    promised = re.search(r"(\d+)积分", seen.page.inner_text("main"))
    before = service.ask("r0", "GET", "/v1/riders/me/points")["points"]
    seen.look("rider-offer")
    seen.page.click("button.main")
    seen.drawn()
    assert service.ask("office", "GET", f"/v1/tasks/{task['id']}")["status"] == "accepted"
    seen.look("rider-accepted")
    seen.page.click("text=我到了，开始")
    seen.page.fill("#note", "灯不亮 <script>alert(1)</script>")
    seen.page.set_input_files("#photo", {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": picture()})
    seen.look("rider-started")
    seen.page.click("text=完成")
    seen.page.wait_for_url("**/rider")
    after = service.ask("office", "GET", f"/v1/tasks/{task['id']}")
    assert (after["status"], after["offers"][0]["note"]) == ("done", "灯不亮 <script>alert(1)</script>")
    seen.close()
    # The office that asked for it sees the photo, without where it was taken; others do not.
    photo = after["offers"][0]["photo"]
    office = Seen(browser, city.address, window)
    office.sign_in(service.keys["office"])
    office.open(f"/tasks/{task['id']}")
    office.page.locator(f"img[src='/tasks/photos/{photo}']").scroll_into_view_if_needed()
    office.look("task-done-with-photo")
    office.close()
    for who, expected in (("office", 200), ("bureau", 404), ("r0", 404)):
        headers = {"authorization": f"Bearer {service.keys[who]}"}
        kept = service.client.get(f"/v1/photos/{photo}", headers=headers)
        assert kept.status_code == expected
        assert b"Exif" not in kept.content
    # What the offer promised is what is booked.
    service.ask("office", "POST", f"/v1/tasks/{task['id']}/verify", json={})
    booked = service.ask("r0", "GET", "/v1/riders/me/points")["points"] - before
    assert promised is not None
    assert int(promised[1]) == booked > 0


def test_a_rider_says_no_with_a_reason(city: City, browser: "Browser") -> None:
    service = city.service
    service.riders("red", "A")
    task = service.task("office", "no-thanks")
    seen = Seen(browser, city.address, lang="en")
    seen.sign_in(service.keys["r0"])
    seen.page.click("#rider_now a.button")
    seen.page.click("text=Too far")
    seen.page.click("#no button")
    seen.page.wait_for_url("**/rider")
    (offer,) = service.ask("office", "GET", f"/v1/tasks/{task['id']}")["offers"]
    assert (offer["status"], offer["reason"]) == ("declined", "Too far")
    service.ask("office", "POST", f"/v1/tasks/{task['id']}/withdraw", json={})
    seen.close()


@pytest.mark.parametrize("window", FLOWS)
def test_finding_a_station_by_a_tap(city: City, browser: "Browser", window: str) -> None:
    seen = Seen(browser, city.address, window)
    seen.open("/stations")
    seen.look("stations")
    seen.page.locator(".map path.leaflet-interactive").nth(1).click()
    assert seen.page.input_value("#at_lon")
    seen.page.click("text=冷热饮水")
    seen.page.click("button.main")
    seen.drawn()
    assert "Near, by day" in seen.page.inner_text("section h2")
    assert seen.page.locator("section .map canvas").count() > 0
    seen.look("station-found")
    seen.close()


@pytest.mark.parametrize("window", FLOWS)
def test_saying_how_it_is_at_a_station(city: City, browser: "Browser", window: str) -> None:
    """Who is not signed in is told so; a rider says how many are there, and checks in; axe finds nothing."""
    seen = Seen(browser, city.address, window)
    seen.open("/stations/E01/say")
    seen.look("station-say-need")
    seen.sign_in(city.service.keys["r0"])
    seen.open("/stations/E01/say")
    seen.look("station-say")
    seen.page.fill("input[name=seats_free]", "2000")
    seen.page.evaluate("document.querySelector('input[name=seats_free]').max = 9999")
    seen.page.click("button[value=fine]")
    seen.page.wait_for_selector(".error")
    seen.look("station-say-again")
    seen.page.fill("input[name=people]", "12")
    seen.page.fill("input[name=seats_free]", "4")
    seen.page.click("button[value=fine]")
    seen.page.wait_for_selector("[role=status]")
    seen.look("station-said")
    seen.page.click("button[value=here]")
    seen.page.wait_for_selector("text=已签到")
    seen.open("/stations/E01")
    assert "12人在站" in seen.page.inner_text("body")
    seen.look("station")
    seen.close()


def test_a_place_can_be_written_and_chosen_by_keyboard(city: City, browser: "Browser") -> None:
    seen = Seen(browser, city.address, lang="en")
    seen.open("/stations")
    seen.page.focus("[data-middle=at]")
    seen.page.keyboard.press("Enter")
    assert float(seen.page.input_value("#at_lat")) == pytest.approx(39.98, abs=0.05)
    assert seen.page.inner_text("[data-told=at]") == "The place is chosen."
    seen.close()
