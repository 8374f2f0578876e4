"""The study map as people use it: fitted, before and after, found again, measured, printed.

Faults that others met (Leaflet, its plugins, mapbox-gl, kepler.gl) are made again small, in our own words.
"""

import dataclasses
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from map_visits import CHROMIUM, MapVisit, ink, lattice_backdrop
from study_sample import CENTRE, big_study, sample_study

from maps.page.basemap import Backdrop
from maps.page.surroundings import PlaceName, StreetExit
from maps.study.page import study_map
from siting.results import Study

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
SERIOUS = {"serious", "critical"}
NAMES = (
    PlaceName("Pohjoisesplanadi", (CENTRE[0] + 0.004, CENTRE[1]), 0),
    PlaceName("KÄPYLÄ", (CENTRE[0] + 0.006, CENTRE[1] + 0.003), 0),
    PlaceName("Café Ekberg\tEkberg Bakery", (CENTRE[0] - 0.004, CENTRE[1] + 0.002), 2),
)


def _backdrop(study: Study) -> Backdrop:
    """Draw streets that reach less far north than the cells do, with names and a street that goes on."""
    west, south, east, north = study.bounds
    top = north - (north - south) / 4
    area = np.array([[west, south], [east, south], [east, top], [west, top], [west, south]])
    out = StreetExit("Out Road", (east, CENTRE[1]), 0.0)
    return dataclasses.replace(lattice_backdrop(study), area=(area,), exits=(out,), names=NAMES)


@pytest.fixture(scope="module")
def study() -> Study:
    return sample_study()


@pytest.fixture(scope="module")
def page(study: Study) -> str:
    return study_map(study, _backdrop(study), "en")


@pytest.fixture(scope="module")
def visit(browser: "Browser", page: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MapVisit]:
    found = MapVisit(browser, page, tmp_path_factory.mktemp("use"), 1400, 900)
    yield found
    found.close()


def _pixel(visit: MapVisit, pane: str, lonlat: tuple[float, float]) -> list[int]:
    """Return red, green, blue and opacity of a layer's canvas at a place."""
    found: list[int] = visit.page.evaluate(
        """([pane, at]) => { const c = document.querySelector(`.leaflet-${pane}-pane canvas`);
             const p = yilu.map.latLngToContainerPoint([at[1], at[0]]), b = c.getBoundingClientRect();
             const m = yilu.map.getContainer().getBoundingClientRect(), k = c.width / b.width;
             const x = (p.x + m.x - b.x) * k, y = (p.y + m.y - b.y) * k;
             return [...c.getContext('2d').getImageData(x, y, 1, 1).data]; }""",
        [pane, list(lonlat)],
    )
    return found


def test_the_study_fills_the_window(visit: MapVisit) -> None:
    """At a whole zoom the same study filled as little as half of it."""
    visit.page.locator("#whole").click()
    zoom, wide, tall, size = visit.page.evaluate(
        """() => { const v = yilu.data.view, a = yilu.map.latLngToContainerPoint([v[3], v[0]]);
             const b = yilu.map.latLngToContainerPoint([v[1], v[2]]), s = yilu.map.getSize();
             return [yilu.map.getZoom(), b.x - a.x, b.y - a.y, [s.x - 350, s.y]]; }"""
    )
    assert zoom != int(zoom)
    assert max(wide / size[0], tall / size[1]) > 0.93
    assert max(wide, tall) > 0.7 * min(size)


def test_cells_end_where_the_streets_end(visit: MapVisit, study: Study) -> None:
    west, south, east, north = study.bounds
    top = north - (north - south) / 4
    visit.page.locator("#layer-demand").set_checked(True)
    centres = [cell.centre for cell in study.cells if sum(v or 0 for v in cell.rest_min_by_hour) > 0]
    inside = [at for at in centres if at[1] < top - 0.0008 and west < at[0] < east and at[1] > south]
    outside = [at for at in centres if at[1] > top + 0.0003]
    assert inside
    assert outside
    assert all(_pixel(visit, "demand0", at)[3] > 0 for at in inside[:40])
    assert all(_pixel(visit, "demand0", at)[3] == 0 for at in outside[:40])


def test_streets_lie_above_the_cells(visit: MapVisit, study: Study) -> None:
    """No hexagon buries the map: with the darkest cells on, the streets are painted over them."""
    panes = visit.page.evaluate(
        "['base', 'demand0', 'streets', 'names'].map(n => +yilu.map.getPane(n).style.zIndex)"
    )
    assert panes == sorted(set(panes))
    assert _pixel(visit, "streets", CENTRE)[3] == 0 or ink(visit, "streets") > 1000


def test_what_lies_outside_is_told_apart(visit: MapVisit, study: Study) -> None:
    west, south, east, north = study.bounds
    inside = _pixel(visit, "base", (west + (east - west) * 0.27, south + (north - south) * 0.27))
    beyond = [_pixel(visit, "base", (east + 0.001 * k, south + 0.0011 * k)) for k in range(1, 6)]
    assert any(pixel != inside and pixel[3] == 255 for pixel in beyond)
    # the street that leaves the map has its arrow there
    assert any(_pixel(visit, "streets", (east + 0.00003 * k, CENTRE[1]))[3] > 0 for k in range(4, 20))


def test_the_first_look_says_where_why_and_when(visit: MapVisit, study: Study) -> None:
    first = visit.page.locator(".stations li").first
    site = next(site for site in study.sites if not site.existing)
    text = first.inner_text()
    assert site.name in text
    assert "serves" in text
    assert ":00" in text or "24 hours" in text
    assert first.locator("svg.strip rect").count() >= 24
    assert first.locator(".badge").inner_text() == "1"
    assert visit.page.locator(".leaflet-marker-pane .badge.round").first.is_visible()


def test_before_and_after_change_coverage_stations_and_grids(visit: MapVisit, study: Study) -> None:
    visit.page.locator("#layer-grids").set_checked(True)
    seen = {}
    for mode in ("today", "plan", "change"):
        visit.page.locator(f"#mode-{mode}").check()
        seen[mode] = (
            ink(visit, "coverage0"),
            visit.page.locator(".leaflet-marker-pane .badge.round").count(),
            visit.page.locator("#mode-said").inner_text(),
            visit.page.locator("#legend-grids").inner_text(),
        )
    assert seen["today"][0] != seen["plan"][0]
    assert seen["today"][1] == 0
    assert seen["plan"][1] == sum(not site.existing for site in study.sites)
    assert "21.4%" in seen["today"][2]
    assert "71.3%" in seen["plan"][2]
    assert seen["change"][3] != seen["plan"][3]
    # at night no station of today is open, so that nothing is covered
    visit.page.locator("#mode-today").check()
    visit.page.locator("#hour").fill("4")
    assert ink(visit, "coverage0") < seen["today"][0]
    visit.page.locator("#hour").fill("0")
    visit.page.locator("#mode-plan").check()
    visit.page.locator("#layer-grids").set_checked(False)


def test_codes_of_grids_stand_only_where_they_fit(visit: MapVisit) -> None:
    """A city of hexagons had 1,442 codes on top of each other."""
    visit.page.locator("#layer-grids").set_checked(True)
    visit.page.locator("#whole").click()
    visit.page.evaluate("yilu.map.setZoom(11, { animate: false })")
    assert visit.page.evaluate("yilu.app.written") == 0
    visit.page.evaluate("yilu.map.setZoom(16, { animate: false })")
    assert visit.page.evaluate("yilu.app.written") > 0
    visit.page.locator("#whole").click()
    visit.page.locator("#layer-grids").set_checked(False)


def test_a_found_grid_is_highlighted(visit: MapVisit) -> None:
    visit.page.locator("#search").fill("110108001000005")
    visit.page.keyboard.press("Enter")
    assert visit.page.locator("path.marked").count() >= 1
    visit.page.locator(".leaflet-popup-close-button").click()
    assert visit.page.locator("path.marked").count() == 0
    visit.page.locator("#search").fill("")
    visit.page.locator("#layer-grids").set_checked(False)


@pytest.mark.parametrize(
    ("typed", "found", "kind"),
    [
        ("pohjois", "Pohjoisesplanadi", "street"),
        ("kapyla", "KÄPYLÄ", "street"),  # leaflet-search #292: neither case nor accents may matter
        ("cafe", "Café Ekberg", "place"),
        ("BAKERY", "Café Ekberg", "place"),
    ],
)
def test_search_finds_streets_and_places(visit: MapVisit, typed: str, found: str, kind: str) -> None:
    visit.page.locator("#search").fill(typed)
    assert visit.page.locator("#found button span").first.inner_text() == found
    assert visit.page.locator("#found button small").first.inner_text() == kind
    assert visit.page.locator("#found-told").inner_text().startswith("1 ")
    visit.page.keyboard.press("Enter")
    assert visit.page.locator(".card h2").inner_text() == found
    lonlat = next(one.lonlat for one in NAMES if one.name.startswith(found))
    centre = visit.page.evaluate("[yilu.map.getCenter().lng, yilu.map.getCenter().lat]")
    assert abs(centre[0] - lonlat[0]) < 0.01
    visit.page.locator("#search").fill("")
    visit.page.keyboard.press("Escape")


def test_an_address_opens_the_same_view(
    browser: "Browser", visit: MapVisit, page: str, tmp_path: Path
) -> None:
    visit.page.locator("#layer-hotspots").set_checked(True)
    visit.page.locator("#layer-demand").set_checked(False)
    visit.page.locator("#mode-change").check()
    visit.page.locator("#hour").fill("14")
    visit.page.evaluate("yilu.map.setView([39.98212, 116.33321], 15.37, { animate: false })")
    # The address follows when the map has come to rest, however busy the machine is.
    from playwright.sync_api import expect

    expect(visit.page).to_have_url(re.compile(re.escape("map=15.37/39.98212/116.33321")))
    address = visit.page.url
    other = MapVisit(browser, page, tmp_path, 1400, 900)
    other.page.goto(other.file.as_uri() + "#" + address.partition("#")[2])
    other.page.reload()
    other.page.wait_for_selector("html[data-ready=yes]")
    seen = other.page.evaluate(
        "[yilu.map.getZoom().toFixed(2), yilu.map.getCenter().lat.toFixed(4), yilu.app.mode, yilu.app.hour]"
    )
    assert seen == ["15.37", "39.9821", "change", 13]
    assert other.page.locator("#layer-hotspots").is_checked()
    assert not other.page.locator("#layer-demand").is_checked()
    # an ending typed by hand: what makes no sense is left out, the rest holds, nothing breaks
    for wrong in (
        "#map=NaN/1/2",
        "#map=99/95/400&layers=nowhere",
        "#%E0%A4%A",
        "#map=14/39.99/116.33&layers=__proto__,grids",
    ):
        other.page.evaluate("hash => { location.hash = hash; }", wrong)
        other.page.wait_for_timeout(30)
    assert other.page.evaluate("yilu.map.getZoom()") == 14
    assert other.page.locator("#layer-grids").is_checked()
    other.close()
    visit.page.locator("#hour").fill("0")
    visit.page.locator("#mode-plan").check()
    visit.page.locator("#layer-demand").set_checked(True)
    visit.page.locator("#layer-hotspots").set_checked(False)


def test_the_address_is_not_written_at_every_step(visit: MapVisit) -> None:
    """Safari stops a page that replaces its address more than a hundred times in half a minute."""
    writes = visit.page.evaluate(
        """async () => { let n = 0; const was = history.replaceState;
             history.replaceState = function () { n++; return was.apply(history, arguments); };
             // an odd number of steps: the view ends elsewhere than it began, so there is something to write
             for (let i = 0; i < 121; i++) yilu.map.panBy([i % 2 ? 30 : -30, 0], { animate: false });
             const pause = ms => new Promise(done => setTimeout(done, ms));
             for (let i = 0; i < 50 && n === 0; i++) await pause(100);
             await pause(400); history.replaceState = was; return n; }"""
    )
    assert 1 <= writes <= 4


def test_distances_are_measured_by_mouse_and_by_keys(visit: MapVisit) -> None:
    visit.page.locator("#whole").click()
    visit.page.locator("#measure").click()
    box = visit.page.locator("#map_map").bounding_box()
    assert box is not None
    visit.page.mouse.click(box["x"] + 200, box["y"] + 300)
    # leaflet-ruler #1, #15: a double click counted its place twice, and the map zoomed away under the line
    zoom = visit.page.evaluate("yilu.map.getZoom()")
    visit.page.mouse.dblclick(box["x"] + 500, box["y"] + 300)
    visit.page.wait_for_timeout(400)
    assert visit.page.evaluate("yilu.map.getZoom()") == zoom
    expected = visit.page.evaluate(
        """() => { const at = x => yilu.map.containerPointToLatLng([x, 300]);
             return yilu.map.distance(at(200), at(500)); }"""
    )
    assert visit.page.evaluate("yilu.app.measuredM") == pytest.approx(expected, rel=0.01)
    assert "Distance" in visit.page.locator("#measured").inner_text()
    assert visit.page.locator(".card").count() == 0
    visit.page.locator("#map_map").focus()
    visit.page.keyboard.press("Backspace")
    visit.page.keyboard.press("Enter")
    assert visit.page.evaluate("yilu.app.measuredM") > 0
    visit.page.keyboard.press("Escape")
    assert not visit.page.locator("#measured").is_visible()
    assert visit.page.locator("#measure").get_attribute("aria-pressed") == "false"


def test_no_seam_at_zooms_between_whole_numbers(visit: MapVisit) -> None:
    """Leaflet #3575: tiles that are scaled leave hairlines; a layer is one canvas."""
    visit.page.evaluate("yilu.map.setView([39.985, 116.33], 14.43, { animate: false })")
    assert visit.page.locator(".leaflet-demand0-pane canvas").count() == 1
    assert visit.page.locator(".leaflet-tile").count() == 0


def test_readers_of_the_screen_find_everything_named(visit: MapVisit) -> None:
    from axe_playwright_python.sync_playwright import Axe

    visit.page.locator("#whole").click()
    visit.page.locator(".leaflet-marker-pane [role=button]").first.focus()
    visit.page.keyboard.press("Enter")
    visit.page.locator(".card").wait_for()
    results = Axe().run(visit.page)
    faults = [
        f"{one['id']}: {one['help']}: {[node['html'][:120] for node in one['nodes']][:3]}"
        for one in results.response["violations"]
        if one["impact"] in SERIOUS
    ]
    faults += [one["id"] for one in results.response["violations"] if one["id"].startswith("landmark")]
    assert faults == []
    visit.page.keyboard.press("Escape")


def _colours(pdf: Path, folder: Path) -> tuple[int, int]:
    """Return how many different colours, and how many pixels that are not white, the first page has."""
    subprocess.run(["pdftoppm", "-r", "40", "-singlefile", str(pdf), str(folder / "p")], check=True)
    raw = (folder / "p.ppm").read_bytes().split(b"\n", 3)[3]
    pixels = np.frombuffer(raw, np.uint8).reshape(-1, 3)
    return len(np.unique(pixels // 16, axis=0)), int((pixels < 250).any(axis=1).sum())


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="poppler is not installed")
@pytest.mark.parametrize(("paper", "points"), [("a4", (841, 595)), ("a3", (1190, 841))])
def test_paper_has_streets_cells_title_legend_scale_and_date(
    visit: MapVisit, tmp_path: Path, paper: str, points: tuple[int, int]
) -> None:
    """Others' maps print as pins on white: what is drawn later than asked for is not on paper."""
    visit.page.locator("#whole").click()
    visit.page.locator("#paper").select_option(paper)
    visit.page.pdf(path=str(tmp_path / "map.pdf"), prefer_css_page_size=True, print_background=True)
    told = subprocess.run(
        ["pdftotext", "-layout", str(tmp_path / "map.pdf"), "-"], check=True, capture_output=True, text=True
    ).stdout
    info = subprocess.run(
        ["pdfinfo", str(tmp_path / "map.pdf")], check=True, capture_output=True, text=True
    ).stdout
    assert "Pages:           1" in info
    size = next(line for line in info.splitlines() if line.startswith("Page size"))
    assert [abs(float(size.split()[2 + 2 * k]) - points[k]) < 3 for k in (0, 1)] == [True, True]
    title = visit.page.locator("h1").inner_text().split()[0]
    for word in (title, "Rest demand", "Coverage", "Printed on", "N", " m", "OpenStreetMap"):
        assert word in told, word
    colours, painted = _colours(tmp_path / "map.pdf", tmp_path)
    assert colours > 40
    assert painted > 0.5 * points[0] * points[1] * (40 / 72) ** 2 * 0.6
    # no half station at the foot: those without room are counted
    cut = visit.page.evaluate("""() => {
      dispatchEvent(new Event('beforeprint'));
      const foot = document.querySelector('.panel').getBoundingClientRect().bottom + 0.5;
      const rows = [...document.querySelectorAll('.stations li')].filter(one => one.offsetHeight);
      const found = [rows.filter(one => one.getBoundingClientRect().bottom > foot).length, rows.length];
      dispatchEvent(new Event('afterprint'));
      return found;
    }""")
    assert cut[0] == 0
    assert cut[1] >= 2
    # afterwards the screen is as it was
    assert visit.page.locator(".stations .unprinted, .stations .more").count() == 0
    assert visit.page.evaluate("!document.body.classList.contains('printing')")
    assert visit.page.locator("canvas.flat").count() == 0


@pytest.mark.parametrize(("width", "height"), [(320, 240), (844, 390), (200, 700)])
def test_small_windows_are_fitted_too(
    browser: "Browser", page: str, tmp_path: Path, width: int, height: int
) -> None:
    """mapbox-gl #8732: where the margins took more than the window, the zoom was no number."""
    small = MapVisit(browser, page, tmp_path, width, height)
    assert small.page.evaluate("isFinite(yilu.map.getZoom()) && isFinite(yilu.map.getCenter().lat)")
    assert small.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    small.close()


@pytest.mark.parametrize("hidden", [True, False])
def test_a_map_in_a_frame(browser: "Browser", page: str, tmp_path: Path, hidden: bool) -> None:
    """Notebooks show a page in a frame: hidden first (Leaflet #926), its address fixed (mapbox-gl #7410)."""
    context = browser.new_context(viewport={"width": 1000, "height": 700}, offline=True)
    outer = context.new_page()
    faults: list[str] = []
    outer.on("pageerror", lambda error: faults.append(str(error)))
    (tmp_path / "outer.html").write_text(
        f'<iframe id="f" style="width:900px;height:600px{";display:none" if hidden else ""}"></iframe>',
        "utf-8",
    )
    outer.goto((tmp_path / "outer.html").as_uri())
    outer.evaluate("text => { document.getElementById('f').srcdoc = text; }", page)
    if hidden:
        outer.wait_for_timeout(700)
        outer.evaluate("document.getElementById('f').style.display = ''")
    frame = outer.frame_locator("#f")
    frame.locator("html[data-ready=yes]").wait_for(timeout=30_000)
    outer.wait_for_timeout(500)
    inner = outer.frames[1]
    zoom, seen = inner.evaluate(
        "[yilu.map.getZoom(), yilu.map.getBounds().contains([yilu.data.view[1], yilu.data.view[0]])]"
    )
    assert 8 < zoom < 19
    assert seen
    inner.evaluate("yilu.map.panBy([40, 0], { animate: false })")
    outer.wait_for_timeout(300)
    assert faults == []
    context.close()


def _busy(study: Study) -> Study:
    """Make every cell hold the rests of 16,000 stays: of two million points and more."""
    hours = tuple(16_000.0 * 20 / 24 for _ in range(24))
    cells = tuple(
        dataclasses.replace(cell, riders=16_000, rest_min_by_hour=hours, due_break_min_by_hour=hours)
        for cell in study.cells
    )
    return dataclasses.replace(study, cells=cells)


def test_crowded_cells_never_freeze_the_page(browser: "Browser", tmp_path: Path) -> None:
    """50,000 cells of 16,000 stays each: no step works on all of them again and again.

    The bound is on work of the page's own thread, several times what a step takes on a slow machine and a
    small part of what a step takes that goes over all cells for each of them.
    """
    study = _busy(big_study())
    text = study_map(study, lattice_backdrop(study), "en")
    assert len(text.encode()) < 14_000_000  # every hour of every cell published, in two layers
    city = MapVisit(browser, text, tmp_path)
    watch = city.context.new_cdp_session(city.page)
    watch.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics: list[dict[str, Any]] = watch.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))

    for step in (
        "yilu.map.panBy([200, 0], { animate: false })",
        "yilu.map.setZoom(13, { animate: false })",
        "yilu.app.setHour(14)",
        "yilu.app.setMode('change')",
        "yilu.toggle('grids', true)",
    ):
        before = spent()
        city.page.evaluate(f"{step}; 0")
        city.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert spent() - before < 4.0, step
    city.close()
