"""Two plans as table, map and report: the files as they are handed on."""

import csv
import dataclasses
import hashlib
import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docx
import openpyxl
import pytest
from map_visits import CHROMIUM, MapVisit, ink, lattice_backdrop
from study_sample import FORMULA, HOSTILE, sample_study

from maps.compare import compare_map
from maps.documents import COMPARISON_FILES, write_comparison
from maps.texts.wording import Wording
from siting.comparison import Comparison, compare_studies
from siting.results import Study

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("Plan A", f"Plan B {HOSTILE}")
Pair = tuple[Study, Study]


@pytest.fixture(scope="module")
def plans() -> Pair:
    first = sample_study()
    sites = tuple(
        dataclasses.replace(site, lonlat=(site.lonlat[0] + 0.002, site.lonlat[1]), name="Moved")
        if site.site_id == "S04"
        else site
        for site in first.sites
    )
    grids = tuple(
        dataclasses.replace(grid, served_share=None if place == 0 else min(1.0, 0.1 * place))
        for place, grid in enumerate(first.grids)
    )
    return first, dataclasses.replace(first, sites=sites, grids=grids, k=20)


@pytest.fixture(scope="module")
def compared(plans: Pair) -> Comparison:
    return compare_studies(*plans)


def _hashes(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in COMPARISON_FILES}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_same_plans_give_the_same_bytes(
    plans: Pair, compared: Comparison, lang: str, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_comparison(plans, NAMES, compared, lang, tmp_path / name)
    assert _hashes(tmp_path / "a") == _hashes(tmp_path / "b")
    backdrop = lattice_backdrop(plans[0])
    one, other = (compare_map(plans, NAMES, compared, backdrop, lang) for _ in range(2))
    assert one == other


def test_workbook_and_csv_hold_the_grids_as_numbers(
    plans: Pair, compared: Comparison, tmp_path: Path
) -> None:
    write_comparison(plans, NAMES, compared, "en", tmp_path)
    say = Wording.of("en", 20)
    book = openpyxl.load_workbook(tmp_path / "compare.xlsx")
    names = ("decision", "compare_stations", "compare_grids")
    assert book.sheetnames == [say.text(f"table.{name}") for name in names]
    front = [cell.value for row in book.worksheets[0].iter_rows() for cell in row]
    assert compared.figure("served_training").second in front  # a number, below what it means in a sentence
    assert sum(isinstance(value, str) and value.startswith("Unit grids:") for value in front) == 1
    rows = list(book[book.sheetnames[2]].iter_rows(min_row=2, values_only=True))
    gains = [row[5] for row in rows if isinstance(row[5], float)]
    assert gains == pytest.approx([grid.points for grid in compared.grids if grid.points is not None])
    # the gate of the stricter of two studies is told
    assert any("<20 riders" in str(row[4]) for row in rows)
    lines = list(csv.reader(io.StringIO((tmp_path / "compare-grids.csv").read_text("utf-8-sig"))))
    assert [row[0] for row in lines[1:]] == [grid.code for grid in compared.grids]
    withheld = next(row for row in lines[1:] if row[0] == plans[0].grids[0].code)
    assert withheld[4:6] == ["", ""]


@pytest.mark.parametrize(("lang", "words"), [("zh", "受益"), ("en", "gain")])
def test_report_says_what_moves_and_who_gains(
    plans: Pair, compared: Comparison, lang: str, words: str, tmp_path: Path
) -> None:
    write_comparison(plans, NAMES, compared, lang, tmp_path)
    document = docx.Document(str(tmp_path / "compare.docx"))
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    assert words in text
    assert HOSTILE in text  # as text
    page = (tmp_path / "compare.html").read_text("utf-8")
    assert HOSTILE not in page
    assert FORMULA not in "".join(re.findall(r"<script.*?</script>", page, re.DOTALL))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    assert any("Moved" in cell for cell in cells)
    say = Wording.of(lang, 20)
    assert say.text("compare_change.moved") in cells


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_map_is_swiped_between_two_plans(
    browser: "Browser", plans: Pair, compared: Comparison, tmp_path: Path
) -> None:
    page = compare_map(plans, NAMES, compared, lattice_backdrop(plans[0]), "en")
    visit = MapVisit(browser, page, tmp_path, 1400, 900)

    def clips() -> Any:  # noqa: ANN401
        return visit.page.evaluate(
            """() => ['coverage-left0', 'coverage-right0', 'marks-left', 'marks-right'].map(n =>
                 yilu.map.getPane(n).style.clip.match(/-?[\\d.]+/g).map(Number))"""
        )

    assert ink(visit, "coverage-left0") > 0
    assert ink(visit, "grids0") > 100
    left, right, marks_left, marks_right = clips()
    assert left[1] == pytest.approx(right[3])  # one ends where the other begins
    assert left == marks_left
    assert right == marks_right
    before = left[1]
    visit.page.locator("#swipe").focus()
    for _ in range(10):
        visit.page.keyboard.press("ArrowRight")
    assert clips()[0][1] > before + 50
    # leaflet-side-by-side #4, #9: what is drawn on panes follows the line when the map moves, too
    visit.page.evaluate("yilu.map.panBy([150, 0], { animate: false })")
    moved = clips()
    assert moved[0][1] == pytest.approx(moved[1][3])
    x = visit.page.evaluate("yilu.map.containerPointToLayerPoint([yilu.map.getSize().x * yilu.app.at, 0]).x")
    assert moved[0][1] == pytest.approx(x, abs=1)
    assert visit.page.locator(".side-name.left").inner_text() == NAMES[0]
    assert visit.page.locator(".side-name.right").inner_text() == NAMES[1]
    visit.shot("compare")
    from axe_playwright_python.sync_playwright import Axe

    faults = [one["id"] for one in Axe().run(visit.page).response["violations"]
              if one["impact"] in ("serious", "critical")]  # fmt: skip
    assert faults == []
    visit.close()


def test_map_of_two_plans_points_nowhere_else(plans: Pair, compared: Comparison) -> None:
    page = compare_map(plans, NAMES, compared, lattice_backdrop(plans[0]), "zh")
    assert HOSTILE not in page
    block = re.search(r'<script type="application/json" id="yilu-data">(.*?)</script>', page, re.DOTALL)
    assert block
    data = json.loads(block.group(1))
    assert data["layers"][0]["id"] == "grids"
    assert {layer.get("side") for layer in data["layers"]} == {None, "left", "right"}
    # a withheld grid carries no figure
    hidden = next(
        item for item in data["layers"][0]["parts"][0]["items"] if item["id"] == plans[0].grids[0].code
    )
    assert "少于20" in json.dumps(hidden["r"], ensure_ascii=False)
