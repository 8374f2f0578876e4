"""Barriers on a node: whom they stop, and which of them are gates (OpenStreetMap wiki, *Key:barrier*)."""

from collections.abc import Mapping
from typing import NamedTuple

from geo.osm.rules.words import ACCESS_KEYS, BIKE, CAR, EBIKE, FOOT, KEYS, WHEELS, meaning, own_word, words
from geo.streets.raw import ALL_MODES

__all__ = ["BARRIER_BLOCKS", "GATE_KINDS", "NODE_AT_HOURS", "NODE_KEYS", "NodeRule", "node_rule"]

_BARRIERS_BY_BLOCK = {
    0: (
        "entrance no gate lift_gate swing_gate sliding_gate sliding_beam barrier_gate bump_gate "
        "hampshire_gate cattle_grid toll_booth sally_port border_control checkpoint security_control "
        "security_booth guard_house kerb height_restrictor spikes gate;lift_gate"
    ),
    CAR: (
        "bollard block cycle_barrier bicycle_barrier planter jersey_barrier chain rope bar wicket_gate "
        "bus_trap sump_buster log debris chicane yes"
    ),
    CAR | EBIKE: "motorcycle_barrier",
    CAR | WHEELS: "kissing_gate stile v_stile squeeze_stile horse_stile turnstile full-height_turnstile",
    ALL_MODES: "wall fence wire_fence hedge city_wall retaining_wall ditch guard_rail cable_barrier",
}
BARRIER_BLOCKS = {name: modes for modes, names in _BARRIERS_BY_BLOCK.items() for name in names.split()}
"""Modes that a barrier node stops where its access tags do not say otherwise; one not listed stops cars."""

GATE_KINDS = words(
    "gate lift_gate swing_gate sliding_gate sliding_beam barrier_gate wicket_gate sally_port entrance "
    "gate;lift_gate security_control security_booth guard_house checkpoint turnstile "
    "full-height_turnstile hampshire_gate bump_gate"
)
"""Barriers where a compound is entered."""

NODE_AT_HOURS = frozenset({"opening_hours", *(f"{key}:conditional" for key in ACCESS_KEYS)})
"""Tags by which a gate is open at certain times only; they are counted."""
NODE_KEYS = frozenset({"barrier", "entrance", "highway", "locked", *ACCESS_KEYS, *NODE_AT_HOURS})
"""Tags of a node that `node_rule` reads, and those that are counted as not read."""


class NodeRule(NamedTuple):
    """What a barrier node does.

    Attributes
    ----------
    blocked : int
        Modes that it stops.
    gate : bool
        Whether it is a gate.
    private : int
        Modes that may pass it only to a place behind it, as into a compound.
    """

    blocked: int
    gate: bool
    private: int


def node_rule(tags: Mapping[str, str]) -> NodeRule:
    """Barrier of a node by its tags (those of `NODE_KEYS`); nothing is blocked where there is no barrier."""
    barrier = tags.get("barrier")
    if barrier is None:
        return _lift(tags) if tags.get("highway") == "elevator" else NodeRule(0, False, 0)
    usual = BARRIER_BLOCKS.get(barrier, CAR)
    locked = tags.get("locked") == "yes" and meaning(tags.get("access")) != "yes"
    blocked = private = 0
    for mode, keys in KEYS.items():
        stopped, to_place = bool(usual & mode), False
        for depth, key in enumerate(keys):
            said = meaning(tags.get(key))
            # access=yes beside a bollard speaks of people, it does not make room for a car.
            if said == "no" or (said and (depth > 0 or not stopped)):
                stopped, to_place = said == "no", said == "private"
        # Who is named has the key.
        stopped = stopped or (locked and not own_word(mode, tags))
        blocked |= mode * stopped
        private |= mode * (to_place and not stopped)
    return NodeRule(blocked, barrier in GATE_KINDS, private)


def _lift(tags: Mapping[str, str]) -> NodeRule:
    """Let people into a lift, and bicycles where they are named."""
    opened = sum(mode * (own_word(mode, tags) == "yes") for mode in (EBIKE, BIKE))
    said = [meaning(tags.get(key)) for key in KEYS[FOOT]]
    people = next((word for word in reversed(said) if word), "yes")
    stopped = (CAR | WHEELS) & ~opened | FOOT * (people == "no")
    return NodeRule(stopped, False, FOOT * (people == "private"))
