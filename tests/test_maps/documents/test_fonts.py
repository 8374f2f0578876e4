"""Pictures in Chinese: fonts that came after matplotlib's list are found; without one words are English."""

import dataclasses
import logging
from pathlib import Path
from typing import Any

import matplotlib.font_manager
import pytest
from study_sample import sample_study

from maps.documents import fonts
from maps.documents.charts import coverage_picture, station_hours_picture
from maps.documents.fonts import PACKAGE, font_for, picture_wording


class _Listed:
    """matplotlib's list of fonts as it was before any Chinese font came."""

    def __init__(self) -> None:
        true = matplotlib.font_manager.fontManager
        self.ttflist = [e for e in true.ttflist if e.name not in fonts._CJK and "CJK" not in e.name]
        self.added: list[str] = []

    def addfont(self, path: str) -> None:
        self.added.append(path)
        found = [e for e in matplotlib.font_manager.fontManager.ttflist if e.fname == path]
        self.ttflist += found


@pytest.fixture
def stale(monkeypatch: pytest.MonkeyPatch) -> _Listed:
    fonts._chinese_font()  # so that matplotlib's own list knows what is installed
    listed = _Listed()
    monkeypatch.setattr(fonts, "fontManager", listed)
    monkeypatch.setattr(fonts, "_warned", False)
    return listed


def _chinese_here() -> bool:
    return fonts._chinese_font() is not None


def test_a_font_that_was_installed_later_is_found(stale: _Listed) -> None:
    if not any(e.name in fonts._CJK for e in matplotlib.font_manager.fontManager.ttflist):
        pytest.skip("no Chinese font is installed")
    assert not any(e.name in fonts._CJK for e in stale.ttflist)
    assert _chinese_here()
    assert stale.added
    assert picture_wording("zh", 10).catalogue.lang == "zh"


def test_a_font_that_is_gone_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    entries = [
        dataclasses.replace(e, fname=str(tmp_path / "gone.ttc")) if e.name in fonts._CJK else e
        for e in matplotlib.font_manager.fontManager.ttflist
    ]
    listed = _Listed()
    listed.ttflist = entries
    monkeypatch.setattr(fonts, "fontManager", listed)
    monkeypatch.setattr(fonts, "findSystemFonts", list)
    assert not _chinese_here()


def test_without_a_chinese_font_words_are_english_and_it_is_said_once(
    stale: _Listed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No empty boxes: matplotlib warns of a missing glyph, and warnings are errors here."""
    monkeypatch.setattr(fonts, "findSystemFonts", list)
    seen: list[Any] = []
    study = sample_study()
    with caplog.at_level(logging.WARNING, "yilu.fonts"):
        for picture in (coverage_picture(study, "zh"), station_hours_picture(study, "zh", "S01")):
            seen.append(picture)
            assert picture[:4] == b"\x89PNG"
    assert picture_wording("zh", 10).catalogue.lang == "en"
    assert font_for(7).get_family() == ["DejaVu Sans"]
    (record,) = caplog.records
    assert PACKAGE in record.getMessage()
    assert seen[0] == coverage_picture(study, "en")
