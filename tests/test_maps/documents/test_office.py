"""LibreOffice opens the documents: pages as expected, Chinese text inside."""

import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from study_sample import sample_study

from maps.documents.write import write_docx, write_xlsx
from maps.page.basemap import Backdrop, BackdropLayer
from siting.results import Study

SOFFICE = shutil.which("soffice")
PDFTOTEXT = shutil.which("pdftotext")
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


def test_whole_report_has_the_expected_pages(study: Study, backdrop: Backdrop, tmp_path: Path) -> None:
    write_docx(study, backdrop, "zh", tmp_path / "r.docx")
    pages = _pages(tmp_path / "r.docx")
    assert 7 <= len(pages) <= 14
    text = re.sub(r"\s", "", "".join(pages))
    for heading in (
        "一、目的",
        "二、数据与时段",
        "三、方法",
        "四、主要结论",
        "五、覆盖、费用与公平的取舍",
        "十一、使用说明与局限",
    ):
        assert heading in text
    assert all(page.strip() for page in pages)


def test_workbook_opens(study: Study, backdrop: Backdrop, tmp_path: Path) -> None:
    write_xlsx(study, backdrop, "zh", tmp_path / "r.xlsx")
    text = "".join(_pages(tmp_path / "r.xlsx"))
    assert study.grids[0].code in text
    assert "Err:" not in text
    assert "#NAME?" not in text
