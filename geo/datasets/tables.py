"""Tables as offices keep them: CSV (UTF-8 or GBK) and Excel, below titles, with merged cells and notes."""

import csv
import dataclasses
import io
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from geo.errors import InputError
from geo.sentences import Sentence

__all__ = ["TABLE_ENDINGS", "Heading", "PlaceTable", "Row", "cell_text", "read_table"]

TABLE_ENDINGS = (".csv", ".tsv", ".txt", ".xlsx")
LONGEST_CELL = 2**27
"""Boundaries in a cell of a CSV file are longer than Python's own limit."""
MOST_TITLES = 30
"""The heading stands in one of so many first rows."""
_UNIT = re.compile(r"\s*[(（].*[)）]\s*$")
_NOTE = re.compile(r"^(注|备注|说明|合计|总计|共|note|total)", re.IGNORECASE)
_SUM = re.compile(r"(?:合计|总计|小计|共计|总数|(?:grand |sub)?total|sum)\s*[:：]?", re.IGNORECASE)
_DASHES = ("-", "–", "—", "/", "无")

Row = tuple[int, Mapping[str, object]]
Grid = list[tuple[int, list[object]]]
Heading = Callable[[Sequence[str]], dict[str, str]]
"""Finds the columns among headings; `InputError` says which is lacking."""


@dataclasses.dataclass(frozen=True, slots=True)
class PlaceTable:
    """Rows below a heading."""

    rows: list[Row]
    """Number in the file, and cells by heading."""
    columns: dict[str, str]
    """From our names to headings."""


def read_table(path: Path, heading: Heading, layer: str | None = None) -> PlaceTable:
    """Read the rows of a table.

    Parameters
    ----------
    path : Path
        ``.csv`` or ``.xlsx``.
    heading : callable
        Finds our columns among the headings of the file, or raises `InputError`.
    layer : str, optional
        Sheet, of workbooks in which several fit.

    Raises
    ------
    InputError
        For a file that cannot be read, or in which no row is a heading.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(Sentence.of("no_file", path=str(path))) from None
    except OSError as error:
        why = (error.strerror or "input error").lower()
        raise InputError(Sentence.of("unreadable", path=str(path), why=why)) from None
    if path.suffix.lower() != ".xlsx":
        return _first_that_fits(path.name, _csv_grids(content, path.name), heading)
    return _sheet(content, path.name, heading, layer)


def _sheet(content: bytes, name: str, heading: Heading, wanted: str | None) -> PlaceTable:
    """Read the sheet that was named, else the first if it fits, else the only one that fits."""
    sheets = dict(_xlsx_grids(content, name))
    if wanted is not None:
        if wanted not in sheets:
            allowed = ", ".join(sheets)
            raise InputError(Sentence.of("no_sheet", file=name, wanted=wanted, allowed=allowed))
        return _first_that_fits(name, [sheets[wanted]], heading)
    fitting: dict[str, PlaceTable] = {}
    problems: list[InputError] = []
    for number, (title, grid) in enumerate(sheets.items()):
        try:
            fitting[title] = _first_that_fits(name, [grid], heading)
        except InputError as error:
            problems.append(error)
        if number == 0 and fitting:
            break
    if len(fitting) > 1:
        raise InputError(Sentence.of("several_sheets", file=name, allowed=", ".join(fitting)))
    if not fitting:
        raise problems[0] if problems else InputError(Sentence.of("no_heading", file=name))
    return next(iter(fitting.values()))


def _first_that_fits(name: str, grids: Sequence[Grid], heading: Heading) -> PlaceTable:
    """Find the heading below titles; the first row says what is lacking where there is none."""
    problem: InputError | None = None
    for grid in grids:
        for at, (_, cells) in enumerate(grid[:MOST_TITLES]):
            # A unit in brackets belongs to the heading, not to its name.
            plain = {_UNIT.sub("", cell_text(cell)): k for k, cell in reversed(list(enumerate(cells)))}
            full = {cell_text(cell): k for k, cell in reversed(list(enumerate(cells)))}
            names = {name: k for name, k in {**plain, **full}.items() if name}
            try:
                columns = heading(list(names))
            except InputError as error:
                problem = problem or error
                continue
            rows = list(_below(grid[at + 1 :], names, columns, cells))
            return PlaceTable(rows, columns)
    if problem is None:
        raise InputError(Sentence.of("no_heading", file=name))
    raise InputError(Sentence.of("in_file", file=name, what=problem.said))


def _below(
    grid: Grid, names: Mapping[str, int], columns: Mapping[str, str], head: Sequence[object]
) -> Iterator[Row]:
    places = [names[heading] for heading in columns.values()]
    for number, cells in grid:
        filled = [cell_text(cell) for cell in cells]
        ours = [filled[k] for k in places if k < len(filled)]
        # Empty rows, notes and sums, and a heading merged over two rows or repeated on each page.
        first = next((text for text in filled if text), "")
        note = len(set(filled) - {""}) == 1 and _NOTE.match(first)
        if not any(ours) or cells == head or note or _SUM.fullmatch(first):
            continue
        yield number, {name: cells[k] for name, k in names.items() if k < len(cells)}


def _csv_grids(content: bytes, name: str) -> list[Grid]:
    """Return the table as each separator would have it, the likeliest first."""
    try:
        # "Unicode text" of a spreadsheet begins with the mark of its byte order
        wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError:
            raise InputError(Sentence.of("encoding", file=name)) from None
    head = "\n".join(text.split("\n", MOST_TITLES)[:MOST_TITLES])
    grids: list[Grid] = []
    for separator in sorted(",\t;", key=head.count, reverse=True):
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        grid: Grid = []
        start = 1
        longest = csv.field_size_limit(LONGEST_CELL)
        try:
            for row in reader:
                if any(cell.strip() for cell in row):
                    grid.append((start, list(row)))
                start = reader.line_num + 1
        except csv.Error as error:
            last = reader.line_num
            raise InputError(Sentence.of("csv_row", file=name, number=last, why=str(error))) from None
        finally:
            csv.field_size_limit(longest)
        grids.append(grid)
    return grids


def _xlsx_grids(content: bytes, name: str) -> list[tuple[str, Grid]]:
    try:
        with warnings.catch_warnings():
            # Styles that the library does not know are of no interest here.
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
            return [(sheet.title, _cells(sheet)) for sheet in book.worksheets]
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, IndexError):
        raise InputError(Sentence.of("no_workbook", file=name)) from None


def _cells(sheet: Worksheet) -> Grid:
    """Return the rows of a sheet; each row below a merged cell has its value."""
    table = [list(row) for row in sheet.iter_rows(values_only=True)]
    for merged in sheet.merged_cells.ranges:
        value = table[merged.min_row - 1][merged.min_col - 1]
        for row in table[merged.min_row : merged.max_row]:
            row[merged.min_col - 1] = value
    return [(number, row) for number, row in enumerate(table, 1) if any(map(cell_text, row))]


def cell_text(cell: object) -> str:
    """Return a cell as text; a dash stands for nothing."""
    if cell is None:
        return ""
    if isinstance(cell, Sequence) and not isinstance(cell, str):
        return ";".join(cell_text(part) for part in cell)
    text = str(cell).strip()
    return "" if text in _DASHES else text
