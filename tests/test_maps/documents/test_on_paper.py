"""What tables look like on paper: widths, rows that stay together, notes, sheets of a workbook."""

import dataclasses
import io

import docx
import openpyxl
import pytest
from docx.oxml.ns import qn
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from study_sample import sample_study

from maps.documents.printed import _Page
from maps.documents.sheets import ROWS_SHOWN, _folded_rows, workbook
from maps.documents.widths import LEAST_PT, PADDING_MM, PT_MM, _unbroken_mm, column_widths, text_mm
from maps.documents.word import _SETTINGS
from maps.documents.word_parts import add_frame, add_picture, add_table
from maps.study.page import headlines
from maps.texts.wording import Wording
from siting.report import Column, Table, Value, grid_report, one_fact_a_row, study_report, study_tables
from siting.results import Study


@pytest.fixture(scope="module")
def study() -> Study:
    return sample_study()


def _rows(count: int) -> Table:
    return Table(
        "sites", (Column("id"), Column("rest", "min_a_day")), tuple((f"S{n}", 1.0) for n in range(count))
    )


def _held(count: int, *, note: bool) -> list[bool]:
    """Whether each row, the heading first, stays on the page of the next one."""
    document = docx.Document()
    add_table(document, _rows(count), _SETTINGS["en", "body"], Wording.of("en", 10), note=note)
    rows = document.tables[0].rows
    return [bool(row.cells[0].paragraphs[0].paragraph_format.keep_with_next) for row in rows]


def test_a_short_table_is_on_one_page_with_its_note() -> None:
    assert _held(5, note=False) == [True] * 5 + [False]
    assert _held(5, note=True) == [True] * 6


def test_no_row_of_a_long_table_stands_alone() -> None:
    held = _held(30, note=True)
    assert held == [True, True] + [False] * 27 + [True, True]


def test_a_table_of_few_but_high_rows_is_parted() -> None:
    """Eight stations in rows of four lines left a third of a page empty."""
    long = "new, standard station, daily 07:00-23:00, with all that the office wants to have said of it here"
    rows = tuple((f"S{n}", *(long,) * 4) for n in range(8))
    columns = tuple(Column(key) for key in ("id", "name", "first_plan", "second_plan", "reason"))
    document = docx.Document()
    add_table(document, Table("sites", columns, rows), _SETTINGS["en", "body"], Wording.of("en", 10))
    held = [row.cells[0].paragraphs[0].paragraph_format.keep_with_next for row in document.tables[0].rows]
    assert [bool(one) for one in held] == [True, True] + [False] * 5 + [True, False]


@pytest.mark.parametrize(
    "word", ["Moved", "Asiakaspalvelu", "rider-minutes", "WMW", "8831aa50cdfffff", "07:00–23:00", "12.5%"]
)
def test_words_have_room_in_dejavu(word: str) -> None:
    """The word "Moved" was split in a heading where Times is missing."""
    face = FontProperties(family="DejaVu Serif", size=72)
    # less the blank before the first and behind the last letter
    wide_pt = TextPath((0, 0), word, prop=face).get_extents().width + 0.03 * 72
    assert _unbroken_mm(word) * 72 >= wide_pt * PT_MM


def test_columns_of_a_frame_are_told_to_libreoffice_too() -> None:
    """Word goes by the width of cells, LibreOffice by that of columns: it cut pictures that were wider."""
    document = docx.Document()
    add_frame(document, 1, (100.0, 60.0))
    grid = [int(one.get(qn("w:w"))) for one in document.tables[0]._tbl.tblGrid.findall(qn("w:gridCol"))]
    assert grid == [pytest.approx(100 / 25.4 * 1440, abs=1), pytest.approx(60 / 25.4 * 1440, abs=1)]


def test_a_short_text_leaves_its_room_to_a_long_one() -> None:
    long = "房间、桌凳、微波炉、冷热饮水、空调、卫生间、急救箱、手机充电、电动车停放、储物柜、雨具"
    table = Table(
        "kinds",
        (Column("kind"), Column("cost_source"), Column("facilities")),
        (("标准驿站", "假定值，请换成本单位数字", long), ("微驿站", "假定值，请换成本单位数字", long)),
    )
    say = Wording.of("zh", 10)
    found = column_widths(table, say, 100.0, 9.0)
    kind, source, facilities = found.mm
    assert sum(found.mm) == pytest.approx(100.0)
    assert facilities > source > kind
    assert facilities >= text_mm(long, found.pt) / 4
    assert found.pt > LEAST_PT


def test_one_long_name_does_not_break_all_other_rows() -> None:
    """Every row of a list of lockers had two lines, because one compound has a long name."""
    rows: list[tuple[Value, ...]] = [
        (f"Compound {number}, west gate", "contact-free locker", 1.0) for number in range(20)
    ]
    rows[7] = ("Ruotsinkielinen sosiaalitieteiden koulu ja kirjasto, west gate", "contact-free locker", 1.0)
    table = Table("pickups", (Column("compound"), Column("kind"), Column("drop_offs", "a_day")), tuple(rows))
    say = Wording.of("en", 10)
    found = column_widths(table, say, 100.0, 9.0)
    inner = [width - PADDING_MM + 1e-6 for width in found.mm]
    cells = [[say.cell(v, c) for v, c in zip(row, table.columns, strict=True)] for row in rows]
    broken = [any(text_mm(t, found.pt) > w for t, w in zip(row, inner, strict=True)) for row in cells]
    assert sum(broken) == 1


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_sheets_are_no_wider_than_a_page_and_notes_no_wider_than_their_table(study: Study, lang: str) -> None:
    """A note on one long line made LibreOffice print all of its sheet in tiny type."""
    say = Wording.of(lang, study.k)
    book = openpyxl.load_workbook(io.BytesIO(workbook(study_tables(study), study, say, "t")))
    for sheet in book.worksheets[:-1]:
        shown = [one.width for one in sheet.column_dimensions.values() if not one.hidden]
        assert sum(shown) < 190 or len(shown) > 14, sheet.title
        notes = [cell for row in sheet.iter_rows(min_row=3, max_col=1) for cell in row if cell.font.italic]
        for cell in notes:
            assert cell.alignment.wrap_text, (sheet.title, cell.coordinate)
            assert sheet.max_column == 1 or any(cell.coordinate in r for r in sheet.merged_cells.ranges)


def test_every_printed_page_of_a_workbook_tells_its_sheet(study: Study) -> None:
    """Rows on paper had headings and the number of the page only."""
    book = openpyxl.load_workbook(
        io.BytesIO(workbook(study_tables(study), study, Wording.of("en", study.k), "t"))
    )
    assert {sheet.oddHeader.left.text for sheet in book.worksheets} == {"&A"}


def test_tables_on_the_first_sheet_have_no_number(study: Study) -> None:

    say, code = Wording.of("zh", study.k), study.grids[0].code
    report = grid_report(study, code)
    book = openpyxl.load_workbook(io.BytesIO(workbook(study_tables(study), study, say, "t", report)))
    said = [str(cell.value) for row in book.worksheets[0].iter_rows() for cell in row]
    assert "本网格概况" in said
    assert not any(text.startswith("表") for text in said)


def test_the_hours_of_a_day_are_not_folded() -> None:
    """A list of 24 hours lost its evening in print."""
    hours = tuple((f"{hour:02d}:00", 0.5) for hour in range(24))
    table = Table("blind_hours", (Column("hour"), Column("day_1", "share")), hours)
    assert not _folded_rows(table)
    long = dataclasses.replace(table, rows=hours * 2)
    assert _folded_rows(long) == frozenset(range(ROWS_SHOWN, 48))


def test_a_long_first_column_leaves_room_for_the_others_on_a_phone(study: Study) -> None:
    """Kept in one piece, a list of facilities took all of the width, and reasons one character a line."""
    say = Wording.of("en", study.k)
    short = Table("sites", (Column("id"), Column("reason")), (("S01", "why"),))
    long = dataclasses.replace(
        short, rows=(("room, table and stools, microwave, hot and cold water", "why"),)
    )
    section = study_report(study).sections[0]
    page = _Page(study, say, {})
    assert '<td class="c">S01</td>' in page._table(short, section)
    assert 'class="c"' not in page._table(long, section)


def test_what_is_withheld_or_none_is_no_number_in_a_sentence(study: Study) -> None:
    """Not "beside the 0 existing ones", and not "由 少于10人，不公布 变为 100.0%"."""
    say = Wording.of("zh", study.k)
    gone = dataclasses.replace(study, sites=tuple(site for site in study.sites if not site.existing))
    assert "0个现有站点" not in say.say(study_report(gone).sections[0].paragraphs[0])
    hidden = tuple(
        dataclasses.replace(row, served_training=None) if row.method == "existing" else row
        for row in study.coverage
    )
    said = headlines(dataclasses.replace(study, coverage=hidden), say)
    assert "变为" not in said["plan"]
    assert "现状少于10人" in said["plan"]
    assert "变为" in headlines(study, say)["plan"]


def test_a_picture_stands_where_its_column_begins_and_says_what_it_shows() -> None:
    """Without its distances LibreOffice moved it 3.2 mm to the right: a map lost the end of its credit."""
    document = docx.Document()
    png = io.BytesIO()
    Figure(figsize=(1, 1)).savefig(png)
    add_picture(document.add_paragraph(), png.getvalue(), 50.0, "map of S01")
    inline = document.inline_shapes[0]._inline
    assert [inline.get(side) for side in ("distT", "distB", "distL", "distR")] == ["0"] * 4
    assert inline.docPr.get("descr") == "map of S01"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_cell_of_several_lines_has_their_height_and_units_keep_their_bracket(lang: str) -> None:
    """Printed by LibreOffice, reasons ended after their first line, and ``)`` had a line of its own."""
    study = sample_study()
    say = Wording.of(lang, study.k)
    book = openpyxl.load_workbook(io.BytesIO(workbook(study_tables(study), study, say, "t")))
    seen = 0
    for sheet in book.worksheets:
        merged = {at for one in sheet.merged_cells.ranges for row in one.rows for at in row}
        for row in sheet.iter_rows(min_row=2 if sheet.freeze_panes else 1):
            for cell in row:
                if (cell.row, cell.column) in merged or not cell.alignment.wrap_text:
                    continue
                at = sheet.column_dimensions[cell.column_letter]
                wide = sum(2 if ord(c) > 0x2E80 else 1 for c in str(cell.value))
                if cell.data_type == "s" and not at.hidden and wide > at.width:
                    seen += 1
                    assert (sheet.row_dimensions[cell.row].height or 0) >= 28, (sheet.title, cell.value)
        if sheet.freeze_panes:
            heads = [str(cell.value) for cell in sheet[1]]
            assert not any("（" in head and "\n" not in head for head in heads)
    assert seen > 3


def test_forecasts_stand_one_a_row_and_fit_a_page() -> None:
    """Weeks and days beside each other made a sheet of 266 characters."""
    study = sample_study()
    tables = {table.key: table for table in one_fact_a_row(study_tables(study))}
    assert len(tables["forecasts"].columns) == 5
    assert [row[2] for row in tables["forecast_values"].rows[:5]] == [900.0, 905.0, 910.0, 915.0, 800.0]
    assert len(tables["forecast_values"].rows) == 2 * (4 + 7)
