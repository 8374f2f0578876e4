"""How wide the columns of a table are on paper: no number and no word is split, long texts get the rest."""

import dataclasses
import itertools
import math
import re

import numpy as np

from geo.arrays import FloatArray
from maps.texts.wording import Wording
from siting.report import Table

__all__ = ["PT_MM", "Widths", "column_widths", "table_lines", "text_mm"]

PT_MM = 0.3528
PADDING_MM = 4.2
"""Both margins of a cell, and what typefaces differ in width."""
LEAST_PT = 7.0
WHOLE = (6.5, 4.5, 4.0)
"""Chinese characters in a row that a cell holds unbroken, so that no column is one of single characters."""
_SLACK = 1e-6
"""Of a line: what is as wide as its column fits."""
USUAL = 0.9
"""Share of the rows for which a column may have room on one line: the longest names may take two."""
_STRETCHED = 4
"""Columns of which all combinations of widths are tried."""
_TOKEN = re.compile(r"[^\s⺀-鿿　-〿＀-￯]+")
"""What may not be broken: everything between blanks and Chinese characters."""
_RAGGED = 1.12
"""Lines break before they are full."""
_WIDE = {
    c: em
    for chars, em in (
        ("ijl.,:;'|!-/", 0.34), ("ftIJ()[]", 0.4), ("rs–", 0.51), ("cvxyz", 0.57), ("aeko", 0.61),
        ("HNU", 0.88), ("mMwW%—", 1.06),
    )
    for c in chars
}  # fmt: skip
_CAPITAL, _OTHER = 0.82, 0.64
"""Widths of characters in em, as in the widest roman face that stands in for Times."""
_LONGEST = 20
"""Characters of a word or code that are kept together; a longer one is broken rather than the table."""


@dataclasses.dataclass(frozen=True, slots=True)
class Widths:
    """Column widths, and the size of type at which they hold."""

    mm: tuple[float, ...]
    pt: float
    whole: bool = True
    """Whether no word is broken."""


def text_mm(text: str, pt: float) -> float:
    """Return about how wide a text is set in a roman face: Chinese characters are square."""
    em = sum(1.0 if ord(c) > 0x2E80 else 0.72 if c.isupper() or c in "%—mwMW" else 0.52 for c in text)
    # between Chinese and Latin characters both Word and LibreOffice leave a quarter of a character
    em += 0.25 * sum((ord(a) > 0x2E80) != (ord(b) > 0x2E80) for a, b in itertools.pairwise(text))
    return em * pt * PT_MM


def _unbroken_mm(token: str) -> float:
    """Return how wide a token may come to be at 1 pt: in DejaVu, where Times is missing."""
    return sum(_WIDE.get(c, _CAPITAL if c.isupper() else _OTHER) for c in token) * PT_MM


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
    cells = _Cells.of(table, say)
    found = [_shared(cells, room_mm, pt, whole) for whole in WHOLE]
    return min(found, key=lambda one: (not one.whole, -one.pt, cells.lines(one)))


def table_lines(table: Table, say: Wording, room_mm: float, pt: float) -> int:
    """Return about how many lines a table has, its heading with them; parameters as `column_widths`."""
    return _Cells.of(table, say).lines(column_widths(table, say, room_mm, pt))


@dataclasses.dataclass(frozen=True, slots=True)
class _Cells:
    """What a table holds, measured once at a size of 1 pt, in mm."""

    headings: FloatArray
    """(columns,)."""
    texts: FloatArray
    """(rows, columns)."""
    tokens: FloatArray
    """(columns,), of the longest that may not be broken."""
    is_text: tuple[bool, ...]

    @classmethod
    def of(cls, table: Table, say: Wording) -> "_Cells":
        """Measure the texts of a table."""
        heads = [say.heading(column) for column in table.columns]
        rows = [[say.cell(v, c) for v, c in zip(row, table.columns, strict=True)] for row in table.rows]
        tokens = [
            max(
                (
                    _unbroken_mm(token)
                    for token in (
                        *(one[:_LONGEST] for row in rows for one in _TOKEN.findall(row[place])),
                        *_TOKEN.findall(head),
                    )
                ),
                default=0.0,
            )
            for place, head in enumerate(heads)
        ]
        return cls(
            np.array([text_mm(head, 1.0) for head in heads]),
            np.array([[text_mm(text, 1.0) for text in row] for row in rows]).reshape(len(rows), len(heads)),
            np.array(tokens),
            tuple(column.unit == "text" for column in table.columns),
        )

    def lines(self, found: Widths) -> int:
        """Return about how many lines the table has at these widths."""
        inner = np.maximum(1.0, np.array(found.mm) - PADDING_MM)
        rows = np.vstack((self.headings, self.texts)) * found.pt
        return int(np.ceil(rows / inner - _SLACK).max(axis=1).sum())

    def needs(self, pt: float, whole: float) -> tuple[FloatArray, FloatArray]:
        """Return the least and the wanted width of each column, mm."""
        heads, tokens = self.headings * pt, self.tokens * pt
        longest = self.texts.max(axis=0, initial=0.0) * pt
        floors = np.maximum(tokens, np.minimum(longest, whole * pt * PT_MM))
        floors = np.maximum(floors, np.minimum(heads, np.maximum(3 * pt * PT_MM, heads / 3)))
        wanted = np.maximum(np.maximum(floors, longest), np.minimum(heads, 2 * floors))
        return floors + PADDING_MM, wanted + PADDING_MM

    def fewest_lines(self, floors: FloatArray, room_mm: float, pt: float) -> FloatArray:
        """Return the widths at which the table has the fewest lines, at least ``floors``."""
        rows = np.vstack((self.headings, self.texts)) * pt
        longest = rows[1:].max(axis=0, initial=0.0)
        at = np.argsort(floors - PADDING_MM - longest)[:_STRETCHED]
        usual = (
            np.sort(rows[1:], axis=0)[math.ceil(USUAL * len(self.texts)) - 1] if len(self.texts) else longest
        )

        def lines(place: int, width: float) -> FloatArray:
            return np.ceil(rows[:, place] / max(1.0, width - PADDING_MM) - _SLACK)

        rest = np.ones(len(rows))
        for place in set(range(len(floors))) - set(at.tolist()):
            rest = np.maximum(rest, lines(place, float(floors[place])))
        choices: list[list[tuple[float, FloatArray]]] = []
        for place in at.tolist():
            inner = {longest[place], usual[place], *(longest[place] * _RAGGED / n for n in (2, 3, 4))}
            tried = sorted({max(float(floors[place]), float(one) + PADDING_MM) for one in (0.0, *inner)})
            choices.append([(width, lines(place, width)) for width in tried])
        left = room_mm - floors.sum() + floors[at].sum()
        best = math.inf
        widths_of = [float(width) for width in floors[at]]
        for chosen in itertools.product(*choices):
            total = sum(width for width, _ in chosen)
            if total > left:
                continue
            count = float(np.maximum.reduce([rest, *(one for _, one in chosen)]).sum()) + total / 1e6
            if count < best:
                best, widths_of = count, [width for width, _ in chosen]
        out = floors.copy()
        out[at] = widths_of
        return out


def _shared(cells: _Cells, room_mm: float, pt: float, whole: float) -> Widths:
    """Share the width where no column is narrower than so many Chinese characters, or than what it holds."""
    while True:
        floors, wanted = cells.needs(pt, whole)
        if floors.sum() <= room_mm or pt <= LEAST_PT:
            break
        pt -= 0.5
    if (spare := room_mm - floors.sum()) < 0:  # texts give way, numbers do not
        text = np.array(cells.is_text)
        loss = floors[text].sum() or floors.sum()
        shrink = max(0.35, 1 + spare / loss)
        floors = np.where(text | (not text.any()), floors * shrink, floors)
        floors = floors * min(1.0, room_mm / floors.sum())
        return Widths(tuple(floors.tolist()), pt, whole=False)
    widths = cells.fewest_lines(floors, room_mm, pt)
    more = np.maximum(0.0, wanted - widths)
    given = min(room_mm - widths.sum(), more.sum())
    widths = widths + (given * more / more.sum() if given > 0 else 0.0)
    return Widths(tuple((widths * (room_mm / widths.sum())).tolist()), pt)
