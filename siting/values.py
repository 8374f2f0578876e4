"""Plain values of a report with their units: rows and columns, words as keys of the text catalogue.

No language and no files in here: every word is a key (:class:`Term`, :class:`Say`), every figure keeps its
unit (:data:`Unit`).
"""

import dataclasses
from typing import Literal

from geo.errors import InputError

__all__ = ["Column", "Quantity", "Say", "Table", "Term", "Unit", "Value"]

Unit = Literal[
    "text",  # as it stands: names, and codes that must never become numbers
    "count",
    "min_a_day",  # rider-minutes a day
    "hours_a_day",  # rider-hours a day
    "a_day",  # events or persons a day
    "share",  # 0-1, shown as per cent
    "points",  # hundredths, with their sign: what a share gains or loses
    "index",  # a number without a unit, such as a Gini coefficient
    "kmh",
    "yuan",
    "m",
    "m_a_day",
    "s",
    "degrees",
]


@dataclasses.dataclass(frozen=True, slots=True)
class Term:
    """A word of the text catalogue."""

    key: str


@dataclasses.dataclass(frozen=True, slots=True)
class Quantity:
    """A figure with its unit; None stands for fewer than k riders when ``redacted``, else for no figure."""

    value: float | int | None
    unit: Unit
    redacted: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Say:
    """A sentence of the text catalogue and what to put into it."""

    key: str
    params: tuple[tuple[str, "Value"], ...] = ()


Value = str | int | float | bool | None | Term | Quantity | Say | tuple["Value", ...]
"""What one cell of a table may hold."""


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """One column: ``key`` names its heading, ``unit`` says how to read and set its values.

    ``redacted``: an empty cell means "fewer than k riders stand behind it", otherwise "does not apply".
    """

    key: str
    unit: Unit = "text"
    redacted: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """Rows of one kind. Every row has one value a column."""

    key: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]

    def __post_init__(self) -> None:
        keys = [column.key for column in self.columns]
        if len(set(keys)) < len(keys):  # one of the two could not be named, and Excel would repair the sheet
            raise InputError(f"table {self.key}: two columns have the same key, allowed is one each")
        for number, row in enumerate(self.rows, start=1):
            if len(row) != len(self.columns):
                raise InputError(
                    f"table {self.key}, row {number}: {len(row)} values, allowed exactly {len(self.columns)}"
                )

    def select(self, *keys: str) -> "Table":
        """Keep the same rows with only the named columns, in the order named."""
        at = {column.key: index for index, column in enumerate(self.columns)}
        missing = [key for key in keys if key not in at]
        if missing:
            raise InputError(f"table {self.key} has no column {missing[0]}, allowed: {', '.join(at)}")
        picks = [at[key] for key in keys]
        return Table(
            self.key,
            tuple(self.columns[index] for index in picks),
            tuple(tuple(row[index] for index in picks) for row in self.rows),
        )
