"""Memory of searches, kept for the next one: a pool for each network and mode."""

import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from geo.streets.network import StreetNetwork
from geo.travel.search import Workspace, new_workspace

__all__ = ["borrow_workspace", "over_rows", "return_workspace"]

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


def over_rows(
    network: StreetNetwork, mode: str, rows: int, threads: int, fill: Callable[[int, int, Workspace], object]
) -> None:
    """Call `fill` for all rows of a table: first row, last (not in it), clean memory that it leaves clean."""

    def work(first: int, last: int) -> None:
        space = borrow_workspace(network, mode)
        fill(first, last, space)
        return_workspace(network, mode, space)

    if threads == 1 or rows < 2:
        work(0, rows)
        return
    # Small portions, so that a thread with near neighbours does not wait for one with far ones.
    cuts = np.linspace(0, rows, min(rows, threads * 8) + 1).astype(int)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, cuts[:-1].tolist(), cuts[1:].tolist()))
