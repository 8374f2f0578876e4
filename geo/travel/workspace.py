"""Memory of searches, kept for the next one: a pool for each network and mode."""

import threading
import weakref

from geo.streets.network import StreetNetwork
from geo.travel.search import Workspace, new_workspace

__all__ = ["borrow_workspace", "return_workspace"]

# Weak keys: the memory goes when the network does, and a network that was derived from another has its own.
_POOLS: "weakref.WeakKeyDictionary[StreetNetwork, dict[str, list[Workspace]]]" = weakref.WeakKeyDictionary()
_LOCK = threading.Lock()


def _pool(network: StreetNetwork, mode: str) -> list[Workspace]:
    with _LOCK:
        return _POOLS.setdefault(network, {}).setdefault(mode, [])


def borrow_workspace(network: StreetNetwork, mode: str) -> Workspace:
    """Return clean memory for one search; give it back with `return_workspace` when clean again."""
    try:
        return _pool(network, mode).pop()
    except IndexError:
        return new_workspace(network.graph(mode))


def return_workspace(network: StreetNetwork, mode: str, space: Workspace) -> None:
    """Take back clean memory, for the next search."""
    _pool(network, mode).append(space)
