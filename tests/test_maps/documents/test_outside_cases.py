"""What users of other tools reported of their documents, in our own words and held against ours."""

import dataclasses
import io
import re
import zipfile
from xml.etree import ElementTree

import docx
import openpyxl
import pytest
from docx.document import Document
from docx.oxml.ns import qn
from matplotlib.figure import Figure
from study_sample import sample_study

from geo.errors import InputError
from maps.documents.sheets import workbook
from maps.documents.word import word_document
from maps.texts import Wording
from siting.report import Column, Table, one_fact_a_row, study_report, study_tables
from siting.results import Study

_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture(scope="module")
def study() -> Study:
    return sample_study()


@pytest.fixture(scope="module")
def paper(study: Study) -> Document:
    png = io.BytesIO()
    Figure(figsize=(2, 1)).savefig(png)
    report = study_report(study)
    pictures = {name: png.getvalue() for section in report.sections for name in section.pictures}
    return docx.Document(io.BytesIO(word_document(report, study, Wording.of("zh", study.k), pictures)))


@pytest.fixture(scope="module", params=["zh", "en"])
def sheets(request: pytest.FixtureRequest, study: Study) -> zipfile.ZipFile:
    say = Wording.of(request.param, study.k)
    tables = one_fact_a_row(study_tables(study))
    return zipfile.ZipFile(io.BytesIO(workbook(tables, study, say, "t", study_report(study))))


def _tables(sheets: zipfile.ZipFile) -> list[ElementTree.Element]:
    names = [name for name in sheets.namelist() if name.startswith("xl/tables/")]
    assert len(names) > 5
    return [ElementTree.fromstring(sheets.read(name)) for name in names]  # noqa: S314 - our own file


def test_no_two_columns_of_a_table_have_one_name(sheets: zipfile.ZipFile) -> None:
    """XlsxWriter #362, abap2xlsx #395: Excel "repairs" such a file; capitals do not tell names apart."""
    for table in _tables(sheets):
        heads = [one.get("name", "").casefold() for one in table.iter(f"{_SHEET}tableColumn")]
        assert len(set(heads)) == len(heads), heads


def test_two_columns_of_one_key_are_refused() -> None:
    """The range of a share stood in the workbook as that of minutes: the last of the name was taken."""
    with pytest.raises(InputError, match="two columns have the same key"):
        Table("estimates", (Column("low", "share"), Column("low", "min_a_day")), ((0.1, 2.0),))


def test_a_range_of_shares_is_one_of_shares(study: Study) -> None:
    table = {one.key: one for one in one_fact_a_row(study_tables(study))}["estimates"]
    at = [column.key for column in table.columns].index("served_share_low")
    assert all(row[at] is None or 0 <= float(str(row[at])) <= 1 for row in table.rows)
    assert any(row[at] is not None for row in table.rows)


def test_tables_are_named_as_their_cells_say_and_as_large(sheets: zipfile.ZipFile) -> None:
    """Exceljs #106, openpyxl (a heading altered): a table has the columns that its cells have."""
    for table in _tables(sheets):
        first, last = re.findall(r"[A-Z]+", table.get("ref", ""))
        columns = list(table.iter(f"{_SHEET}tableColumn"))
        assert len(columns) == ord(last) - ord(first) + 1
        assert all("\n" not in one.get("name", "") for one in columns)


def test_no_picture_stands_in_a_line_of_fixed_height(paper: Document) -> None:
    """html-to-docx #27: LibreOffice crops such a picture to the height of a line."""
    found = 0
    for paragraph in paper.element.body.iter(qn("w:p")):
        if any(True for _ in paragraph.iter(qn("w:drawing"))):
            found += 1
            rules = [one.get(qn("w:lineRule")) for one in paragraph.iter(qn("w:spacing"))]
            assert "exact" not in rules
    assert found > 10


def test_no_table_is_wider_than_its_page_and_columns_agree_with_cells(paper: Document) -> None:
    """python-docx #75, #78, pandoc #515: LibreOffice goes by the grid, and ran tables off the page."""
    for table in paper.tables:
        grid = [int(one.get(qn("w:w"))) for one in table._tbl.tblGrid.findall(qn("w:gridCol"))]
        assert sum(grid) <= (210 - 22 - 22) / 25.4 * 1440 + 10
        for row in table._tbl.tr_lst:
            cells = [int(one.get(qn("w:w"))) for one in row.iter(qn("w:tcW"))]
            assert cells == pytest.approx(grid, abs=2)


def test_every_line_of_the_contents_leads_to_a_heading(paper: Document) -> None:
    """Docx #748: a field that only Word fills in leaves an empty table of contents in WPS; ours is there."""
    body = paper.element.body
    marks = {one.get(qn("w:name")) for one in body.iter(qn("w:bookmarkStart"))}
    links = [one for one in body.iter(qn("w:hyperlink")) if one.get(qn("w:anchor"))]
    assert len(links) > 10
    for link in links:
        assert link.get(qn("w:anchor")) in marks
        assert "".join(text.text or "" for text in link.iter(qn("w:t"))).strip()


def test_every_chinese_run_names_its_chinese_face(paper: Document) -> None:
    """python-docx #1396: a face that is named for Latin alone leaves Chinese in whatever is at hand."""
    for run in paper.element.body.iter(qn("w:r")):
        if re.search(r"[一-鿿]", "".join(text.text or "" for text in run.iter(qn("w:t")))):
            faces = run.rPr.find(qn("w:rFonts"))
            assert faces.get(qn("w:eastAsia")) in ("仿宋", "黑体", "宋体", "楷体")


def test_a_name_of_backslashes_and_backticks_is_text(study: Study) -> None:
    """Folium #1907, #1640, #853: a path or an apostrophe in a popup left a blank map."""
    name = r"C:\20190221\u `${1}` it's </script>"
    sites = (dataclasses.replace(study.sites[0], name=name), *study.sites[1:])
    named = dataclasses.replace(study, sites=sites)
    said = workbook(study_tables(named), named, Wording.of("en", study.k), "t")
    book = openpyxl.load_workbook(io.BytesIO(said))
    assert any(cell.value == name for sheet in book for row in sheet.iter_rows() for cell in row)
