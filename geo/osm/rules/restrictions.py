"""Turn restrictions by their tags: whom they bind (*Relation:restriction*, *Conditional restrictions*)."""

from collections.abc import Mapping
from typing import NamedTuple

from geo.osm.rules.words import BIKE, CAR, EBIKE, WHEELS

__all__ = ["PLAIN_TURNS_BIND", "TurnRule", "turn_rule"]

PLAIN_TURNS_BIND = CAR | WHEELS
"""Modes that a plain ``restriction`` binds. A sign at the junction is for all vehicles, non-motor ones too
(Road Traffic Safety Law, art. 38), and OSRM has read it so since 2026; a mapper who frees bicycles says
``except=bicycle``. Take `WHEELS` out to let both kinds of bicycle turn as they like."""

_TURN_KEYS = {
    EBIKE: ("electric_bicycle", "bicycle", "vehicle"),
    BIKE: ("bicycle", "vehicle"),
    CAR: ("motorcar", "motor_vehicle", "vehicle"),
}
"""Kinds of vehicle in ``restriction:KIND`` and in ``except`` that mean the mode, the most specific first."""
_HOURS = ("day_on", "day_off", "hour_on", "hour_off")


class TurnRule(NamedTuple):
    """What a turn restriction forbids.

    Attributes
    ----------
    no, only : int
        Modes that may not take its turn; modes that may take no other.
    timed : bool
        It holds at certain hours for some mode, so that it is not heeded for that mode.
    """

    no: int
    only: int
    timed: bool


def turn_rule(tags: Mapping[str, str]) -> TurnRule:
    """Whom a relation of type ``restriction`` (or ``restriction:KIND``) binds by its tags."""
    no, only, timed = 0, 0, False
    hours = any(key in tags for key in _HOURS)
    exempt = {word.strip() for word in tags.get("except", "").replace(",", ";").split(";")}
    _, _, alone = tags.get("type", "").partition(":")
    for mode, kinds in _TURN_KEYS.items():
        if exempt.intersection(kinds):
            continue
        plain = "restriction" if mode & PLAIN_TURNS_BIND and alone in ("", *kinds) else ""
        for key in (*(f"restriction:{kind}" for kind in kinds), plain):
            value, at_times = (
                tags.get(key, ""),
                _is_turn(tags.get(f"{key}:conditional", "")) if key else False,
            )
            if not (value or at_times):
                continue
            if at_times or (hours and _is_turn(value)):
                timed = True
            elif _is_turn(value):
                no, only = no | mode * value.startswith("no_"), only | mode * value.startswith("only_")
            break
    return TurnRule(no, only, timed)


def _is_turn(value: str) -> bool:
    return value.startswith(("no_", "only_"))
