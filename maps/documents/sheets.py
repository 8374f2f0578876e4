"""Report tables as a workbook and as CSV, safe to open in Excel and WPS."""

import csv
import datetime
import io

from openpyxl import Workbook
from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.table import Table as ExcelTable
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.constants import COREPROPS_NS, DCTERMS_NS
from openpyxl.xml.functions import register_namespace

from maps.documents.captions import table_note
from maps.documents.front_sheet import add_charts, write_front
from maps.documents.sheet_cells import (
    FORMULA,
    SheetLook,
    aligned,
    fill,
    for_paper,
    head_cell,
    set_text,
    text_height,
)
from maps.documents.zips import settle_zip
from maps.texts.safe_text import plain
from maps.texts.wording import Wording
from siting.report import Column, StudyReport, Table, Value
from siting.results import Study

__all__ = ["csv_text", "workbook"]

ANNEX = ("facts", "kinds", "kind_facilities", "kind_hours", "busiest", "layers", "coverage", "estimates",
         "fairness", "budget", "front", "refusal_counts", "speeds", "gate_waits", "map_edits", "blind",
         "patrols", "meetings", "scenarios", "elsewhere", "files", "rejects", "stays")  # fmt: skip
"""Tables that only a reader of the annexes wants: one sheet holds them all."""
ANNEX_WIDTHS = (26, 22, 32, 18, 16, 16, 14, 14, 12, 12)
_NAMESPACES = {"dcterms": DCTERMS_NS, "cp": COREPROPS_NS}
"""As openpyxl names them; another library of the process may have named them otherwise since."""
ROWS_SHOWN = 20
"""Rows of a long list that are not folded: a page with its note."""
LONG = 26
"""Rows of a list from which on it is folded; the hours of a day are not."""
PAGE = 140
"""Characters that a page has room for beside each other, at nine tenths of the size of type."""
WIDEST, NARROWEST = 46, 16
"""Characters of a column of texts."""
LISTS = ("hours", "refusals", "grid_places", "station_facilities", "blind_hours", "forecasts",
         "forecast_values")  # fmt: skip
FOLDED_COLUMNS = {
    "sites": ("street", "planned_hours", "moves_to", "only_here", "until_20", "until_24", "longer", "due",
              "passing", "lon", "lat"),
    "existing": ("kind", "visitors", "check_in_weeks", "only_here", "overlap_site", "overlap_share",
                 "move_lon", "move_lat"),
    "pickups": ("walk_max", "residents_walk", "gates_new", "lon", "lat"),
    "alternatives": ("lon", "lat"), "hot_spots": ("lon", "lat"), "refusals": ("lon", "lat"),
}  # fmt: skip
"""Columns that a spreadsheet has folded, so that the others can be read on paper."""


def workbook(
    tables: tuple[Table, ...], study: Study, say: Wording, title: str, report: StudyReport | None = None
) -> bytes:
    """Set one sheet a table that has rows, and before them the conclusion of a report.

    Headings are frozen and filtered, numbers are numbers, codes text. What a reader of paper does not need is
    folded: rows whose figures are all withheld, the long tail of lists, columns of coordinates.
    """
    book = Workbook()
    book.remove(book.active)
    look = SheetLook.of(say)
    front = None
    if report is not None:
        name = "decision" if report.grid_code is None else "grid_facts"
        front = book.create_sheet(say.text(f"table.{name}"))
    with_rows = [table for table in tables if table.rows]
    placed = {
        table.key: (_table_sheet(book, table, study, say, look), 1)
        for table in with_rows
        if table.key not in ANNEX
    }
    annex = [table for key in ANNEX for table in with_rows if table.key == key]
    placed |= _annex_sheet(book, annex, study, say, look) if annex else {}
    if front is not None and report is not None:
        write_front(front, report, say, look)
        add_charts(front, placed, {table.key: table for table in tables}, say)
    book.properties.title = plain(title)
    book.properties.creator = "yilu"
    book.properties.created = datetime.datetime.fromisoformat(study.period[1])
    for prefix, namespace in _NAMESPACES.items():
        register_namespace(prefix, namespace)
    out = io.BytesIO()
    book.save(out)
    return settle_zip(out.getvalue(), study.period[1])


def _table_sheet(book: Workbook, table: Table, study: Study, say: Wording, look: SheetLook) -> Worksheet:
    sheet = book.create_sheet(say.text(f"table.{table.key}"))
    heads = [_two_lines(say.heading(column)) for column in table.columns]
    widths = [_width(text) for text in heads]
    for place, text in enumerate(heads, start=1):
        head_cell(sheet.cell(1, place), text, look)
    folded = _folded_rows(table)
    said: list[list[str]] = []
    for number, row in enumerate(table.rows, start=2):
        said.append([])
        for place, (value, column) in enumerate(zip(row, table.columns, strict=True), start=1):
            cell = sheet.cell(number, place)
            shown = fill(cell, value, column, say)
            cell.font, cell.border, cell.alignment = look.body, look.frame, aligned(column)
            widths[place - 1] = max(widths[place - 1], _width(shown))
            said[-1].append(shown)
        if number - 2 in folded:
            sheet.row_dimensions[number].outlineLevel = 1
            sheet.row_dimensions[number].hidden = True
    last = get_column_letter(len(table.columns))
    hidden = FOLDED_COLUMNS.get(table.key, ())
    widths = [max(8, width + 3) for width in widths]
    most = _widest([w for w, column in zip(widths, table.columns, strict=True) if column.key not in hidden])
    for place, (width, column) in enumerate(zip(widths, table.columns, strict=True), start=1):
        dimension = sheet.column_dimensions[get_column_letter(place)]
        dimension.width = min(most if column.unit == "text" else WIDEST, width)
        if column.key in hidden:
            dimension.outlineLevel, dimension.hidden = 1, True
    rooms = [sheet.column_dimensions[get_column_letter(place + 1)].width for place in range(len(widths))]
    at = [place for place, column in enumerate(table.columns) if column.key not in hidden]
    for number, texts in enumerate(said, start=2):
        _row_height(sheet, number, [(texts[place], rooms[place]) for place in at])
    sheet.row_dimensions[1].height = 32
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{last}{len(table.rows) + 1}"
    for_paper(sheet, landscape=True)
    sheet.print_title_rows = "1:1"
    notes = [table_note((table,), study, say)]
    if folded:
        notes.append(say.text("caption.note_folded", n=len(folded)))
    for number, text in enumerate((text for text in notes if text), start=len(table.rows) + 3):
        _note(sheet, number, text, len(table.columns), look)
    return sheet


def _widest(widths: list[int]) -> int:
    """Return how wide a text may be, so that all columns stand on a page in type that can be read."""
    tried = range(WIDEST, NARROWEST, -1)
    return next((most for most in tried if sum(min(most, one) for one in widths) <= PAGE), NARROWEST)


def _two_lines(heading: str) -> str:
    """Set the unit of a heading on a line of its own; broken by the spreadsheet, it lost its bracket."""
    for bracket in ("（", " ("):
        name, found, unit = heading.rpartition(bracket)
        if found:
            return f"{name}\n{found.strip()}{unit}"
    return heading


def _row_height(sheet: Worksheet, row: int, cells: list[tuple[str, float]]) -> None:
    """Make a row as high as its longest text; LibreOffice and WPS else show the first line alone."""
    broken = [(text, room) for text, room in cells if _width(text) > room - 1]
    if broken:
        lines = max(-(-_width(text) // int(room - 1)) for text, room in broken)
        sheet.row_dimensions[row].height = 13.5 * lines + 2


def _note(sheet: Worksheet, row: int, text: str, columns: int, look: SheetLook) -> None:
    """Write a note across the columns that are shown; on one long line it would make the print small."""
    shown = [sheet.column_dimensions[get_column_letter(place)] for place in range(1, columns + 1)]
    room = max(40.0, sum(one.width for one in shown if not one.hidden))
    if columns > 1:
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=columns)
    cell = sheet.cell(row, 1)
    set_text(cell, text)
    cell.font, cell.alignment = look.note, Alignment(vertical="top", wrap_text=True)
    sheet.row_dimensions[row].height = text_height(text, room, 13)


def _annex_sheet(
    book: Workbook, tables: list[Table], study: Study, say: Wording, look: SheetLook
) -> dict[str, tuple[Worksheet, int]]:
    """Set the small tables of the annexes below each other, each a table of its own that can be filtered."""
    sheet = book.create_sheet(say.text("table.annex"))
    row, placed = 1, {}
    for number, width in enumerate(ANNEX_WIDTHS, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    for table in tables:
        set_text(sheet.cell(row, 1), say.text(f"caption.{table.key}"))
        sheet.cell(row, 1).font = look.bold
        head = row + 1
        placed[table.key] = (sheet, head)
        for place, column in enumerate(table.columns, start=1):
            head_cell(sheet.cell(head, place), say.heading(column), look)
        heads = [
            (say.heading(column), width) for column, width in zip(table.columns, ANNEX_WIDTHS, strict=False)
        ]
        sheet.row_dimensions[head].height = max(
            32.0, *(text_height(text, room - 2, 15) + 2 for text, room in heads)
        )
        for values in table.rows:
            row += 1
            said = []
            for place, (value, column) in enumerate(zip(values, table.columns, strict=True), start=1):
                cell = sheet.cell(row + 1, place)
                said.append(fill(cell, value, column, say))
                cell.font, cell.border, cell.alignment = look.body, look.frame, aligned(column)
            _row_height(sheet, row + 1, list(zip(said, ANNEX_WIDTHS, strict=False)))
        last = get_column_letter(len(table.columns))
        sheet.add_table(ExcelTable(displayName=f"yilu_{table.key}", ref=f"A{head}:{last}{row + 1}"))
        row += 3
    if text := table_note(tuple(tables), study, say):
        _note(sheet, row, text, len(ANNEX_WIDTHS), look)
    for_paper(sheet, landscape=True)
    return placed


def _folded_rows(table: Table) -> frozenset[int]:
    """Return the rows that are folded: nothing in them is published, or the list is long."""
    figures = [place for place, column in enumerate(table.columns) if column.redacted]
    bare = {
        number
        for number, row in enumerate(table.rows)
        if figures
        and all(row[place] is None or (table.key == "hours" and row[place] == 0) for place in figures)
    }
    left = [number for number in range(len(table.rows)) if number not in bare]
    if not left:  # all of it: fold nothing, or the sheet would look empty
        bare, left = set(), list(range(len(table.rows)))
    tail = left[ROWS_SHOWN:] if table.key in LISTS and len(left) > LONG else []
    return frozenset((*bare, *tail))


def csv_text(table: Table, say: Wording) -> str:
    """One table as comma-separated text; figures are plain numbers, an empty cell is not published."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([say.heading(column) for column in table.columns])
    for row in table.rows:
        writer.writerow(
            [_csv_value(value, column, say) for value, column in zip(row, table.columns, strict=True)]
        )
    return out.getvalue()


def _csv_value(value: Value, column: Column, say: Wording) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool) and column.unit != "text":
        return f"{value:g}" if isinstance(value, int) else repr(float(value))
    text = plain(say.cell(value, column)).replace("\r", " ").replace("\n", " ")
    # CSV has no types: a leading apostrophe is what spreadsheets take as "text"
    return f"'{text}" if text.startswith(FORMULA) else text


def _width(text: str) -> int:
    return max((sum(2 if ord(c) > 0x2E80 else 1 for c in line) for line in text.split("\n")), default=0)
