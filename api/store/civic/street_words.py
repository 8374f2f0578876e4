"""What people and offices say of streets, gates and stairs."""

import dataclasses

import sqlalchemy as sa

from api.store import scope
from api.store.rows import read
from api.store.scope import Scope
from api.store.tables import street_words
from routing.civic import StreetWord

__all__ = ["WordRow", "add", "forget", "since"]


@dataclasses.dataclass(frozen=True, slots=True)
class WordRow:
    """One word; `tenant_id` is that of the office that said it, None for a person."""

    word_id: str
    tenant_id: str | None
    said_by: str
    thing: str
    says: str
    lon: float
    lat: float
    towards_lon: float | None
    towards_lat: float | None
    made_s: float

    @staticmethod
    def of(word_id: str, word: StreetWord) -> "WordRow":
        """Return the row of a word."""
        lon, lat = word.towards if word.towards is not None else (None, None)
        return WordRow(
            word_id, word.by if word.office else None, word.by, word.thing, word.says, word.lonlat[0],
            word.lonlat[1], lon, lat, word.made_s,
        )  # fmt: skip

    @property
    def word(self) -> StreetWord:
        """The word as the rules know it."""
        towards = None
        if self.towards_lon is not None and self.towards_lat is not None:
            towards = (self.towards_lon, self.towards_lat)
        return StreetWord(
            self.said_by, self.tenant_id is not None, self.thing, self.says, (self.lon, self.lat),
            self.made_s, towards,
        )  # fmt: skip


def add(connection: sa.Connection, who: Scope, row: WordRow) -> None:
    """Keep a word.

    Raises
    ------
    OutOfScopeError
        For everybody but the service.
    """
    connection.execute(scope.insert(street_words, who, row.tenant_id), dataclasses.asdict(row))


def since(connection: sa.Connection, who: Scope, made_s: float) -> list[WordRow]:
    """Return the words in scope that were said at an instant or later, in order."""
    query = scope.select(street_words, who).where(street_words.c.made_s >= made_s)
    query = query.order_by(street_words.c.made_s, street_words.c.word_id)
    return [read(WordRow, row) for row in connection.execute(query)]


def forget(connection: sa.Connection, who: Scope, before_s: float) -> int:
    """Remove words that were said before an instant; returns how many."""
    statement = scope.delete(street_words, who).where(street_words.c.made_s < before_s)
    return connection.execute(statement).rowcount
