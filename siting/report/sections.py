"""The parts of a report: sections of sentences, figures, pictures and tables, in the order of the paper."""

import dataclasses
from typing import Literal

from siting.values import Say, Table, Term

__all__ = ["KeyFigure", "Link", "Part", "Section", "StudyReport"]

Part = Literal["conclusion", "contents", "station", "body", "annex"]
"""Where a section stands: on the first page, below the table of contents, on a sheet of its own, in the text,
behind it."""


@dataclasses.dataclass(frozen=True, slots=True)
class KeyFigure:
    """One figure that a reader keeps, with what it means."""

    label: Term
    value: Say
    meaning: Say


@dataclasses.dataclass(frozen=True, slots=True)
class Link:
    """An address that opens a place, and what opens it."""

    label: Term
    url: str


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    """One section: sentences, then pictures and figures, then tables, what follows them, and what to do."""

    key: str
    paragraphs: tuple[Say, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[str, ...] = ()
    """Names of pictures: ``map``, ``lead``, ``coverage``, ``budget``, ``front``, and ``inset:S01`` and
    ``hours:S01`` of one station."""
    part: Part = "body"
    title: Say | None = None
    """Its heading where ``section.<key>`` of the catalogue is not enough."""
    figures: tuple[KeyFigure, ...] = ()
    closing: tuple[Say, ...] = ()
    """Sentences behind the tables."""
    asks: Table | None = None
    """Who is asked for what; behind the closing sentences."""
    checks: tuple[Term, ...] = ()
    """What to look at on the spot, to be ticked."""
    links: tuple[Link, ...] = ()
    photo: bool = False
    """Whether there is room for a photograph."""

    @property
    def all_tables(self) -> tuple[Table, ...]:
        """Every table with rows, in the order of the paper."""
        return tuple(table for table in (*self.tables, *((self.asks,) if self.asks else ())) if table.rows)

    @property
    def sentences(self) -> tuple[Say, ...]:
        """Every sentence, in the order of the paper."""
        from_figures = tuple(one for figure in self.figures for one in (figure.value, figure.meaning))
        return (*self.paragraphs, *from_figures, *self.closing)


@dataclasses.dataclass(frozen=True, slots=True)
class StudyReport:
    """All that one document says, in its order."""

    title: Say
    subtitle: Say
    sections: tuple[Section, ...]
    grid_code: str | None = None
    """The unit grid it is about; None for the whole study."""
