"""Documents read back say what the study says, and nothing in a name can harm whoever opens them."""

import base64
import contextlib
import csv
import dataclasses
import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import docx
import numpy as np
import openpyxl
import pytest
from docx.document import Document
from docx.oxml.ns import qn
from openpyxl.utils import get_column_letter
from study_sample import FORMULA, HOSTILE, sample_study

from geo.datum import from_wgs84
from geo.errors import InputError
from geo.map_links import map_links
from maps.documents import write
from maps.documents.captions import headings
from maps.documents.sheets import ANNEX
from maps.documents.widths import text_mm
from maps.documents.word_parts import HEADLESS
from maps.documents.write import report_pictures, write_csv, write_docx, write_html, write_xlsx
from maps.documents.zips import settle_zip
from maps.page.basemap import Backdrop, BackdropLayer
from maps.texts.safe_text import plain
from maps.texts.wording import Wording
from siting.report.lists import one_fact_a_row
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
    for name in ("map_picture", "inset_picture", "station_hours_picture", "coverage_picture",
                 "budget_picture", "front_picture"):  # fmt: skip
        monkeypatch.setattr(f"maps.documents.write.{name}", lambda *args, **kwargs: pixel)


def _story(study: Study, lang: str) -> str:
    """The whole report as plain text, one line a sentence or row."""
    say = Wording.of(lang, study.k)
    report = study_report(study)
    lines = [say.say(report.title), say.say(report.subtitle)]
    for section, heading in zip(report.sections, headings(report, say), strict=True):
        lines += ["", f"## {heading.group} {heading.text}".replace("  ", " ")]
        lines += [say.say(said) for said in section.sentences]
        for table in section.all_tables:
            lines += ["", f"[{say.text(f'caption.{table.key}')}]"]
            lines.append(" | ".join(say.heading(column) for column in table.columns))
            for row in table.rows:
                lines.append(
                    " | ".join(say.cell(v, column) for v, column in zip(row, table.columns, strict=True))
                )
        lines += [say.term(check.key) for check in section.checks]
        lines += [f"{say.term(link.label.key)} {link.url}" for link in section.links]
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
    say, report = Wording.of(lang, study.k), study_report(study)
    text = _all_text(document)
    found = {tuple(tuple(cell.text for cell in row.cells) for row in made.rows) for made in document.tables}
    for section, heading in zip(report.sections, headings(report, say), strict=True):
        assert heading.text in text
        for said in section.sentences:
            assert plain(say.say(said)) in text
        for table in section.all_tables:
            rows = [tuple(say.heading(column) for column in table.columns)]
            rows += [
                tuple(say.cell(v, c) for v, c in zip(row, table.columns, strict=True)) for row in table.rows
            ]
            assert tuple(rows[table.key in HEADLESS :]) in found, table.key
        assert all(say.term(check.key) in text for check in section.checks)
    sheets = sum(section.part == "station" for section in report.sections)
    assert len(document.inline_shapes) == 2 + 2 * sheets + 3
    assert "None" not in text
    assert HOSTILE in text


def _all_text(document: Document) -> str:
    """Every paragraph, inside tables too."""
    return "\n".join(
        "".join(node.text or "" for node in paragraph.iter(qn("w:t")))
        for paragraph in document.element.body.iter(qn("w:p"))
    )


@pytest.mark.usefixtures("quick")
def test_the_first_page_is_the_conclusion_and_contents_follow(
    study: Study, backdrop: Backdrop, tmp_path: Path
) -> None:
    """What is suggested, what it brings and costs, what becomes of today, what is asked of whom."""
    write_docx(study, backdrop, "zh", tmp_path / "r.docx")
    document = docx.Document(str(tmp_path / "r.docx"))
    heads = [p.text for p in document.paragraphs if p.style is not None and p.style.name == "Heading 1"]
    assert heads[:4] == ["一、结论", "目录", "二、一站一表", "（一）S01　清华东门便利店"]
    assert heads[heads.index("六、单元网格") + 1].startswith("附件1")
    first = _all_text(document).split("目录")[0]
    for said in ("21.4%→71.3%", "每天897分钟", "450,000元", "S02", "每天07:00–23:00", "依托便利店设站",
                 "延长开放E02", "撤销E05", "主管单位、街道", "网格员", "平台企业"):  # fmt: skip
        assert said in first, said
    for said in ("训练日", "K均值", "骑手分钟", "最优性差距"):
        assert said not in _all_text(document).split("一、结论")[-1].split("附件1　建议新增站点")[0], said
    body = document.element.body
    marks = {node.get(qn("w:name")) for node in body.iter(qn("w:bookmarkStart"))}
    wanted = [re.search(r"PAGEREF (\w+)", node.text or "") for node in body.iter(qn("w:instrText"))]
    assert {found[1] for found in wanted if found} == marks - {"part_2"}
    assert len(marks) == len(heads) - 1  # the heading above the sheets has none of its own


@pytest.mark.usefixtures("quick")
def test_each_suggested_station_has_a_sheet_with_all_that_is_needed_on_the_spot(
    study: Study, backdrop: Backdrop, tmp_path: Path
) -> None:
    write_docx(study, backdrop, "zh", tmp_path / "r.docx")
    document = docx.Document(str(tmp_path / "r.docx"))
    text = _all_text(document)
    suggested = [site for site in study.sites if not site.existing]
    addresses = {rel.target_ref for rel in document.part.rels.values() if rel.is_external}
    for number, site in enumerate(suggested):
        after = text.split(f"）{site.site_id}　{site.name}")[-1]
        sheet = after.split("）S" if number + 1 < len(suggested) else "）E")[0]
        for said in ("选址理由", "服务范围", "芙蓉里（120米）", "七个一", "房屋谈不成时的备选位置",
                     "银行网点", "现场核实", "□ 房屋可用", "现场照片", "高德地图", "百度地图"):  # fmt: skip
            assert said in sheet, (site.site_id, said)
        links = map_links(site.lonlat, f"{site.site_id} {site.name}")
        assert {links.amap, links.baidu, links.geo} <= addresses
    joined = [made for made in document.element.body.iter(qn("w:tbl")) if made.getnext().tag == qn("w:tbl")]
    assert not joined, "Word makes one table of two that follow each other"
    # each app gets the place in its own datum
    one = suggested[0]
    gcj, bd = (from_wgs84(np.array([one.lonlat]), datum)[0] for datum in ("gcj02", "bd09"))
    assert any(f"position={gcj[0]:.6f},{gcj[1]:.6f}" in url for url in addresses)
    assert any(f"location={bd[1]:.6f},{bd[0]:.6f}" in url for url in addresses)


@pytest.mark.usefixtures("quick")
def test_what_fewer_than_k_riders_stand_behind_is_no_figure_on_a_sheet(
    study: Study, backdrop: Backdrop, tmp_path: Path
) -> None:
    nobody = tuple(
        dataclasses.replace(site, rest_min_a_day=None, rest_min_by_hour=(None,) * 24, only_here_share=None)
        for site in study.sites
    )
    hidden = dataclasses.replace(
        study,
        sites=nobody,
        coverage=tuple(dataclasses.replace(row, served_training=None) for row in study.coverage),
        alternatives=tuple(dataclasses.replace(one, served_share=None) for one in study.alternatives),
    )
    write_docx(hidden, backdrop, "zh", tmp_path / "r.docx")
    text = _all_text(docx.Document(str(tmp_path / "r.docx")))
    first, sheets = text.split("目录")[0], text.split("二、一站一表")[-1].split("）E01")[0]
    assert "不公布" in first
    assert "21.4" not in first
    assert "71.3" not in text.split("附件2")[0]
    assert "时段最忙" not in sheets
    assert sheets.count("少于10人") >= 2 * sum(not site.existing for site in study.sites)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_columns_are_as_wide_as_their_longest_word(
    study: Study, backdrop: Backdrop, lang: str, tmp_path: Path
) -> None:
    """No "448,32/7": a number, a code and a word of up to 20 characters stand on one line."""
    write_docx(study, backdrop, lang, tmp_path / "r.docx")
    for made in docx.Document(str(tmp_path / "r.docx")).tables:
        for row in made.rows:
            for cell in row.cells:
                for paragraph in cell.paragraphs:
                    for run in paragraph.runs:
                        if not run.font.size or run._element.getparent().tag == qn("w:hyperlink"):
                            continue
                        for word in re.findall(r"[!-~–]{1,20}", run.text):
                            if HOSTILE in run.text or FORMULA in run.text:
                                continue
                            mm = text_mm(word, run.font.size.pt)
                            assert mm + 3.8 <= (cell.width.mm if cell.width else 0), (word, cell.text)


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
    names |= {one.name for one in study.alternatives}
    names |= {name for site in study.sites for name, _ in site.near} | {site.street for site in study.sites}
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
    tables = [table for table in one_fact_a_row(study_tables(study)) if table.rows]
    own = [say.text(f"table.{table.key}") for table in tables if table.key not in ANNEX]
    assert book.sheetnames == [say.text("table.decision"), *own, say.text("table.annex")]
    annex = book[say.text("table.annex")]
    for table in tables:
        if table.key in ANNEX:
            sheet, ref = annex, annex.tables[f"yilu_{table.key}"].autoFilter.ref
            first = int(re.search(r"A(\d+):", ref)[1]) + 1  # type: ignore[index]
        else:
            sheet, first = book[say.text(f"table.{table.key}")], 2
            assert sheet.freeze_panes == "A2"
            assert sheet.auto_filter.ref == f"A1:{get_column_letter(len(table.columns))}{len(table.rows) + 1}"
        heads = [str(sheet.cell(first - 1, place).value) for place in range(1, len(table.columns) + 1)]
        wanted = [re.sub(r"\s", "", say.heading(column)) for column in table.columns]
        assert [re.sub(r"\s", "", head) for head in heads] == wanted
        for number, row in enumerate(table.rows, start=first):
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
    assert all(one.autoFilter.ref == one.ref for one in annex.tables.values())
    ref = annex.tables["yilu_coverage"].ref
    share = annex.cell(int(re.search(r"A(\d+):", ref)[1]) + 1, 3)  # type: ignore[index]
    assert (share.value, share.number_format) == (study.coverage[0].served_training, "0.0%")


@pytest.mark.usefixtures("quick")
def test_the_first_sheet_is_the_conclusion_with_charts_of_the_spreadsheet(
    study: Study, backdrop: Backdrop, tmp_path: Path
) -> None:
    write_xlsx(study, backdrop, "zh", tmp_path / "r.xlsx")
    front = openpyxl.load_workbook(tmp_path / "r.xlsx").worksheets[0]
    values = [cell.value for row in front.iter_rows() for cell in row if cell.value is not None]
    assert {0.214, 0.713, 450_000.0} <= {value for value in values if isinstance(value, int | float)}
    text = "\n".join(str(value) for value in values)
    for said in ("建议新增驿站10个", "S02", "延长开放E02", "主管单位、街道", "平台企业"):
        assert said in text, said
    assert len(front._charts) == 3
    with zipfile.ZipFile(tmp_path / "r.xlsx") as parts:
        sources = b"".join(parts.read(n) for n in sorted(parts.namelist()) if "charts/chart" in n).decode()
    assert "站点" in sources
    assert "附表" in sources
    assert front.page_setup.fitToHeight == 1


@pytest.mark.usefixtures("quick")
def test_rows_without_a_published_figure_are_folded_and_told(
    study: Study, backdrop: Backdrop, tmp_path: Path
) -> None:
    write_xlsx(study, backdrop, "zh", tmp_path / "r.xlsx")
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    grids = book["单元网格"]
    folded = {n for n, shape in grids.row_dimensions.items() if shape.hidden}
    withheld = {n for n, grid in enumerate(study.grids, start=2) if grid.riders is None}
    assert folded == withheld != set()
    notes = [grids.cell(n, 1).value for n in range(len(study.grids) + 2, grids.max_row + 1)]
    assert any(f"折叠了{len(folded)}行" in str(note) for note in notes)
    hours = book["分时段服务量"]
    shown = [n for n in range(2, hours.max_row + 1) if not hours.row_dimensions[n].hidden]
    assert len(shown) < 45


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
        cells = [parts.read(name) for name in parts.namelist() if "worksheets" in name]
        assert b"<f>" not in b"".join(cells)  # charts name the cells that they draw
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
    assert not re.search(r'src="(?!data:)', page)
    hrefs = re.findall(r'href="([^"]*)"', page)
    assert {href.split(":")[0] for href in hrefs if not href.startswith("#")} == {"https", "geo"}
    anchors = set(re.findall(r'<section class="\w+" id="([^"]+)"', page))
    assert {href[1:] for href in hrefs if href.startswith("#")} <= anchors
    assert page.index(Wording.of(lang, study.k).text("section.conclusion")) < page.index("<nav>")
    sheets = len(study.sites)
    assert page.count('<section class="station"') == sheets == page.count('class="photo"')
    assert page.count("<img") == 2 + 2 * sheets + 3
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


@pytest.mark.usefixtures("quick")
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


_OTHER_PROCESS = """
import hashlib, sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from study_sample import sample_study
from maps.documents import write
from maps.documents.charts import station_hours_picture
from maps.page.basemap import Backdrop
study = sample_study()
picture = station_hours_picture(study, "zh", "S01")
write._pictures = lambda study, backdrop, lang, report: {
    name: picture for section in report.sections for name in section.pictures
}
for kind in ("docx", "xlsx", "html"):
    for grid in (None, study.grids[4].code):
        path = Path(sys.argv[1]) / f"r.{kind}"
        getattr(write, f"write_{kind}")(study, Backdrop(study.bounds), "zh", path, grid)
        print(kind, grid, hashlib.sha256(path.read_bytes()).hexdigest())
"""


def test_two_processes_write_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the order of sets and dicts by hash."""
    paths = [str(Path(__file__).parents[3]), str(Path(__file__).parents[2] / "helpers")]
    other = subprocess.run(
        [sys.executable, "-c", _OTHER_PROCESS, str(tmp_path), *paths],
        check=True, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": "1"},
    )  # fmt: skip
    # The same lines here, where texts are hashed otherwise.
    monkeypatch.setattr(sys, "argv", ["-c", str(tmp_path), *paths])
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(write, "_pictures", write._pictures)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(_OTHER_PROCESS, {})  # noqa: S102 - the lines above
    assert said.getvalue() == other.stdout
    assert len(other.stdout.split()) == 18


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
    assert len(docx.Document(str(tmp_path / "r.docx")).inline_shapes) == 2
    assert "（）" not in (tmp_path / "r.html").read_text(encoding="utf-8")
