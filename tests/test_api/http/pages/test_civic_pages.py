"""The civic side for people: three taps and a photo, the board, the office's inbox, points."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from page_visits import FLOWS, City, Seen, picture
from tiny_study import place

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.mark.parametrize("window", FLOWS)
def test_a_report_from_three_taps_to_its_end(
    city: City, browser: "Browser", window: str, tmp_path: Path
) -> None:
    service = city.service
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(picture())
    somebody = Seen(browser, city.address, window)
    somebody.open("/report")
    somebody.look("report")
    # Without a place it comes back, with what was chosen.
    somebody.page.locator(".tiles input").first.check()
    somebody.page.fill("#note", "门口有垃圾 <script>alert(1)</script>")
    somebody.page.set_input_files("#photo", photo)
    somebody.page.click("button.main")
    assert "地图上点" in somebody.page.inner_text("#error")
    assert somebody.page.locator(".tiles input").first.is_checked()
    # FixMyStreet 2 and 18, mapseed 49: the photo was lost when the form came back.
    somebody.page.wait_for_selector("text=照片已经收好")
    somebody.look("report-again")
    somebody.drawn()
    lon, lat = place("B" if window == "phone" else "J")
    somebody.page.click("summary")
    somebody.page.fill("#place_lon", f"{lon:.6f}")
    somebody.page.fill("#place_lat", f"{lat:.6f}")
    somebody.page.click("button.main")
    somebody.page.wait_for_selector("text=已收到")
    address = somebody.page.url.removeprefix(city.address)
    somebody.look("report-arrived")
    # Nobody else opens it; going back and sending it again makes no second one.
    other = Seen(browser, city.address, window)
    assert other.open(address) == 404
    other.open("/board")
    assert "alert(1)" not in other.page.content()
    other.look("board")
    other.close()
    office = Seen(browser, city.address, window)
    office.sign_in(service.keys["bureau"])
    office.open("/inbox")
    office.look("inbox")
    office.page.locator("ul.cards h3 a").first.click()
    office.drawn()
    assert "<script>alert(1)</script>" in office.page.inner_text("main")
    office.look("inbox-one")
    office.page.click("text=受理")
    office.drawn()
    office.page.click("summary:has-text('已解决')")
    office.page.fill("#words-fix", "已清运")
    office.page.locator("form[action$='/fix'] input[type=file]").set_input_files(photo)
    office.page.click("form[action$='/fix'] button")
    office.page.wait_for_selector("text=处理结果")
    assert office.page.locator("img.photo[src^='/inbox/photos/']").count() == 2
    office.look("inbox-fixed")
    office.close()
    # The office's picture of the result is for everybody, that of the reporter is not.
    shown = service.client.get("/v1/board?stage=fixed").json()["matters"][0]["photo"]
    assert b"Exif" not in service.client.get(f"/v1/photos/{shown}").content
    somebody.open("/board?show=all")
    assert somebody.page.locator("img.photo").count() >= 1
    somebody.open(address)
    assert "已清运" in somebody.page.inner_text("main")
    somebody.look("report-fixed")
    somebody.page.click("text=确实解决了")
    somebody.page.wait_for_selector("text=已办结")
    somebody.close()


@pytest.mark.parametrize("window", FLOWS)
def test_points_buy_something(city: City, browser: "Browser", window: str) -> None:
    service = city.service
    rider = Seen(browser, city.address, window)
    rider.sign_in(service.keys["r0"])
    rider.open("/points")
    rider.look("points-before")
    item = f"soap-{window}"
    offered = {"sort": "goods", "title": "洗手液 <b>", "points": 1, "communities": ["知春里"]}
    service.ask("office", "PUT", f"/v1/catalogue/{item}", json=offered)
    service.ask("office", "POST", f"/v1/catalogue/{item}/stock", 201, json={"name": "a", "pieces": 3})
    service.riders("red", "A")
    task = service.task("office", f"points-{window}", task={"grid_code": "G1"})
    offers = service.ask("r0", "GET", "/v1/offers")["offers"]
    asked = next(one for one in offers if one["id"] == task["id"])
    for verb in ("accept", "start", "finish"):
        service.ask("r0", "POST", f"/v1/offers/{asked['offer_id']}/{verb}", json={})
    service.ask("office", "POST", f"/v1/tasks/{task['id']}/verify", json={})
    before = service.ask("r0", "GET", "/v1/riders/me/points")["points"]
    rider.open("/points")
    rider.page.locator(f"form:has(input[value='{item}']) button").click()
    rider.page.wait_for_selector("text=已兑换")
    rider.look("points")
    after = service.ask("r0", "GET", "/v1/riders/me/points")
    assert after["points"] == before - 1
    assert {"item": item, "pieces": 1} in after["items"]
    rider.close()
