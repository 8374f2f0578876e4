"""The streets as they are now: the map, and what people and offices say of it."""

import math
import threading
from collections.abc import Sequence

from api.store.civic import street_words as rows
from geo.streets import StreetNetwork, StreetOverride
from routing.civic import Closure, ClosureRules, Placed, StreetWord, learned, place_words

__all__ = ["Streets"]


class Streets:
    """What was said of the streets of one map, and the network that follows from it.

    Words come in at the desk; requests read from other threads.

    Parameters
    ----------
    network : StreetNetwork
        Of the map.
    rules : ClosureRules
    """

    def __init__(self, network: StreetNetwork, rules: ClosureRules) -> None:
        self.map, self.rules = network, rules
        self._said: dict[str, tuple[StreetWord, Placed | None]] = {}
        self._lock = threading.Lock()
        self._closures: tuple[Closure, ...] = ()
        self._now = network
        self._put: tuple[tuple[StreetOverride, ...], float] = (), 0.0
        self._span_s = (math.inf, -math.inf)

    @property
    def lasts_s(self) -> float:
        """How long a word may count."""
        return max(effect.lasts_s for effect in self.rules.effects.values()) + self.rules.within_s

    def take_up(self, found: Sequence[rows.WordRow], now_s: float, *, all_of_them: bool = False) -> None:
        """Take up words that the store has; those known already stay as they were placed.

        With `all_of_them` what is not among them is forgotten.
        """
        kept = {row.word_id for row in found}
        with self._lock:
            new = [row for row in found if row.word_id not in self._said]
            placed = place_words(self.map, [row.word for row in new], self.rules)
            for row, one in zip(new, placed, strict=True):
                self._said[row.word_id] = one
            old = [
                name
                for name, (word, _) in self._said.items()
                if word.made_s < now_s - self.lasts_s or (all_of_them and name not in kept)
            ]
            for name in old:
                del self._said[name]
            if new or old:
                self._span_s = (math.inf, -math.inf)

    def is_known(self, now_s: float) -> bool:
        """Say whether the network of an instant is at hand, without any work."""
        return self._span_s[0] <= now_s < self._span_s[1]

    def closures(self, now_s: float) -> tuple[Closure, ...]:
        """Return what holds at an instant (epoch seconds)."""
        self.network_at(now_s)
        return self._closures

    def network_at(self, now_s: float) -> StreetNetwork:
        """Return the network of an instant; that of the map where nothing is said of it."""
        with self._lock:
            if self.is_known(now_s):
                return self._now
            closures = learned(self._said.values(), self.rules, now_s)
            if _same(closures) != _same(self._closures):
                overrides = [one for closure in closures for one in closure.overrides(self.rules)]
                self._now = self.map.with_overrides(overrides, now_s) if overrides else self.map
                self._put = tuple(overrides), now_s
            self._closures = closures
            ends_s = min((closure.until_s for closure in closures), default=math.inf)
            self._span_s = (now_s, ends_s)
            return self._now

    def overrides_at(self, now_s: float) -> tuple[tuple[StreetOverride, ...], float]:
        """Return what is put on the map for the network of an instant, and since when (epoch seconds)."""
        self.network_at(now_s)
        return self._put

    @property
    def next_change_s(self) -> float:
        """When something ceases to hold by itself, in epoch seconds; inf: nothing does."""
        return self._span_s[1]


def _same(closures: tuple[Closure, ...]) -> list[tuple[Placed, str]]:
    """Return what makes the difference for the network: not until when it holds."""
    return [(closure.place, closure.condition) for closure in closures]
