"""How wide the columns of a table are on paper: no number and no word is split, long texts get the rest."""

import dataclasses
import itertools
import math
import re

from maps.texts.wording import Wording
from siting.report import Table

__all__ = ["Widths", "column_widths", "text_mm"]

PT_MM = 0.3528
PADDING_MM = 4.2
"""Both margins of a cell, and what typefaces differ in width."""
LEAST_PT = 7.0
WHOLE = (6.5, 4.5)
"""Chinese characters in a row that a cell holds unbroken, so that no column is one of single characters."""
_TOKEN = re.compile(r"[^\s⺀-鿿　-〿＀-￯]+")
"""What may not be broken: everything between blanks and Chinese characters."""
_MOST_LINES = 60
_RAGGED = 1.12
"""Lines break before they are full."""
_LONGEST = 20
"""Characters of a word or code that are kept together; a longer one is broken rather than the table."""


@dataclasses.dataclass(frozen=True, slots=True)
class Widths:
    """Column widths, and the size of type at which they hold."""

    mm: tuple[float, ...]
    pt: float


def text_mm(text: str, pt: float) -> float:
    """Return about how wide a text is set in a roman face: Chinese characters are square."""
    em = sum(1.0 if ord(c) > 0x2E80 else 0.72 if c.isupper() or c in "%—mwMW" else 0.52 for c in text)
    # between Chinese and Latin characters both Word and LibreOffice leave a quarter of a character
    em += 0.25 * sum((ord(a) > 0x2E80) != (ord(b) > 0x2E80) for a, b in itertools.pairwise(text))
    return em * pt * PT_MM


def column_widths(table: Table, say: Wording, room_mm: float, pt: float) -> Widths:
    """Share the width among the columns; where words would be split, the type becomes smaller.

    Parameters
    ----------
    table, say
        What stands in the cells.
    room_mm
        Width of the whole table.
    pt
        Size of type, made smaller down to `LEAST_PT` where the columns need it.
    """
    return min(
        (_shared(table, say, room_mm, pt, whole) for whole in WHOLE),
        key=lambda found: (-found.pt, _lines(table, say, found)),
    )


def _shared(table: Table, say: Wording, room_mm: float, pt: float, whole: float) -> Widths:
    """Share the width where no column is narrower than so many Chinese characters, or than what it holds."""
    while True:
        floors, wanted = _needs(table, say, pt, whole)
        if sum(floors) <= room_mm or pt <= LEAST_PT:
            break
        pt -= 0.5
    if (spare := room_mm - sum(floors)) < 0:  # texts give way, numbers do not
        text = [column.unit == "text" for column in table.columns]
        loss = sum(floor for floor, gives in zip(floors, text, strict=True) if gives) or sum(floors)
        shrink = max(0.35, 1 + spare / loss)
        floors = [
            floor * shrink if gives or not any(text) else floor
            for floor, gives in zip(floors, text, strict=True)
        ]
        scale = room_mm / sum(floors)
        return Widths(tuple(floor * min(1.0, scale) for floor in floors), pt)
    floors = _even(floors, wanted, room_mm)
    more = [max(0.0, want - floor) for want, floor in zip(wanted, floors, strict=True)]
    given = min(room_mm - sum(floors), sum(more))
    widths = [
        floor + (given * extra / sum(more) if given else 0.0)
        for floor, extra in zip(floors, more, strict=True)
    ]
    left = room_mm - sum(widths)
    return Widths(tuple(width + left * width / sum(widths) for width in widths), pt)


def _even(floors: list[float], wanted: list[float], room_mm: float) -> list[float]:
    """Widen columns so that no cell has more lines than need be: a short text leaves room to a long one."""
    for lines in range(1, _MOST_LINES):
        widths = [
            max(floor, (want - PADDING_MM) * (1.0 if lines == 1 else _RAGGED / lines) + PADDING_MM)
            for floor, want in zip(floors, wanted, strict=True)
        ]
        if sum(widths) <= room_mm:
            return widths
    return floors


def _lines(table: Table, say: Wording, found: Widths) -> int:
    """Return about how many lines a table has at these widths."""
    rows = [[say.heading(column) for column in table.columns]]
    rows += [[say.cell(v, c) for v, c in zip(row, table.columns, strict=True)] for row in table.rows]
    inner = [max(1.0, width - PADDING_MM) for width in found.mm]
    return sum(
        max(math.ceil(text_mm(text, found.pt) / room) for text, room in zip(row, inner, strict=True))
        for row in rows
    )


def _needs(table: Table, say: Wording, pt: float, whole: float) -> tuple[list[float], list[float]]:
    """Return the least and the wanted width of each column, mm."""
    floors, wanted = [], []
    for place, column in enumerate(table.columns):
        texts = [say.cell(row[place], column) for row in table.rows]
        heading = say.heading(column)
        tokens = [token[:_LONGEST] for text in texts for token in _TOKEN.findall(text)]
        tokens += _TOKEN.findall(heading)
        floor = max((text_mm(token, pt) for token in tokens), default=0.0)
        longest = max((text_mm(text, pt) for text in texts), default=0.0)
        floor = max(floor, min(longest, whole * pt * PT_MM))
        floor = max(floor, min(text_mm(heading, pt), max(3 * pt * PT_MM, text_mm(heading, pt) / 3)))
        floors.append(floor + PADDING_MM)
        wanted.append(max(floor, longest, min(text_mm(heading, pt), 2 * floor)) + PADDING_MM)
    return floors, wanted
