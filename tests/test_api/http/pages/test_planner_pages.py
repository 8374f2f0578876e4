"""A planner's files become a study that is followed, fetched, published and held against another."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from job_studies import STUDY
from page_visits import FLOWS, City, Seen
from tiny_map import write_city

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.mark.parametrize("window", FLOWS)
def test_what_is_wrong_with_files_is_said_on_the_page(
    city: City, browser: "Browser", window: str, tmp_path: Path
) -> None:
    seen = Seen(browser, city.address, window)
    seen.sign_in(city.service.keys["office"])
    seen.open("/planner")
    seen.look("studies")
    (tmp_path / "study.toml").write_text(STUDY.replace("held_out_days = 1", "held_out_days = -1"), "utf-8")
    seen.page.fill("#name", "春季")
    seen.page.set_input_files("#files", [tmp_path / "study.toml"])
    seen.page.click("button.main")
    told = seen.page.inner_text("#error")
    assert "study.toml" in told or "held_out_days" in told or "city.osm" in told
    assert seen.page.input_value("#name") == "春季"
    seen.look("study-refused")
    trace = tmp_path / "blue.csv"
    rows = [f"骑手{n % 3},2026-03-02 12:{n:02d}:00,{116.30 + n / 10_000:.5f},39.98" for n in range(50)]
    trace.write_text("骑手编号,时间,经度,纬度\n" + "\n".join(rows) + "\nx,y,z,w\n", "utf-8")
    seen.open("/plans/inspect")
    seen.look("inspect")
    seen.page.set_input_files("#file", [trace])
    seen.page.click("button.main")
    # The page that was clicked has a section too, and stays until the answer is there.
    seen.page.wait_for_selector("text=51 / 50 / 1")
    text = seen.page.inner_text("section")
    assert "[[traces]]" in text
    assert "骑手1" not in text
    seen.look("inspected")
    seen.close()


def test_a_study_from_its_files_to_its_result(city: City, browser: "Browser", tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(STUDY, "utf-8")
    write_city(tmp_path / "city.osm")
    seen = Seen(browser, city.address, "desktop")
    seen.sign_in(city.service.keys["office"])
    seen.open("/planner")
    seen.page.fill("#name", "Spring <b>2026</b>")
    seen.page.set_input_files("#files", [tmp_path / "study.toml", tmp_path / "city.osm"])
    seen.page.click("button.main")
    seen.page.wait_for_selector("#study_now")
    seen.look("study-waits")
    seen.page.wait_for_selector("text=完成", timeout=300_000)
    seen.page.wait_for_selector("a[download]")
    seen.page.evaluate("window.kept = true")
    seen.look("study-done")
    assert seen.page.evaluate("window.kept"), "a study that has ended is not read anew again and again"
    with seen.page.expect_download() as got:
        seen.page.click("a[download]:has-text('summary.json')")
    assert "Small town" in Path(got.value.path()).read_text("utf-8")
    seen.page.fill("#name", "Not A Name")
    seen.page.click("text=公布结果 >> nth=-1")
    seen.page.wait_for_selector("#error")
    seen.page.fill("#name", "spring-2026")
    seen.page.click("text=公布结果 >> nth=-1")
    seen.page.wait_for_selector("a[href='/s/spring-2026/']")
    assert seen.page.request.get(city.address + "/s/spring-2026/map").status == 200
    study_id = seen.page.url.rpartition("/")[2]
    # Plans of two maps are no plans to compare.
    assert seen.open(f"/plans/compare?left=shown:&right=study:{study_id}") == 422
    assert "只有同一地图的方案才能对比" in seen.page.inner_text("main")
    seen.open(f"/plans/compare?left=study:{study_id}&right=shown:spring-2026")
    assert seen.page.locator("tbody tr").count() > 12
    seen.look("compare")
    with seen.page.expect_download() as got:
        seen.page.click("a.button:has-text('Excel')")
    assert Path(got.value.path()).read_bytes()[:2] == b"PK"
    address = seen.page.get_attribute("a.button:has-text('对比地图')", "href")
    assert "yilu-data" in seen.page.request.get(city.address + str(address)).text()
    # Another office's study is not there for this one.
    other = Seen(browser, city.address, "desktop", lang="en")
    other.sign_in(city.service.keys["bureau"])
    assert other.open(f"/planner/{study_id}") == 404
    assert other.open(f"/plans/compare?left=shown:&right=study:{study_id}") == 422
    other.close()
    seen.close()
