"""What the civic side needs beside a turn, and its part of the desk's clock."""

import contextlib
import dataclasses
import math
from collections.abc import Callable

from api.civic.people import person_of
from api.civic.points import booking
from api.civic.reports import matters
from api.civic.rules import CivicRules, GridFinder
from api.civic.streets import Streets
from api.dispatch.turn import Turn
from api.store import SERVICE, Database, StoreUnavailable
from api.store.civic import matters as rows
from api.store.civic import photos
from api.store.civic import street_words as words
from api.store.dispatch import events as stored
from geo.localtime import DAY_S, HOUR_S
from routing.civic import StreetWord, Tick, drill
from routing.dispatch import Happened, RiderKey

__all__ = ["Civic"]

AT_ONCE = 200
UNUSED_S = DAY_S
"""Photos that nothing uses are forgotten after so long."""
TIDY_S = HOUR_S
WORD = "word-"
"""Names of what was said of streets begin so."""


@dataclasses.dataclass(eq=False)
class Civic:
    """Follows the desk: what is overdue goes up, verified tasks are paid, looks move their reports on.

    Parameters
    ----------
    rules : CivicRules
    ids : callable
        Returns names that nobody can guess.
    grids : GridFinder
        Unit grids of the study that is served.
    streets : Streets
        Of the study that is served.
    """

    rules: CivicRules
    ids: Callable[[], str]
    grids: GridFinder
    streets: Streets
    _due_s: float = -math.inf
    _tidy_s: float = -math.inf
    _heard_words: bool = True
    """Whether the store may have words of streets that are not known here, or lack some that are."""

    def begin(self, database: Database, now_s: float) -> None:
        """Take up what was said of streets before this process began; without a store that comes later."""
        with contextlib.suppress(StoreUnavailable), database.reading() as connection:
            said = words.since(connection, SERVICE, now_s - self.streets.lasts_s)
            self.streets.take_up(said, now_s)

    @property
    def next_due_s(self) -> float:
        """When something of a matter runs out next, or a closure ends."""
        return min(self._due_s, self.streets.next_change_s)

    def tick(self, turn: Turn) -> None:
        """Carry out what is due."""
        self._lay_streets(turn)
        if not self._due_s < turn.now_s:
            return
        for row in rows.due(turn.connection, SERVICE, turn.now_s, AT_ONCE):
            matters.matter_carried_out(turn, self.rules, row, Tick(), self.ids)
        self._due_s = rows.next_due_s(turn.connection, SERVICE)
        if not self._tidy_s <= turn.now_s < self._tidy_s + TIDY_S:
            self._tidy_s = turn.now_s
            photos.forget_unused(turn.connection, SERVICE, turn.now_s - UNUSED_S)
            words.forget(turn.connection, SERVICE, turn.now_s - self.streets.lasts_s)

    def heard(self, turn: Turn, happened: Happened) -> None:
        """Book what a verified task brings, and tell its report what was seen."""
        booking.after_task(turn, self.rules.earning, happened, self.ids)
        matters.matter_after_task(turn, self.rules, happened, self.ids)

    def drilled(self, turn: Turn, emergency_id: str, rider: RiderKey) -> None:
        """Note a drill for who came to it: their word that they will is not enough."""
        booking.book_once(turn, drill(person_of(turn, rider, self.ids), emergency_id, turn.now_s))

    def follow(self, turn: Turn, object_id: str) -> None:
        """Look anew for what is due: a matter has changed, here or in another process."""
        self._due_s = -math.inf
        self._heard_words = self._heard_words or object_id.startswith(WORD)
        self._lay_streets(turn)

    def say(self, turn: Turn, word: StreetWord) -> None:
        """Keep what somebody says of a street, and see what follows."""
        row = words.WordRow.of(f"{WORD}{self.ids()}", word)
        turn.changing = True
        words.add(turn.connection, SERVICE, row)
        office = word.by if word.office else None
        body = {"thing": word.thing, "says": word.says, "lonlat": list(word.lonlat)}
        # Of a person's word nobody is told but the other processes.
        turn.happened.append(stored.Event(turn.now_s, "street_said", row.word_id, office, None, None, body))
        self.streets.take_up([row], turn.now_s)
        self._change(turn)
        # Should this turn not be kept, the next one forgets the word.
        self._heard_words, self._due_s = True, -math.inf

    def _lay_streets(self, turn: Turn) -> None:
        if self._heard_words:
            said = words.since(turn.connection, SERVICE, turn.now_s - self.streets.lasts_s)
            self.streets.take_up(said, turn.now_s, all_of_them=True)
            self._heard_words = False
        if not self.streets.is_known(turn.now_s):
            self._change(turn)

    def _change(self, turn: Turn) -> None:
        """Have the city laid on the streets as they are now."""
        turn.memory.network = self.streets.network_at(turn.now_s)
