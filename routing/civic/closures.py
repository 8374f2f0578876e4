"""Streets learn from reports: enough words (or an office's) shut a street, gate or stair for a while.

A word is what one person or office says of one thing at one instant. What the words add up to is computed
anew from all of them, at any instant, on any network: streets have other numbers when the map is read again.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from geo.errors import InputError
from geo.streets import MODES, StreetNetwork, StreetOverride
from routing.model.checks import check_between, check_choice, check_lonlat, check_name

__all__ = [
    "Closure",
    "ClosureRules",
    "Effect",
    "Placed",
    "StreetWord",
    "learned",
    "place_words",
]

THINGS = ("street", "gate", "stair")
CONDITIONS = ("closed", "flooded", "dark")
SAYINGS = (*CONDITIONS, "open")
_STAIR_CLASS = "steps"
"""The class of stairs in OSM."""


@dataclasses.dataclass(frozen=True, slots=True)
class Effect:
    """What a condition does to a street, and for how long a word of it counts.

    Raises `InputError` where a value is outside of the range in its description.
    """

    modes: frozenset[str]
    speed_share: float
    """0: shut for these modes; above 0 to 1: the share of the speed that is left."""
    lasts_s: float
    """Seconds after the last word of it."""

    def __post_init__(self) -> None:
        for mode in self.modes:
            check_choice("mode of an effect", mode, MODES)
        check_between("speed_share of an effect", self.speed_share, 0.0, 1.0)
        check_between("lasts_s of an effect", self.lasts_s, 60.0, 366 * 86_400.0)


EFFECTS: Mapping[str, Effect] = MappingProxyType(
    {
        "closed": Effect(frozenset(MODES), 0.0, 24 * 3_600.0),
        "flooded": Effect(frozenset(MODES), 0.0, 6 * 3_600.0),
        # Nobody is kept out of a dark street; riders and walkers go slower there.
        "dark": Effect(frozenset({"ebike", "bike", "foot"}), 0.5, 7 * 86_400.0),
    }
)
"""Our defaults: a city gives its own."""


@dataclasses.dataclass(frozen=True, slots=True)
class ClosureRules:
    """When words are believed.

    Raises `InputError` where a value is outside of the range in its description.
    """

    people: int = 3
    """Different people who must say so (our default), 1 to 100; of an office one is enough."""
    within_s: float = 6 * 3_600.0
    """... within so many seconds of each other (our default)."""
    near_m: float = 30.0
    """A word is about the nearest thing of its sort within so many metres (our default)."""
    effects: Mapping[str, Effect] = dataclasses.field(default_factory=lambda: EFFECTS)

    def __post_init__(self) -> None:
        check_between("people", self.people, 1, 100)
        check_between("within_s", self.within_s, 1.0, 30 * 86_400.0)
        check_between("near_m", self.near_m, 1.0, 500.0)
        if set(self.effects) != set(CONDITIONS):
            raise InputError(f"effects must be given for {', '.join(CONDITIONS)}.")


@dataclasses.dataclass(frozen=True, slots=True)
class StreetWord:
    """What somebody says of a street, a gate or a stair.

    Raises `InputError` where a value is outside of the range in its description.
    """

    by: str
    """Pseudonym of a person, or name of an office."""
    office: bool
    thing: str
    """``street``, ``gate`` or ``stair``."""
    says: str
    """One of `CONDITIONS`, or ``open``: it is not so (any more)."""
    lonlat: tuple[float, float]
    made_s: float
    """Epoch seconds."""
    towards: tuple[float, float] | None = None
    """A place beyond it, of a street that is shut in this direction only; None: in both."""

    def __post_init__(self) -> None:
        check_name("who says it", self.by)
        check_choice("thing", self.thing, THINGS)
        check_choice("says", self.says, SAYINGS)
        check_lonlat("Place of a word", self.lonlat)
        if self.towards is not None:
            check_lonlat("towards of a word", self.towards)
            if self.thing == "gate" or self.says in ("dark", "open"):
                raise InputError(
                    "towards is for a street or stair that is closed or flooded in one direction."
                )


class Placed(NamedTuple):
    """The thing on the network that a word is about."""

    edge: int
    """-1 of a gate."""
    node: int
    """-1 of a street or stair."""
    direction: str


@dataclasses.dataclass(frozen=True, slots=True)
class Closure:
    """What the words about one thing add up to: dated, with the number of people and no names."""

    place: Placed
    condition: str
    """One of `CONDITIONS`."""
    from_s: float
    until_s: float
    """Epoch seconds; it holds at `from_s` and no longer at `until_s`."""
    people: int
    """Different people who said so."""
    by_office: bool

    def overrides(self, rules: ClosureRules) -> tuple[StreetOverride, ...]:
        """Return what it does to the network; nothing for a dark gate."""
        effect = rules.effects[self.condition]
        if not effect.modes or (self.place.node >= 0 and effect.speed_share > 0):
            return ()
        direction = self.place.direction if effect.speed_share == 0 else "both"
        edge, node = self.place.edge, self.place.node
        return (
            StreetOverride(
                self.from_s, self.until_s, edge, node, effect.modes, direction, effect.speed_share
            ),
        )


def place_words(
    network: StreetNetwork, words: Iterable[StreetWord], rules: ClosureRules
) -> list[tuple[StreetWord, Placed | None]]:
    """Find the thing that each word is about, None where there is none near.

    Parameters
    ----------
    network : StreetNetwork
        Of the map, without overrides.
    words : iterable of StreetWord
    rules : ClosureRules
    """
    words = list(words)
    stair = np.array([name == _STAIR_CLASS for name in network.classes], np.bool_)
    is_stair = stair[network.edge_class] if len(stair) else np.zeros(len(network), np.bool_)
    found: dict[int, Placed] = {}
    for thing, among in (("street", ~is_stair), ("stair", is_stair)):
        rows = [row for row, word in enumerate(words) if word.thing == thing]
        if not rows or not among.any():
            continue
        lonlat = np.array([words[row].lonlat for row in rows], np.float64)
        best_m, edges = np.full(len(rows), np.inf), np.full(len(rows), -1)
        for mode in MODES:
            snapped = network.snap(lonlat, mode, rules.near_m, among, fragments=True)
            nearer = snapped.ok & (snapped.walk_m < best_m)
            best_m[nearer], edges[nearer] = snapped.walk_m[nearer], snapped.edge[nearer]
        for row, edge in zip(rows, edges.tolist(), strict=True):
            if edge >= 0:
                found[row] = Placed(edge, -1, _direction(network, edge, words[row].towards))
    gates = np.flatnonzero(network.node_gate)
    gates_m = network.project(network.node_lonlat[gates]) if len(gates) else np.empty((0, 2))
    for row, word in enumerate(words):
        if word.thing == "gate" and len(gates):
            away = np.hypot(*(gates_m - network.project(np.array([word.lonlat]))).T)
            if away.min() <= rules.near_m:
                found[row] = Placed(-1, int(gates[away.argmin()]), "both")
    return [(word, found.get(row)) for row, word in enumerate(words)]


def _direction(network: StreetNetwork, edge: int, towards: tuple[float, float] | None) -> str:
    if towards is None:
        return "both"
    ends_m = network.project(network.edge_lonlat(edge)[[0, -1]])
    from_u, from_v = np.hypot(*(ends_m - network.project(np.array([towards]))).T)
    return "along" if from_v < from_u else "against"


def learned(
    placed: Iterable[tuple[StreetWord, Placed | None]], rules: ClosureRules, at_s: float
) -> tuple[Closure, ...]:
    """Return what holds at an instant, by what was said until then.

    A condition begins when an office says so, or when as many different people as the rules ask for have
    said so within their time. Each further word of it prolongs it. It ends when the last word of it is too
    old, or when an office, or as many people, say ``open``; words before that count no more.

    Parameters
    ----------
    placed : iterable of (StreetWord, Placed)
        In any order.
    rules : ClosureRules
    at_s : float
        Epoch seconds.
    """
    groups: dict[tuple[int, int], list[tuple[StreetWord, Placed]]] = {}
    for word, place in placed:
        if place is not None and word.made_s <= at_s:
            groups.setdefault((place.edge, place.node), []).append((word, place))
    found: list[Closure] = []
    for key in sorted(groups):
        group = sorted(groups[key], key=lambda pair: (pair[0].made_s, pair[0].by, pair[0].says))
        opened_s = _opened_s([word for word, _ in group], rules)
        for condition in CONDITIONS:
            for direction in sorted({place.direction for _, place in group}):
                words = [
                    word
                    for word, place in group
                    if word.says == condition and place.direction == direction and word.made_s > opened_s
                ]
                closure = _closure(Placed(*key, direction), condition, words, rules)
                if closure is not None and at_s < closure.until_s:
                    found.append(closure)
    return tuple(found)


def _opened_s(words: list[StreetWord], rules: ClosureRules) -> float:
    """Return the last instant at which enough words said that it is open, -inf: never."""
    said = [word for word in words if word.says == "open"]
    believed = [word.made_s for n, word in enumerate(said) if _enough(said[: n + 1], rules)]
    return max(believed, default=-np.inf)


def _enough(words: list[StreetWord], rules: ClosureRules) -> bool:
    """Whether the last word, with those shortly before it, is believed."""
    last = words[-1]
    people = {word.by for word in words if not word.office and word.made_s > last.made_s - rules.within_s}
    return last.office or (not last.office and len(people) >= rules.people)


def _closure(place: Placed, condition: str, words: list[StreetWord], rules: ClosureRules) -> Closure | None:
    """Go through the words about one thing, one condition and one direction, in order of time."""
    lasts_s = rules.effects[condition].lasts_s
    begun_s = until_s = None
    for number, word in enumerate(words):
        if until_s is not None and word.made_s >= until_s:
            begun_s = until_s = None
        if until_s is not None or _enough(words[: number + 1], rules):
            begun_s = word.made_s if begun_s is None else begun_s
            until_s = word.made_s + lasts_s
    if begun_s is None or until_s is None:
        return None
    recent = [word for word in words if word.made_s >= begun_s - rules.within_s]
    people = {word.by for word in recent if not word.office}
    return Closure(place, condition, begun_s, until_s, len(people), any(word.office for word in recent))
