"""Streets and gates that are not as the map says, for a while: closed, or slower, for some modes.

An override names an edge or a node of one network and holds from an instant until another. `apply_overrides`
changes columns only; graphs and masks are made anew from them, so that every rule of the network (one-way
streets, forbidden turns, gates, compounds) holds with the changed streets as it does without.
"""

import dataclasses
import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from geo.arrays import Float32Array, UInt8Array
from geo.errors import InputError
from geo.streets.raw import ALL_MODES, MODES, mode_bit

__all__ = ["DIRECTIONS", "Overridden", "StreetOverride", "apply_overrides"]

DIRECTIONS = ("both", "along", "against")


@dataclasses.dataclass(frozen=True, slots=True)
class StreetOverride:
    """One street or gate that is shut or slow from an instant until another.

    Raises `InputError` where a value is outside of the range in its description.
    """

    from_s: float
    until_s: float
    """Epoch seconds; it holds at `from_s` and no longer at `until_s`."""
    edge: int = -1
    """Edge of the network, -1 where it is about a node."""
    node: int = -1
    """Node of the network (a gate, a barrier), -1 where it is about an edge."""
    modes: frozenset[str] = frozenset(MODES)
    direction: str = "both"
    """One of `DIRECTIONS`: of an edge, from ``u`` to ``v`` is ``along``."""
    speed_share: float = 0.0
    """0: shut. Above 0 to 1, of an edge in both directions: the share of the speed that is left."""

    def __post_init__(self) -> None:
        if math.isnan(self.from_s) or math.isnan(self.until_s) or not self.from_s < self.until_s:
            raise InputError(
                f"An override must end after it begins, not from {self.from_s} to {self.until_s}."
            )
        if (self.edge < 0) == (self.node < 0):
            raise InputError("An override is about an edge or about a node, 0 or more: give one of them.")
        if not self.modes:
            raise InputError("An override must name one mode at least.")
        for mode in self.modes:
            mode_bit(mode)
        if self.direction not in DIRECTIONS:
            raise InputError(
                f"direction of an override is {self.direction!r}; allowed are {', '.join(DIRECTIONS)}."
            )
        if not 0.0 <= self.speed_share <= 1.0:
            raise InputError(f"speed_share of an override is {self.speed_share}; allowed is 0 to 1.")
        if self.speed_share > 0 and (self.node >= 0 or self.direction != "both"):
            raise InputError(
                "Only an edge in both directions may be slower; a gate or one direction is shut."
            )

    @property
    def bits(self) -> int:
        """The modes as a set of bits."""
        return sum(mode_bit(mode) for mode in self.modes)

    def holds_at(self, instant_s: float) -> bool:
        """Return whether it holds at an instant (epoch seconds)."""
        return self.from_s <= instant_s < self.until_s


class Overridden(NamedTuple):
    """Columns of a network with overrides; see `StreetNetwork`.

    Attributes
    ----------
    edge_access : uint8 (2, E)
    node_blocked : uint8 (n,)
    edge_speed_mps : float32 (4, E)
    touched : int
        Modes (bits) that see a difference.
    """

    edge_access: UInt8Array
    node_blocked: UInt8Array
    edge_speed_mps: Float32Array
    touched: int


def apply_overrides(
    before: Overridden, overrides: Iterable[StreetOverride], promise_mps: float
) -> Overridden:
    """Return the columns of a network as overrides change them.

    Parameters
    ----------
    before : Overridden
        The columns of the map.
    overrides : iterable of StreetOverride
        All of them hold. Of several that slow one edge down the slowest counts.
    promise_mps : float
        Speed at which times of e-bikes are capped: what is slower is slower than this.

    Raises
    ------
    InputError
        If an edge or a node is not of this network.
    """
    access, blocked = before.edge_access.copy(), before.node_blocked.copy()
    edges, nodes = access.shape[1], len(blocked)
    share = np.ones((len(MODES), edges), np.float32)
    for one in overrides:
        if one.edge >= edges or one.node >= nodes:
            raise InputError(
                f"An override names edge {one.edge} and node {one.node}; "
                f"the network has {edges} edges and {nodes} nodes."
            )
        open_to = np.uint8(ALL_MODES & ~one.bits)
        if one.node >= 0:
            blocked[one.node] |= np.uint8(one.bits)
        elif one.speed_share > 0:
            rows = [MODES.index(mode) for mode in sorted(one.modes)]
            share[rows, one.edge] = np.minimum(share[rows, one.edge], np.float32(one.speed_share))
        else:
            for row, direction in enumerate(("along", "against")):
                if one.direction in ("both", direction):
                    access[row, one.edge] &= open_to
    speed = before.edge_speed_mps
    slower = share < 1
    if slower.any():
        top = np.where(np.array(MODES)[:, None] == "ebike", np.float32(promise_mps), np.float32(np.inf))
        speed = np.where(slower, np.minimum(speed, top) * share, speed).astype(np.float32)
    touched = int(np.bitwise_or.reduce((access ^ before.edge_access).ravel(), initial=0))
    touched |= int(np.bitwise_or.reduce(blocked ^ before.node_blocked, initial=0))
    touched |= sum(mode_bit(mode) for mode, row in zip(MODES, slower, strict=True) if row.any())
    return Overridden(access, blocked, speed, touched)
