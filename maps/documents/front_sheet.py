"""The first sheet of a workbook: the conclusion of the report, with charts that the spreadsheet draws."""

from collections.abc import Mapping

from openpyxl.chart import BarChart, Reference, ScatterChart, Series
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import (
    CharacterProperties,
    Paragraph,
    ParagraphProperties,
    RichTextProperties,
)
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.worksheet import Worksheet

from maps.documents.sheet_cells import SheetLook, aligned, fill, for_paper, head_cell, set_text, text_height
from maps.texts.wording import Wording
from siting.report import KeyFigure, Quantity, StudyReport, Table

__all__ = ["add_charts", "write_front"]

_WIDTHS = (20, 26, 24, 24, 34)
_WIDE = len(_WIDTHS)
_CHART_CM = ((13.2, 7.2), (11.0, 7.2))
"""Of the left and the right chart: together as wide as the columns, or the page is printed smaller."""


def write_front(sheet: Worksheet, report: StudyReport, say: Wording, look: SheetLook) -> None:
    """Write title, sentences, key figures, stations, and what is asked of whom, for one page."""
    first, *others = report.sections
    for place, width in enumerate(_WIDTHS):
        sheet.column_dimensions["ABCDE"[place]].width = width
    row = _wide(sheet, 1, say.say(report.title), look.title)
    row = _wide(sheet, row, say.say(report.subtitle), look.note)
    for said in first.paragraphs:
        row = _wide(sheet, row, say.say(said), look.body)
    row = _figures(sheet, row + 1, first.figures, say, look)
    tables = [*first.tables, *((first.asks,) if first.asks else ())]
    if report.grid_code is not None:
        tables += [table for section in others for table in section.tables if table.key == "grid_asks"]
    for number, table in enumerate(table for table in tables if table.rows):
        row = _table(sheet, row + 1, table, say, look)
        if number == 0:
            for said in first.closing:
                row = _wide(sheet, row, say.say(said), look.body)
    for_paper(sheet, landscape=False)
    sheet.sheet_view.showGridLines = False


def _wide(sheet: Worksheet, row: int, text: str, font: Font) -> int:
    """Write a text across the sheet, as high as it needs; returns the next row."""
    sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=_WIDE)
    cell = sheet.cell(row, 1)
    set_text(cell, text)
    cell.font = font
    cell.alignment = Alignment(vertical="top", wrap_text=True)
    sheet.row_dimensions[row].height = text_height(text, sum(_WIDTHS), 1.4 * font.size)
    return row + 1


def _figures(
    sheet: Worksheet, row: int, figures: tuple[KeyFigure, ...], say: Wording, look: SheetLook
) -> int:
    """One figure a row, as a number with its unit in the name; what it means beside it."""
    facts = [fact for figure in figures for fact in _facts(figure, say)]
    for name, quantity, meaning in facts:
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=2)
        sheet.merge_cells(start_row=row, start_column=4, end_row=row, end_column=_WIDE)
        set_text(sheet.cell(row, 1), name)
        _number(sheet, row, quantity, say)
        set_text(sheet.cell(row, 4), meaning)
        sheet.cell(row, 1).font = sheet.cell(row, 4).font = look.body
        sheet.cell(row, 3).font = look.bold
        for place in range(1, _WIDE + 1):
            sheet.cell(row, place).border = look.frame
            side = "right" if place == 3 else "left"
            sheet.cell(row, place).alignment = Alignment(
                horizontal=side, indent=1, vertical="center", wrap_text=True
            )
        sheet.row_dimensions[row].height = max(24.0, text_height(meaning, sum(_WIDTHS[3:]), 14))
        row += 1
    return row


def _facts(figure: KeyFigure, say: Wording) -> list[tuple[str, Quantity, str]]:
    """Return the figures of one statement, each with its own name; its meaning beside the last one."""
    found = [(name, value) for name, value in figure.value.params if isinstance(value, Quantity)]
    label, meaning = say.term(figure.label.key), say.say(figure.meaning)
    out = []
    for number, (name, quantity) in enumerate(found):
        when = say.text(f"figure.{name}") if len(found) > 1 else ""
        unit = say.text(f"unit.{quantity.unit}")
        named = f"{label} {when}".strip() + (f" ({unit})" if unit and quantity.unit != "share" else "")
        out.append((named, quantity, meaning if number == len(found) - 1 else ""))
    return out


def _number(sheet: Worksheet, row: int, quantity: Quantity, say: Wording) -> None:
    cell = sheet.cell(row, 3)
    if quantity.value is None:
        set_text(cell, say.text("quantity.redacted_short", k=say.k))
        return
    cell.value = quantity.value
    cell.number_format = "0.0%" if quantity.unit == "share" else "#,##0"


def _table(sheet: Worksheet, row: int, table: Table, say: Wording, look: SheetLook) -> int:
    """Write a table below its caption; the last column takes what width is left."""
    row = _wide(sheet, row, say.text(f"caption.{table.key}"), look.bold)
    count = len(table.columns)
    for place, column in enumerate(table.columns, start=1):
        head_cell(sheet.cell(row, place), say.heading(column), look)
    _span(sheet, row, count)
    for values in table.rows:
        row += 1
        high = 15.0
        for place, (value, column) in enumerate(zip(values, table.columns, strict=True), start=1):
            cell = sheet.cell(row, place)
            shown = fill(cell, value, column, say)
            cell.font, cell.border, cell.alignment = look.body, look.frame, aligned(column)
            room = sum(_WIDTHS[place - 1 :]) if place == count else _WIDTHS[place - 1]
            high = max(high, text_height(shown, room, 14))
        _span(sheet, row, count)
        sheet.row_dimensions[row].height = high
    return row + 1


def _span(sheet: Worksheet, row: int, count: int) -> None:
    if count < _WIDE:
        sheet.merge_cells(start_row=row, start_column=count, end_row=row, end_column=_WIDE)


def add_charts(
    sheet: Worksheet, placed: Mapping[str, tuple[Worksheet, int]], tables: Mapping[str, Table], say: Wording
) -> None:
    """Add charts over the figures of other sheets: what is served, by which station, for which money."""
    row = sheet.max_row + 2
    place = 0
    for key, value, name in (("coverage", "served_training", "method"), ("sites", "rest", "id")):
        if key in placed and len(tables[key].rows) > 1:  # one bar compares nothing
            _put(sheet, _bars(placed[key], tables[key], (value, name), say), row, place)
            place += 1
    if "budget" in placed and len(tables["budget"].rows) > 1:
        _put(sheet, _curve(placed["budget"], tables["budget"], say), row, place)


def _put(sheet: Worksheet, chart: BarChart | ScatterChart, row: int, place: int) -> None:
    chart.width, chart.height = _CHART_CM[place % 2]
    chart.legend = None
    _sized(chart.title, 11)
    for axis in (chart.x_axis, chart.y_axis):
        axis.delete = False  # else Excel draws none
        _sized(axis.title, 9)
        small = ParagraphProperties(defRPr=CharacterProperties(sz=800))
        axis.txPr = RichText(bodyPr=RichTextProperties(), p=[Paragraph(pPr=small)])
    if chart.y_axis.majorGridlines is not None:
        chart.y_axis.majorGridlines.spPr = GraphicalProperties(ln=LineProperties(solidFill="D9D9D9"))
    sheet.add_chart(chart, f"{'AD'[place % 2]}{row + 16 * (place // 2)}")


def _sized(title: Title, pt: int) -> None:
    """Set the size of a title: those of spreadsheets take half of a small chart."""
    for run in title.tx.rich.p[0].r:
        run.rPr = CharacterProperties(sz=100 * pt, b=True)


def _at(table: Table, key: str) -> int:
    """Return the column of a sheet in which a figure stands."""
    return 1 + next(place for place, column in enumerate(table.columns) if column.key == key)


def _bars(placed: tuple[Worksheet, int], table: Table, columns: tuple[str, str], say: Wording) -> BarChart:
    (source, head), (value, name) = placed, columns
    column, last = _at(table, value), head + len(table.rows)
    chart = BarChart()
    # names of ways of choosing are long: they stand beside lying bars, the first on top
    chart.type, chart.style, chart.gapWidth = "bar" if name == "method" else "col", 10, 60
    if name == "method":
        chart.x_axis.scaling.orientation, chart.y_axis.crosses = "maxMin", "max"
    chart.title = say.text(f"caption.{'coverage' if name == 'method' else 'hours_total'}")
    chart.y_axis.title = say.heading(table.columns[column - 1])
    chart.y_axis.number_format = "0%" if name == "method" else "#,##0"
    chart.x_axis.title = say.text(f"column.{name}")
    chart.add_data(Reference(source, min_col=column, min_row=head + 1, max_row=last), titles_from_data=False)
    chart.set_categories(Reference(source, min_col=_at(table, name), min_row=head + 1, max_row=last))
    chart.series[0].graphicalProperties = GraphicalProperties(solidFill="1F4E5F")
    return chart


def _curve(placed: tuple[Worksheet, int], table: Table, say: Wording) -> ScatterChart:
    source, head = placed
    last = head + len(table.rows)
    chart = ScatterChart()
    chart.style = 13
    chart.title = say.text("caption.budget")
    chart.x_axis.title = say.heading(table.columns[_at(table, "cost_yuan") - 1])
    chart.y_axis.title = say.heading(table.columns[_at(table, "weighted_share") - 1])
    chart.y_axis.number_format, chart.x_axis.number_format = "0%", "#,##0"
    chart.x_axis.majorGridlines = None
    series = Series(
        Reference(source, min_col=_at(table, "weighted_share"), min_row=head + 1, max_row=last),
        Reference(source, min_col=_at(table, "cost_yuan"), min_row=head + 1, max_row=last),
    )
    series.marker.symbol = "circle"
    series.smooth = False  # between two plans nothing is known
    series.graphicalProperties = GraphicalProperties()
    series.graphicalProperties.line.solidFill = "1F4E5F"
    chart.series.append(series)
    return chart
