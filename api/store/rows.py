"""What rows have in common: JSON bodies, and pages by a cursor."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, TypeVar, cast

import sqlalchemy as sa

__all__ = ["Json", "PageEnd", "after", "read", "values_of"]

Json = Mapping[str, Any]
R = TypeVar("R")


@dataclasses.dataclass(frozen=True, slots=True)
class PageEnd:
    """Where a page ended: rows are listed by the instant they were made, then by id."""

    created_s: float
    row_id: str


def after(
    created_s: sa.ColumnElement[float], row_id: sa.ColumnElement[str], position: PageEnd | None
) -> sa.ColumnElement[bool]:
    """Return the condition that a row comes after `position`."""
    if position is None:
        return sa.true()
    return sa.tuple_(created_s, row_id) > sa.tuple_(
        sa.literal(position.created_s, sa.Double), sa.literal(position.row_id, sa.Text)
    )


def read(kind: type[R], row: sa.Row[Any]) -> R:
    """Make a dataclass of a row whose columns have the names of its fields."""
    return kind(**row._mapping)


@functools.cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(cast(Any, kind)))


def values_of(row: object) -> dict[str, Any]:
    """Return the fields of a dataclass by name, as they are."""
    return {name: getattr(row, name) for name in _names(cast(Any, type(row)))}
