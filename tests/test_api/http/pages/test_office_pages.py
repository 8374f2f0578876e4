"""Those who publish and who stand watch: tasks by a tap, verified; emergencies, drills; the city now."""

from typing import TYPE_CHECKING

import pytest
from page_visits import FLOWS, City, Seen
from tiny_study import place

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def _choose(seen: Seen, name: str, letter: str) -> None:
    """Write a place where a thumb would tap: the map follows."""
    lon, lat = place(letter)
    seen.page.click("summary")
    seen.page.fill(f"#{name}_lon", f"{lon:.6f}")
    seen.page.fill(f"#{name}_lat", f"{lat:.6f}")


@pytest.mark.parametrize("window", FLOWS)
def test_grid_staff_publish_by_a_tap_and_verify(city: City, browser: "Browser", window: str) -> None:
    service = city.service
    service.riders("red", "A")
    seen = Seen(browser, city.address, window)
    seen.sign_in(service.keys["grid"])
    seen.look("tasks-none")
    seen.page.click("text=发布任务")
    seen.drawn()
    seen.look("task-new")
    seen.page.click("button.main")
    # Nothing is lost of what was filled in, and what is missing is said.
    assert "地图上点" in seen.page.inner_text("#error")
    seen.drawn()
    seen.page.click("text=查看堵塞的消防通道")
    seen.page.fill("#name", "三号楼")
    seen.page.click(".map", position={"x": 180, "y": 160})
    assert seen.page.input_value("#place_lon")
    _choose(seen, "place", "B")
    seen.page.click("button.main")
    seen.drawn()
    assert "查看堵塞的消防通道" in seen.page.inner_text("h1")
    task_id = seen.page.url.rpartition("/")[2]
    task = service.ask("office", "GET", f"/v1/tasks/{task_id}")
    assert (task["grid_code"], task["status"]) == ("G1", "offered")
    seen.look("task-offered")
    (offer,) = service.ask("r0", "GET", "/v1/offers")["offers"]
    for verb in ("accept", "start"):
        service.ask("r0", "POST", f"/v1/offers/{offer['offer_id']}/{verb}", json={})
    service.ask("r0", "POST", f"/v1/offers/{offer['offer_id']}/finish", json={"note": "已清开"})
    seen.page.wait_for_selector("text=已清开")
    seen.page.reload()
    seen.drawn()
    seen.look("task-done")
    seen.page.click("text=核实，办结")
    seen.page.wait_for_selector("text=已核实")
    assert service.ask("office", "GET", f"/v1/tasks/{task_id}")["status"] == "verified"
    seen.open("/tasks?show=all")
    seen.look("tasks")
    seen.close()


@pytest.mark.parametrize("window", FLOWS)
def test_grid_staff_find_figures_of_their_grids(city: City, browser: "Browser", window: str) -> None:
    seen = Seen(browser, city.address, window)
    seen.sign_in(city.service.keys["grid"])
    seen.open("/grids")
    assert "G1" in seen.page.inner_text("main")
    seen.look("grids-none")
    seen.close()
    seen = Seen(browser, city.address, window, lang="en")
    seen.sign_in(city.service.keys["office"])
    seen.open("/grids")
    assert seen.page.locator("tbody tr").count() > 3
    seen.look("grids")
    seen.close()


@pytest.mark.parametrize("window", FLOWS)
def test_a_drill_from_the_first_tap_to_the_look_back(city: City, browser: "Browser", window: str) -> None:
    service = city.service
    service.riders("red", "A", "B", "C")
    officer = Seen(browser, city.address, window)
    officer.sign_in(service.keys["office"])
    officer.open("/duty/new")
    officer.look("duty-new")
    _choose(officer, "place", "B")
    officer.page.check("[name=drill]")
    officer.page.click("button.main")
    officer.drawn()
    before = service.ask("office", "GET", "/v1/emergencies")["emergencies"]
    officer.look("duty-confirm")
    officer.page.click("text=发起 >> nth=-1")
    officer.page.wait_for_selector("text=分批呼叫")
    officer.drawn()
    after = service.ask("office", "GET", "/v1/emergencies")["emergencies"]
    assert len(after) == len(before) + 1
    assert after[-1]["drill"]
    officer.look("duty-raised")
    rider = Seen(browser, city.address, "phone")
    rider.sign_in(service.keys["r0"])
    rider.page.wait_for_selector(".urgent")
    rider.look("rider-alert-listed")
    rider.page.click(".urgent a.button")
    rider.drawn()
    assert "这是演练" in rider.page.inner_text("main")
    rider.look("rider-alert")
    rider.page.click("text=我去")
    rider.page.click("text=我到了")
    rider.page.wait_for_selector("text=已到达")
    officer.page.wait_for_selector("text=预计")
    officer.open("/live")
    officer.look("live-office")
    officer.page.click(".urgent a")
    officer.page.fill("#reason", "演练结束")
    officer.page.click("text=结束应急")
    officer.page.wait_for_selector("text=结束：演练结束")
    officer.drawn()
    officer.look("duty-over")
    officer.open("/duty")
    officer.look("duty")
    rider.close()
    officer.close()


@pytest.mark.parametrize("window", FLOWS)
def test_the_city_shows_riders_to_their_platform_alone(city: City, browser: "Browser", window: str) -> None:
    service = city.service
    service.riders("red", "A", "B")
    task = service.task("office", f"live-{window}", task={"grid_code": "G1"})
    red = Seen(browser, city.address, window, lang="en")
    red.sign_in(service.keys["red"])
    red.open("/live")
    red.look("live-platform")
    drawn = red.page.evaluate("JSON.parse(document.getElementById('live-map').dataset.map).marks")
    assert sum(one["kind"] == "rider" for one in drawn) >= 2
    red.close()
    for who in ("office", "blue"):
        other = Seen(browser, city.address, window)
        other.sign_in(service.keys[who])
        other.open("/live")
        drawn = other.page.evaluate("JSON.parse(document.getElementById('live-map').dataset.map).marks")
        assert not [one for one in drawn if one["kind"] == "rider"]
        other.close()
    service.ask("office", "POST", f"/v1/tasks/{task['id']}/withdraw", json={})
