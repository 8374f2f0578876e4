"""Cells of a workbook: numbers as numbers, texts that can never be formulas, one look for all sheets."""

import dataclasses

from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.worksheet.worksheet import Worksheet

from maps.texts.safe_text import plain
from maps.texts.wording import Wording
from siting.report import Column, Quantity, Unit, Value

__all__ = [
    "FORMULA",
    "SheetLook",
    "aligned",
    "fill",
    "for_paper",
    "head_cell",
    "set_text",
    "text_height",
]  # fmt: skip

FORMULA = ("=", "+", "-", "@", "\t", "\r")
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


@dataclasses.dataclass(frozen=True, slots=True)
class SheetLook:
    """Type, ground and lines of all sheets."""

    title: Font
    head: Font
    body: Font
    bold: Font
    note: Font
    ground: PatternFill
    frame: Border

    @classmethod
    def of(cls, say: Wording) -> "SheetLook":
        """Return the look for a language."""
        name = "Microsoft YaHei" if say.catalogue.lang == "zh" else "Calibri"
        thin = Side(style="thin", color="BFBFBF")
        return cls(
            title=Font(name=name, size=16, bold=True),
            head=Font(name=name, bold=True, color="FFFFFF"),
            body=Font(name=name, size=10),
            bold=Font(name=name, size=14, bold=True, color="1F4E5F"),
            note=Font(name=name, size=9, italic=True, color="666666"),
            ground=PatternFill("solid", fgColor="1F4E5F"),
            frame=Border(left=thin, right=thin, top=thin, bottom=thin),
        )


def head_cell(cell: Cell, text: str, look: SheetLook) -> None:
    """Set the heading of a column."""
    set_text(cell, text)
    cell.font, cell.fill, cell.border = look.head, look.ground, look.frame
    cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)


def aligned(column: Column) -> Alignment:
    """Return how cells of a column stand: texts left, clear of the number before; figures right."""
    if column.unit == "text":
        return Alignment(horizontal="left", indent=1, vertical="top", wrap_text=True)
    return Alignment(horizontal="right", vertical="top")


def text_height(text: str, characters: float, line_pt: float) -> float:
    """Return how high a row has to be, points, for a text in a cell so many characters wide."""
    long = sum(2 if ord(c) > 0x2E80 else 1 for c in text)
    return line_pt * max(1, -(-long // (characters * 0.95)))


def for_paper(sheet: Worksheet, *, landscape: bool) -> None:
    """Fit a sheet to the width of A4; each page tells its number and the name of the sheet."""
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0 if landscape else 1
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.oddFooter.center.text = "&P / &N"
    sheet.oddHeader.left.text = "&A"


def fill(cell: Cell, value: Value, column: Column, say: Wording) -> str:
    """Set one cell; returns what it shows, for the width."""
    unit = column.unit
    if isinstance(value, Quantity) and value.unit != "text" and value.value is not None:
        cell.value, cell.number_format = value.value, _FORMATS[value.unit]
        if value.unit not in ("share", "count", "index"):  # no heading of its column has the unit
            name = say.text(f"unit.{value.unit}").replace('"', "")
            cell.number_format = f'{_FORMATS[value.unit]} "{name}"'
        return say.quantity(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and unit != "text":
        cell.value, cell.number_format = value, _FORMATS[unit]
        return say.cell(value, column)
    shown = say.quantity(value) if isinstance(value, Quantity) else say.cell(value, column)
    set_text(cell, shown)
    return shown


def set_text(cell: Cell, text: str) -> None:
    """Set a cell as text: stored as a string, never as a formula, and shown as it stands."""
    cell.value = plain(text)[:_LONGEST]
    cell.data_type = "s"
    cell.number_format = "@"
    if cell.value.startswith(FORMULA):
        cell.quotePrefix = True
