"""Report tables as a workbook and as CSV, safe to open in Excel and WPS."""

import csv
import datetime
import io
import re

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from maps.documents.zips import settle_zip
from maps.texts.wording import Wording
from siting.report import Column, Quantity, Table, Unit, Value
from siting.results import Study

__all__ = ["csv_text", "plain", "workbook"]

_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]|[\ud800-\udfff]")
"""Characters that XML 1.0 forbids (section 2.2); Excel refuses a file that holds one."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet compute a text (OWASP, CSV injection)."""
_FORMATS: dict[Unit, str] = {
    "count": "#,##0",
    "a_day": "#,##0.0",
    "min_a_day": "#,##0.0",
    "hours_a_day": "#,##0.0",
    "share": "0.0%",
    "points": "+0.0;-0.0;0.0",
    "index": "0.000",
    "kmh": "0.0",
    "yuan": "#,##0",
    "m": "#,##0",
    "m_a_day": "#,##0",
    "s": "#,##0",
    "degrees": "0.000000",
}
_LONGEST = 32_000  # characters a cell of Excel holds, less a margin


def plain(text: str) -> str:
    """Take out control characters that no document may hold."""
    return _ILLEGAL.sub("", text)


def workbook(tables: tuple[Table, ...], study: Study, say: Wording, title: str) -> bytes:
    """One sheet a table: heading frozen and filtered, numbers as numbers, codes as text."""
    book = Workbook()
    book.remove(book.active)
    head = Font(
        name="Microsoft YaHei" if say.catalogue.lang == "zh" else "Calibri", bold=True, color="FFFFFF"
    )
    body = Font(name=head.name, size=10)
    ground = PatternFill("solid", fgColor="1F4E5F")
    thin = Side(style="thin", color="BFBFBF")
    frame = Border(left=thin, right=thin, top=thin, bottom=thin)
    for table in tables:
        sheet = book.create_sheet(say.text(f"table.{table.key}"))
        widths = [len(say.heading(column)) for column in table.columns]
        for place, column in enumerate(table.columns, start=1):
            cell = sheet.cell(1, place)
            _text(cell, say.heading(column))
            cell.font, cell.fill, cell.border = head, ground, frame
            cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        for number, row in enumerate(table.rows, start=2):
            for place, (value, column) in enumerate(zip(row, table.columns, strict=True), start=1):
                cell = sheet.cell(number, place)
                shown = _fill(cell, value, column, say)
                cell.font, cell.border = body, frame
                cell.alignment = Alignment(vertical="top", wrap_text=column.unit == "text")
                widths[place - 1] = max(widths[place - 1], _width(shown))
        last = get_column_letter(len(table.columns))
        for place, width in enumerate(widths, start=1):
            sheet.column_dimensions[get_column_letter(place)].width = min(46, max(8, width + 3))
        sheet.row_dimensions[1].height = 32
        sheet.freeze_panes = "A2"
        sheet.auto_filter.ref = f"A1:{last}{max(1, len(table.rows) + 1)}"
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
        sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
        sheet.print_title_rows = "1:1"
        sheet.oddFooter.center.text = "&P / &N"
        note = sheet.cell(len(table.rows) + 3, 1)
        _text(note, _note(study, say))
        note.font = Font(name=head.name, size=9, italic=True, color="666666")
    book.properties.title = plain(title)
    book.properties.creator = "yilu"
    book.properties.created = datetime.datetime.fromisoformat(study.period[1])
    out = io.BytesIO()
    book.save(out)
    return settle_zip(out.getvalue(), study.period[1])


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


def _note(study: Study, say: Wording) -> str:
    first, last = study.period
    period = say.text("say.period", first=say.day(first), last=say.day(last))
    mark = say.text("quantity.redacted_short", k=study.k)
    return say.text("caption.note_k", period=period, k=study.k, mark=mark)


def _fill(cell: Cell, value: Value, column: Column, say: Wording) -> str:
    """Set one cell; returns what it shows, for the width."""
    unit = column.unit
    if isinstance(value, Quantity) and value.unit != "text" and value.value is not None:
        shown = say.quantity(value)
        if value.unit in ("share", "count"):
            cell.value, cell.number_format = value.value, _FORMATS[value.unit]
        else:
            _text(cell, shown)
        return shown
    if isinstance(value, int | float) and not isinstance(value, bool) and unit != "text":
        cell.value, cell.number_format = value, _FORMATS[unit]
        return say.cell(value, column)
    shown = say.quantity(value) if isinstance(value, Quantity) else say.cell(value, column)
    _text(cell, shown)
    return shown


def _text(cell: Cell, text: str) -> None:
    """Set a cell as text: stored as a string, never as a formula, and shown as it stands."""
    cell.value = plain(text)[:_LONGEST]
    cell.data_type = "s"
    cell.number_format = "@"
    if cell.value.startswith(_FORMULA):
        cell.quotePrefix = True


def _csv_value(value: Value, column: Column, say: Wording) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool) and column.unit != "text":
        return f"{value:g}" if isinstance(value, int) else repr(float(value))
    text = plain(say.cell(value, column)).replace("\r", " ").replace("\n", " ")
    # CSV has no types: a leading apostrophe is what spreadsheets take as "text"
    return f"'{text}" if text.startswith(_FORMULA) else text


def _width(text: str) -> int:
    return max((sum(2 if ord(c) > 0x2E80 else 1 for c in line) for line in text.split("\n")), default=0)
