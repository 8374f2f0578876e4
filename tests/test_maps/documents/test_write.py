"""Documents read back say what the study says, and nothing in a name can harm whoever opens them."""

import base64
import csv
import dataclasses
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import docx
import numpy as np
import openpyxl
import pytest
from docx.oxml.ns import qn
from study_sample import FORMULA, HOSTILE, sample_study

from geo.errors import InputError
from maps.documents.sheets import plain
from maps.documents.write import report_pictures, write_csv, write_docx, write_html, write_xlsx
from maps.documents.zips import settle_zip
from maps.page.basemap import Backdrop, BackdropLayer
from maps.texts.wording import Wording
from siting.report.report import study_report, study_tables
from siting.results import Study

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def study() -> Study:
    return sample_study()


@pytest.fixture(scope="module")
def backdrop(study: Study) -> Backdrop:
    west, south, east, north = study.bounds
    line = np.array([[west, south], [east, north]])
    layer = BackdropLayer("major", False, 3, 19, np.array([0, 2]), line, np.zeros(1, np.int32))
    return Backdrop(study.bounds, (layer,))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of one grey pixel: what is drawn is tested elsewhere, drawing takes most of the time."""
    pixel = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
    )
    for name in ("map_picture", "hours_picture", "coverage_picture", "budget_picture", "front_picture"):
        monkeypatch.setattr(f"maps.documents.write.{name}", lambda *args, **kwargs: pixel)


def _story(study: Study, lang: str) -> str:
    """The whole report as plain text, one line a sentence or row."""
    say = Wording.of(lang, study.k)
    report = study_report(study)
    lines = [say.say(report.title), say.say(report.subtitle)]
    for section in report.sections:
        lines += ["", f"## {say.text(f'section.{section.key}')}"]
        lines += [say.say(said) for said in section.paragraphs]
        for table in section.tables:
            lines += ["", f"[{say.text(f'caption.{table.key}')}]"]
            lines.append(" | ".join(say.heading(column) for column in table.columns))
            for row in table.rows:
                lines.append(
                    " | ".join(say.cell(v, column) for v, column in zip(row, table.columns, strict=True))
                )
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_report_says_what_it_said_before(study: Study, lang: str) -> None:
    """Golden texts: read the difference, and if it is meant, write the new text over the file."""
    assert _story(study, lang) == (GOLDEN / f"report_{lang}.txt").read_text(encoding="utf-8")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_word_document_holds_every_sentence_and_row(
    study: Study, backdrop: Backdrop, lang: str, tmp_path: Path
) -> None:
    write_docx(study, backdrop, lang, tmp_path / "r.docx")
    document = docx.Document(str(tmp_path / "r.docx"))
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    say = Wording.of(lang, study.k)
    report = study_report(study)
    tables = [table for section in report.sections for table in section.tables if table.rows]
    for section in report.sections:
        for said in section.paragraphs:
            assert say.say(said) in text
    assert len(document.tables) == len(tables)
    for made, table in zip(document.tables, tables, strict=True):
        assert len(made.rows) == len(table.rows) + 1
        first = [say.cell(v, c) for v, c in zip(table.rows[0], table.columns, strict=True)]
        assert [cell.text for cell in made.rows[1].cells] == first
        assert made.rows[0]._tr.find(f".//{qn('w:tblHeader')}") is not None
    assert len(document.inline_shapes) == 5
    assert "None" not in text
    assert HOSTILE in "".join(cell.text for table in document.tables for cell in table._cells)


@pytest.mark.usefixtures("quick")
def test_chinese_document_names_chinese_faces_and_page_numbers(
    study: Study, backdrop: Backdrop, tmp_path: Path
) -> None:
    write_docx(study, backdrop, "zh", tmp_path / "r.docx")
    with zipfile.ZipFile(tmp_path / "r.docx") as parts:
        body = parts.read("word/document.xml").decode()
        styles = parts.read("word/styles.xml").decode()
        foot = "".join(parts.read(n).decode() for n in parts.namelist() if "footer" in n)
    faces = set(re.findall(r'w:eastAsia="([^"]+)"', body))
    assert faces == {"仿宋", "黑体", "宋体", "楷体"}
    runs = docx.Document(str(tmp_path / "r.docx")).element.body.iter(qn("w:r"))
    chinese = [
        run for run in runs if re.search(r"[一-鿿]", "".join(t.text or "" for t in run.iter(qn("w:t"))))
    ]
    assert chinese
    assert all(run.find(f".//{qn('w:rFonts')}").get(qn("w:eastAsia")) for run in chinese)
    assert 'w:eastAsia="zh-CN"' in styles
    assert " PAGE " in foot
    assert "— " in foot


def test_english_document_has_no_chinese_but_names(study: Study, tmp_path: Path) -> None:
    said = _story(study, "en")
    names = {
        study.title,
        study.city,
        *(site.name for site in study.sites),
        *(p.compound for p in study.pickups),
    }
    names |= {grid.name for grid in study.grids} | {refusal.name for refusal in study.refusals}
    for name in sorted(names, key=len, reverse=True):
        said = said.replace(name, "")
    assert re.findall(r"[一-鿿]+", said) == []
    assert "None" not in said


@pytest.mark.usefixtures("quick")
def test_grid_document_is_about_its_grid(study: Study, backdrop: Backdrop, tmp_path: Path) -> None:
    grid = study.grids[1]
    write_docx(study, backdrop, "zh", tmp_path / "g.docx", grid.code)
    document = docx.Document(str(tmp_path / "g.docx"))
    cells = [cell.text for table in document.tables for cell in table._cells]
    assert grid.code in cells
    for site in study.sites:
        assert (site.site_id in cells) == (site.site_id in grid.site_ids)
    with pytest.raises(InputError, match="no unit grid"):
        write_docx(study, backdrop, "zh", tmp_path / "x.docx", "nowhere")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_workbook_equals_the_study(study: Study, backdrop: Backdrop, lang: str, tmp_path: Path) -> None:
    write_xlsx(study, backdrop, lang, tmp_path / "r.xlsx")
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    say = Wording.of(lang, study.k)
    tables = study_tables(study)
    assert book.sheetnames == [say.text(f"table.{table.key}") for table in tables]
    for sheet, table in zip(book.worksheets, tables, strict=True):
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref is not None
        for number, row in enumerate(table.rows, start=2):
            for place, (value, column) in enumerate(zip(row, table.columns, strict=True), start=1):
                cell = sheet.cell(number, place)
                if isinstance(value, int | float) and column.unit != "text":
                    assert cell.data_type == "n"
                    assert cell.value == pytest.approx(value, abs=1e-12)
                elif value is None or isinstance(value, str):
                    assert cell.data_type == "s"
                    assert cell.value == (plain(value) if value else say.cell(value, column))
    grids = book[say.text("table.grids")]
    assert grids.cell(2, 1).value == study.grids[0].code
    assert grids.cell(2, 1).number_format == "@"
    share = book[say.text("table.coverage")].cell(2, 3)
    assert share.value == study.coverage[0].served_training
    assert share.number_format == "0.0%"


@pytest.mark.usefixtures("quick")
def test_formulas_and_control_characters_are_only_text(
    study: Study, backdrop: Backdrop, tmp_path: Path
) -> None:
    nasty = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "a\x00b\x0bc\ud800", "]]>&<b>", "x" * 40_000)
    sites = tuple(
        dataclasses.replace(site, name=nasty[index % len(nasty)]) for index, site in enumerate(study.sites)
    )
    hostile = dataclasses.replace(study, sites=sites, title="=cmd()\x07")
    write_xlsx(hostile, backdrop, "zh", tmp_path / "r.xlsx")
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                if isinstance(cell.value, str) and cell.value[:1] in "=+-@" and cell.value:
                    assert cell.quotePrefix
    with zipfile.ZipFile(tmp_path / "r.xlsx") as parts:
        assert b"<f>" not in b"".join(parts.read(name) for name in parts.namelist())
    write_docx(hostile, backdrop, "zh", tmp_path / "r.docx")
    docx.Document(str(tmp_path / "r.docx"))
    write_html(hostile, backdrop, "zh", tmp_path / "r.html")
    assert "\x00" not in (tmp_path / "r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("table", ["sites", "existing", "grids"])
def test_csv_opens_in_excel(study: Study, table: str, tmp_path: Path) -> None:
    write_csv(study, "zh", tmp_path / "t.csv", table)
    raw = (tmp_path / "t.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    wanted = {t.key: t for t in study_tables(study)}[table]
    assert len(rows) == len(wanted.rows) + 1
    assert all(len(row) == len(wanted.columns) for row in rows)
    dangerous = [cell for row in rows for cell in row if cell[:1] in ("=", "+", "@")]
    assert dangerous == []
    if table == "sites":
        assert f"'{FORMULA}" in [row[1] for row in rows]
        assert float(rows[1][8]) == study.sites[0].rest_min_a_day


def test_unknown_table_is_refused(study: Study, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="table 'x' is not known, allowed: facts, layers, sites"):
        write_csv(study, "zh", tmp_path / "t.csv", "x")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_html_is_self_contained_and_escaped(
    study: Study, backdrop: Backdrop, lang: str, tmp_path: Path
) -> None:
    write_html(study, backdrop, lang, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    assert page.count("<img") == 5
    assert page.count("<table>") == page.count("</table>")
    assert "None" not in page


def test_times_are_settled_whatever_prefix_their_namespace_has() -> None:
    """A library that registers its own prefix for Dublin Core changes how others write it."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as parts:
        core = '<dct:created t="x">2026-11-28T01:02:03Z</dct:created><dct:modified>now</dct:modified>'
        parts.writestr("docProps/core.xml", core)
    with zipfile.ZipFile(io.BytesIO(settle_zip(data.getvalue(), "2026-06-07"))) as parts:
        settled = parts.read("docProps/core.xml").decode()
    day = "2026-06-07T00:00:00Z"
    assert settled == f'<dct:created t="x">{day}</dct:created><dct:modified>{day}</dct:modified>'


def test_same_study_same_bytes(study: Study, backdrop: Backdrop, tmp_path: Path) -> None:
    """Pictures that were drawn once for both documents are those that each would draw."""
    drawn = report_pictures(study, backdrop, "zh")
    for number, pictures in ((1, None), (2, drawn)):
        write_docx(study, backdrop, "zh", tmp_path / f"{number}.docx", pictures=pictures)
        write_xlsx(study, backdrop, "zh", tmp_path / f"{number}.xlsx")
        write_html(study, backdrop, "zh", tmp_path / f"{number}.html", pictures=pictures)
    for kind in ("docx", "xlsx", "html"):
        assert (tmp_path / f"1.{kind}").read_bytes() == (tmp_path / f"2.{kind}").read_bytes(), kind
    for kind in ("docx", "xlsx"):
        with zipfile.ZipFile(tmp_path / f"1.{kind}") as parts:
            assert {entry.date_time for entry in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            core = parts.read("docProps/core.xml").decode()
        assert "2026-06-07T00:00:00Z" in core
        assert re.findall(r">(\d{4})-\d\d-\d\dT", core) == ["2026", "2026"]


@pytest.mark.usefixtures("quick")
def test_an_empty_study_makes_documents(study: Study, backdrop: Backdrop, tmp_path: Path) -> None:
    nothing: dict[str, Any] = dict.fromkeys(
        ("sites", "audit", "pickups", "cells", "flows", "grids", "refusals", "coverage", "budget_curve",
         "front", "fairness", "accounts", "stay_points_by_kind"), (),
    )  # fmt: skip
    bare = dataclasses.replace(study, **nothing, matching=None)
    write_docx(bare, backdrop, "zh", tmp_path / "r.docx")
    write_xlsx(bare, backdrop, "en", tmp_path / "r.xlsx")
    write_html(bare, backdrop, "en", tmp_path / "r.html")
    assert len(docx.Document(str(tmp_path / "r.docx")).inline_shapes) == 1
    assert "（）" not in (tmp_path / "r.html").read_text(encoding="utf-8")
