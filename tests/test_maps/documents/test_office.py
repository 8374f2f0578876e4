"""LibreOffice opens the documents: pages as expected, Chinese text inside."""

import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from study_sample import sample_study

from maps.documents.write import write_docx, write_xlsx
from maps.page.basemap import Backdrop, BackdropLayer
from siting.results import Study

SOFFICE = shutil.which("soffice")
PDFTOTEXT = shutil.which("pdftotext")
PDFTOPPM = shutil.which("pdftoppm")
pytestmark = [
    pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed"),
    pytest.mark.skipif(PDFTOTEXT is None, reason="poppler-utils is not installed"),
]


def _pages(path: Path) -> list[str]:
    """Text of each page of the PDF that LibreOffice makes of a document."""
    assert SOFFICE is not None
    assert PDFTOTEXT is not None
    profile = f"-env:UserInstallation={(path.parent / 'profile').as_uri()}"
    subprocess.run(
        [SOFFICE, profile, "--headless", "--convert-to", "pdf", "--outdir", str(path.parent), str(path)],
        check=True, capture_output=True, timeout=240,
    )  # fmt: skip
    pdf = path.with_suffix(".pdf")
    text = subprocess.run([PDFTOTEXT, "-layout", str(pdf), "-"], check=True, capture_output=True).stdout
    return text.decode("utf-8").rstrip("\f").split("\f")


@pytest.fixture(scope="module")
def study() -> Study:
    return sample_study()


@pytest.fixture(scope="module")
def backdrop(study: Study) -> Backdrop:
    west, south, east, north = study.bounds
    line = np.array([[west, south], [east, north]])
    layer = BackdropLayer("major", False, 3, 19, np.array([0, 2]), line, np.zeros(1, np.int32))
    return Backdrop(study.bounds, (layer,))


def test_grid_report_has_two_pages(study: Study, backdrop: Backdrop, tmp_path: Path) -> None:
    """Two pages for the fullest grid of the study, with all its stations and pick-up points."""
    fullest = max(study.grids, key=lambda grid: len(grid.site_ids) + len(grid.pickup_ids))
    ids = tuple(site.site_id for site in study.sites)[:3] + tuple(s.site_id for s in study.sites)[-3:]
    full = dataclasses.replace(fullest, site_ids=ids, pickup_ids=("P01", "P02"))
    grids = tuple(full if grid.code == full.code else grid for grid in study.grids)
    write_docx(dataclasses.replace(study, grids=grids), backdrop, "zh", tmp_path / "g.docx", full.code)
    pages = _pages(tmp_path / "g.docx")
    assert len(pages) == 2
    assert full.code in pages[0]
    assert "骑手驿站布局建议" in re.sub(r"\s", "", pages[0])
    for number, page in enumerate(pages, start=1):
        assert f"—{number}—" in re.sub(r"\s", "", page)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_few_lines_of_a_grid_report_stand_alone(
    study: Study, backdrop: Backdrop, tmp_path: Path, lang: str
) -> None:
    """Three lines had a page of their own: the map gives way, or leaves more to the second page."""
    path = tmp_path / "g.docx"
    write_docx(study, backdrop, lang, path, study.grids[3].code)
    last = _pages(path)[1:]
    assert all(len([line for line in page.splitlines() if line.strip()]) > 8 for page in last)


@pytest.fixture(scope="module")
def whole(
    study: Study, backdrop: Backdrop, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str]]:
    """The whole report in Chinese as PDF, and the text of its pages."""
    path = tmp_path_factory.mktemp("whole") / "r.docx"
    write_docx(study, backdrop, "zh", path)
    return path.with_suffix(".pdf"), _pages(path)


def test_pages_come_in_the_order_in_which_an_office_decides(
    study: Study, whole: tuple[Path, list[str]]
) -> None:
    """Conclusion, contents with the right pages, one page a station, the rest; annexes last."""
    pages = [re.sub(r"\s", "", page) for page in whole[1]]
    assert "一、结论" in pages[0]
    assert "请有关单位办理" in pages[0]
    assert "目录" in pages[1]
    assert "站点分布图" in pages[2]
    stations = sorted(study.sites, key=lambda site: (site.existing, site.site_id))
    for number, site in enumerate(stations, start=3):
        assert f"）{site.site_id}" in pages[number]
        assert "现场照片" in pages[number]
        assert "打开地图" in pages[number]
    assert "三、现有站点" in pages[3 + len(stations)]
    contents = dict(re.findall(r"([一二三四五六]、[^.—]+?)\.+(\d+)", pages[1]))
    for heading in ("一、结论", "二、一站一表", "三、现有站点", "六、单元网格"):
        assert heading in pages[int(contents[heading]) - 1]
    assert 21 <= len(pages) <= 33


def test_no_number_is_split_in_a_table(study: Study, whole: tuple[Path, list[str]]) -> None:
    """No "448,32/7": large figures stand in one piece on some page."""
    text = "".join(whole[1])
    for account in study.accounts:
        assert f"{account.read:,}" in text
        assert f"{account.accepted:,}" in text
    for point in study.pickups:
        assert point.pickup_id in text


def test_no_page_is_half_empty(whole: tuple[Path, list[str]], tmp_path: Path) -> None:
    """But the last one of the sheets' part, and the last page: ink reaches the lower half of all others."""
    assert PDFTOPPM is not None
    subprocess.run([PDFTOPPM, "-r", "20", "-gray", str(whole[0]), str(tmp_path / "p")], check=True)
    for number, path in enumerate(sorted(tmp_path.glob("p-*.pgm"))[:-1], start=1):
        page = imread(path)
        ink = np.nonzero((page < 200).any(axis=1))[0]
        body = ink[ink < 0.86 * page.shape[0]]  # without the number of the page
        assert body.max() > 0.5 * page.shape[0], number


def test_workbook_opens(study: Study, backdrop: Backdrop, tmp_path: Path) -> None:
    write_xlsx(study, backdrop, "zh", tmp_path / "r.xlsx")
    pages = _pages(tmp_path / "r.xlsx")
    assert len(pages) <= 19  # a sheet a page, the annexes four
    text = "".join(pages)
    assert study.grids[0].code in text
    assert "Err:" not in text
    assert "#NAME?" not in text
