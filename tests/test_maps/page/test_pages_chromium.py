"""The map in a real browser with the network cut: no error, no request, everything can be used."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from map_visits import CHROMIUM, MapVisit, ink, lattice_backdrop
from study_sample import CENTRE, HOSTILE, big_study, sample_study

from geo.datum import from_wgs84
from maps.match.layers import MatchPicture, MatchStop
from maps.match.page import match_map
from maps.page.frame import OnlineTiles
from maps.study.page import study_map

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

LAYERS = (
    "suggested", "existing", "stability", "pickups", "refusals", "hotspots", "flows", "due", "demand",
    "reach", "grids",
)  # fmt: skip


@pytest.fixture(scope="module")
def zh(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[MapVisit]:
    study = sample_study()
    visit = MapVisit(browser, study_map(study, lattice_backdrop(study), "zh"), tmp_path_factory.mktemp("zh"))
    yield visit
    visit.close()


def test_every_layer_can_be_switched_on_and_off(zh: MapVisit) -> None:
    for name in LAYERS:
        box = zh.page.locator(f"#layer-{name}")
        box.set_checked(True)
        assert zh.page.locator(f"#legend-{name}").is_visible()
        assert zh.page.locator(f"#legend-{name} li").count() >= 1
    zh.shot("all-layers")
    for pane in ("demand0", "due0", "flows0", "reach0", "grids0", "refusals0", "pickups0"):
        assert ink(zh, pane) > 50, pane
    assert zh.page.locator(".badge.round").count() >= 20
    assert zh.page.locator(".badge.diamond").count() == 6
    for name in LAYERS:
        if name not in ("demand", "existing", "suggested"):
            zh.page.locator(f"#layer-{name}").set_checked(False)
    assert zh.page.locator(".badge.diamond").count() == 0


def test_slider_changes_the_demand_the_legend_and_the_open_stations(zh: MapVisit) -> None:
    legend = zh.page.locator("#legend-demand").inner_text()
    before = ink(zh, "demand0")
    assert zh.page.locator("#hour-text").inner_text() == "全天"
    zh.page.locator("#hour").focus()
    for _ in range(4):
        zh.page.keyboard.press("ArrowRight")
    assert zh.page.locator("#hour-text").inner_text() == "03:00至04:00"
    assert zh.page.locator("#hour").get_attribute("aria-valuetext") == "03:00至04:00"
    assert zh.page.locator("#legend-demand").inner_text() != legend
    assert ink(zh, "demand0") <= before
    assert zh.page.locator(".badge.shut").count() == 6
    zh.page.locator("#hour").fill("13")
    assert zh.page.locator(".badge.shut").count() == 0
    zh.shot("at-noon")
    zh.page.locator("#hour").fill("0")
    assert zh.page.locator("#legend-demand").inner_text() == legend


def test_playing_moves_the_hour(zh: MapVisit) -> None:
    zh.page.locator("#play").click()
    zh.page.wait_for_timeout(2500)
    assert int(zh.page.locator("#hour").input_value()) > 0
    zh.page.locator("#play").click()
    zh.page.locator("#hour").fill("0")


def test_popup_of_a_station_shows_reason_figures_and_chart(zh: MapVisit) -> None:
    zh.page.locator("#whole").click()
    zh.page.locator(".badge.round").first.click()
    card = zh.page.locator(".card")
    card.wait_for()
    text = card.inner_text()
    assert "建议新增" in text
    assert "服务的休息时长" in text
    assert card.locator("svg rect").count() >= 24
    assert "None" not in text
    assert "undefined" not in text
    zh.shot("popup")
    zh.page.keyboard.press("Escape")
    zh.page.locator(".leaflet-popup-close-button").wait_for(state="detached")


def test_station_opens_by_keyboard(zh: MapVisit) -> None:
    zh.page.locator(".leaflet-marker-icon").first.focus()
    zh.page.keyboard.press("Enter")
    zh.page.locator(".card").wait_for()
    zh.page.locator(".leaflet-popup-close-button").click()


def test_click_on_a_cell_opens_its_figures(zh: MapVisit) -> None:
    zh.page.locator("#whole").click()
    for name in ("existing", "suggested"):
        zh.page.locator(f"#layer-{name}").set_checked(False)
    zh.page.locator("#map_map").click(position={"x": 480, "y": 400})
    zh.page.locator(".card").wait_for()
    assert "骑手人数" in zh.page.locator(".card").inner_text()
    for name in ("existing", "suggested"):
        zh.page.locator(f"#layer-{name}").set_checked(True)
    zh.page.locator(".leaflet-popup-close-button").click()


def test_search_finds_a_station_by_name_and_a_grid_by_code(zh: MapVisit) -> None:
    zh.page.locator("#search").fill("五道口")
    assert zh.page.locator("#found button").count() >= 2
    zh.page.keyboard.press("ArrowDown")
    zh.page.keyboard.press("Enter")
    zh.page.locator(".card").wait_for()
    assert "五道口" in zh.page.locator(".card h2").inner_text()
    zh.page.locator("#search").fill("110108001000005")
    zh.page.keyboard.press("Enter")
    assert zh.page.locator(".card h2").inner_text() == "第5网格"
    assert zh.page.locator("#layer-grids").is_checked()
    zh.shot("grid")
    zh.page.locator("#layer-grids").set_checked(False)
    zh.page.locator("#search").fill("没有这个站")
    assert zh.page.locator("#found").inner_text() == "没有找到"
    zh.page.locator("#search").fill("")


def test_hostile_name_is_only_text(zh: MapVisit) -> None:
    zh.page.locator("#search").fill("alert")
    assert zh.page.locator("#found button span").first.inner_text() == HOSTILE
    zh.page.keyboard.press("Enter")
    zh.page.locator(".card").wait_for()
    assert zh.page.locator(".card h2").inner_text() == HOSTILE
    zh.page.locator("#search").fill("")
    zh.page.locator(".leaflet-popup-close-button").click()


def test_chinese_is_drawn_and_not_as_boxes(zh: MapVisit) -> None:
    zh.page.locator("#whole").click()
    assert ink(zh, "names") > 100
    widths = zh.page.evaluate(
        """() => { const c = document.createElement('canvas').getContext('2d'), out = [];
             c.font = '32px ' + yilu.data.font;
             for (const s of ['驿', '站', '\\uFFFE']) {
               c.clearRect(0, 0, 300, 150); c.fillText(s, 10, 60);
               const d = c.getImageData(0, 0, 80, 80).data; let n = 0;
               for (let i = 3; i < d.length; i += 4) n = (n * 31 + d[i]) % 1000003;
               out.push(n); } return out; }"""
    )
    assert len(set(widths)) == 3


def test_print_view_hides_the_tools_and_keeps_the_legend(zh: MapVisit) -> None:
    zh.page.emulate_media(media="print")
    zh.page.locator("body.printing").wait_for()
    assert not zh.page.locator("#search").is_visible()
    assert not zh.page.locator(".leaflet-control-zoom").is_visible()
    assert zh.page.locator("#legend-suggested").is_visible()
    assert zh.page.locator(".north").is_visible()
    assert zh.page.locator(".leaflet-control-attribution").is_visible()
    zh.shot("print")
    zh.page.emulate_media(media="screen")


def test_panel_folds_away(zh: MapVisit) -> None:
    zh.page.locator("#fold").click()
    assert not zh.page.locator("#layer-demand").is_visible()
    assert zh.page.locator("#fold").get_attribute("aria-expanded") == "false"
    zh.page.locator("#fold").click()
    assert zh.page.locator("#layer-demand").is_visible()


def test_every_control_has_a_name(zh: MapVisit) -> None:
    nameless = zh.page.evaluate(
        """() => [...document.querySelectorAll('button, input, a[role=button], [tabindex="0"]')].filter(e =>
             !(e.textContent.trim() || e.title || e.getAttribute('aria-label') || e.alt ||
               (e.labels && e.labels.length))).map(e => e.outerHTML)"""
    )
    assert nameless == []


def test_english_page_shows_no_chinese_of_its_own(browser: "Browser", tmp_path: Path) -> None:
    study = sample_study()
    visit = MapVisit(browser, study_map(study, lattice_backdrop(study), "en"), tmp_path)
    # names of stations are the planner's own
    visit.page.evaluate("document.querySelector('.stations ol').remove()")
    text = visit.page.locator("#panel").inner_text()
    assert "Suggested stations" in text
    assert not any("一" <= c <= "鿿" for c in text)
    visit.shot("english")
    visit.close()


def test_small_screen(browser: "Browser", tmp_path: Path) -> None:
    study = sample_study()
    visit = MapVisit(browser, study_map(study, lattice_backdrop(study), "zh"), tmp_path, 390, 800)
    assert visit.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert visit.page.locator(".stations li").first.is_visible()
    visit.shot("phone")
    visit.close()


def test_a_city_opens_within_three_seconds(browser: "Browser", tmp_path: Path) -> None:
    """Seconds of work on the page's main thread, so that a busy machine does not decide."""
    study = big_study()
    visit = MapVisit(browser, study_map(study, lattice_backdrop(study), "zh"), tmp_path)
    visit.shot("city")
    watch = visit.context.new_cdp_session(visit.page)
    watch.send("Performance.enable", {"timeDomain": "threadTicks"})
    visit.page.reload()
    visit.page.wait_for_selector("html[data-ready=yes]", timeout=60_000)
    visit.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    metrics = {m["name"]: m["value"] for m in watch.send("Performance.getMetrics")["metrics"]}
    assert 0.05 < metrics["TaskDuration"] < 3.0
    for name in ("due", "flows", "grids", "pickups"):
        visit.page.locator(f"#layer-{name}").set_checked(True)
    visit.page.locator("#hour").fill("14")
    visit.close()


def test_map_of_a_match(browser: "Browser", tmp_path: Path) -> None:
    lon, lat = CENTRE
    stops = (
        MatchStop("川香小馆", (lon + 0.002, lat), "pickup", "12:04", "12:04", "12:10", 360.0, 360.0),
        MatchStop(HOSTILE, (lon + 0.004, lat + 0.002), "task", None, "12:09", "12:30", None, 1260.0),
        MatchStop("华清嘉园", (lon + 0.006, lat), "dropoff", "12:12", "12:15", "12:20", 480.0, 300.0),
    )
    before = ((lon, lat), (lon + 0.002, lat), (lon + 0.006, lat))
    after = ((lon, lat), (lon + 0.002, lat), (lon + 0.004, lat + 0.002), (lon + 0.006, lat))
    match = MatchPicture("查看井盖", (lon, lat), before, after, stops, 180.0, 420.0, 0, "© OpenStreetMap")
    visit = MapVisit(browser, match_map(match, lattice_backdrop(sample_study()), "zh"), tmp_path)
    assert visit.page.locator("#hour").count() == 0
    assert ink(visit, "path_after0") > 100
    assert ink(visit, "path_before0") > 100
    visit.page.locator(".leaflet-marker-pane .badge.square").click()
    text = visit.page.locator(".card").inner_text()
    assert HOSTILE in text
    assert "21.0分钟" in text
    visit.shot("match")
    visit.close()


def test_shift_of_the_page_equals_the_core(browser: "Browser", tmp_path: Path) -> None:
    study = sample_study()
    page = study_map(study, lattice_backdrop(study), "zh", tiles=OnlineTiles("amap"))
    visit = MapVisit(browser, page, tmp_path)
    for lonlat in ([116.33, 39.98], [121.47, 31.23], [110.92, 21.66], [87.6, 43.8]):
        lat, lon = visit.page.evaluate("p => yilu.shift(p[1], p[0])", lonlat)
        expected: Any = from_wgs84([lonlat], "gcj02")[0]
        assert abs(lon - expected[0]) < 1e-8
        assert abs(lat - expected[1]) < 1e-8
    visit.close()


def test_online_tiles_are_asked_for_only_after_the_click(browser: "Browser", tmp_path: Path) -> None:
    study = sample_study()
    page = study_map(study, lattice_backdrop(study), "zh", tiles=OnlineTiles("amap"))
    visit = MapVisit(browser, page, tmp_path)
    outside = [url for url in visit.requests if not url.startswith(("file:", "data:", "blob:"))]
    assert outside == []
    with visit.page.expect_request(lambda request: "autonavi.com" in request.url) as asked:
        visit.page.locator("#base-online").click()
    # the tile under the middle of the view is that of the shifted centre
    zoom, lat, lon = visit.page.evaluate(
        "[Math.round(yilu.map.getZoom()), yilu.map.getCenter().lat, yilu.map.getCenter().lng]"
    )
    shifted = from_wgs84([[lon, lat]], "gcj02")[0]
    x = int((shifted[0] + 180) / 360 * 2**zoom)
    assert f"z={zoom}" in asked.value.url
    assert abs(int(asked.value.url.split("x=")[1].split("&")[0]) - x) <= 3
    visit.context.close()
