"""What the civic side needs beside a turn, and its part of the desk's clock."""

import dataclasses
import math
from collections.abc import Callable

from api.civic import ledger, matters
from api.civic.rules import CivicRules, Grids
from api.dispatch.turn import Turn
from api.store import SERVICE
from api.store.civic import matters as rows
from api.store.civic import photos
from routing.civic import Tick
from routing.dispatch import Happened

__all__ = ["Civic"]

AT_ONCE = 200
UNUSED_S = 86_400.0
"""Photos that nothing uses are forgotten after so long."""
TIDY_S = 3_600.0


@dataclasses.dataclass(eq=False)
class Civic:
    """Follows the desk: what is overdue goes up, verified tasks are paid, looks move their reports on.

    Parameters
    ----------
    rules : CivicRules
    ids : callable
        Returns names that nobody can guess.
    grids : Grids
        Unit grids of the study that is served.
    """

    rules: CivicRules
    ids: Callable[[], str]
    grids: Grids
    _due_s: float = -math.inf
    _tidy_s: float = -math.inf

    @property
    def next_due_s(self) -> float:
        """When something of a matter runs out next."""
        return self._due_s

    def tick(self, turn: Turn) -> None:
        """Carry out what is due."""
        if not self._due_s < turn.now_s:
            return
        for row in rows.due(turn.connection, SERVICE, turn.now_s, AT_ONCE):
            matters.carried_out(turn, self.rules, row, Tick(), self.ids)
        self._due_s = rows.next_due_s(turn.connection, SERVICE)
        if not self._tidy_s <= turn.now_s < self._tidy_s + TIDY_S:
            self._tidy_s = turn.now_s
            photos.forget_unused(turn.connection, SERVICE, turn.now_s - UNUSED_S)

    def heard(self, turn: Turn, happened: Happened) -> None:
        """Book what a verified task brings, and tell its report what was seen."""
        ledger.after_task(turn, self.rules.earning, happened, self.ids)
        matters.after_task(turn, self.rules, happened, self.ids)

    def follow(self, turn: Turn, object_id: str) -> None:
        """Look anew for what is due: a matter has changed, here or in another process."""
        self._due_s = -math.inf
