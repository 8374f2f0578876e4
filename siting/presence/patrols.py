"""Rounds through streets that nobody passes: out of the worst grids, as long as half an hour allows."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from geo.arrays import FloatArray, Int64Array
from geo.streets import StreetNetwork
from geo.travel import travel_times_s
from siting.observed import BlindGrid, Patrol

__all__ = ["patrols_of"]

MINUTES: Final = 30.0
MOST: Final = 5
STOPS: Final = 40
SELDOM: Final = 0.5
"""A street counts as unseen in an hour if nobody, or fewer than k riders, pass on more than half of days."""


def patrols_of(
    network: StreetNetwork,
    mode: str,
    worst: Sequence[BlindGrid],
    streets: Mapping[tuple[str, int], tuple[Int64Array, FloatArray, float]],
) -> tuple[Patrol, ...]:
    """Return a round for each of the worst grids in its worst hour.

    Parameters
    ----------
    network : StreetNetwork
    mode : str
    worst : sequence of BlindGrid
        The worst first, with an hour each.
    streets : mapping
        Of (code, hour): the streets of the grid, the share of days on which each is unseen in that hour, and
        the metres of all of them.
    """
    out = []
    for grid in worst[:MOST]:
        if grid.worst_hour is None:
            continue
        edge, blind, metres = streets[grid.code, grid.worst_hour]
        before = float((blind * network.edge_length_m[edge]).sum() / metres)
        chosen, minutes = _round(network, mode, edge[blind > SELDOM])
        if not len(chosen):
            continue
        gained = np.isin(edge, chosen)
        after = float((blind * network.edge_length_m[edge] * ~gained).sum() / metres)
        line = tuple((round(float(x), 6), round(float(y), 6)) for x, y in network.middle_lonlat(chosen))
        out.append(Patrol(grid.code, grid.worst_hour, line[0], minutes, before, after, line))
    return tuple(out)


def _round(network: StreetNetwork, mode: str, edge: Int64Array) -> tuple[Int64Array, float]:
    """Ride from the longest street always to the nearest one left, until time is up: (streets, minutes)."""
    if not len(edge):
        return edge, 0.0
    # The longest streets alone, so that a large grid does not cost a large table.
    kept = np.sort(np.argsort(-network.edge_length_m[edge], kind="stable")[: 4 * STOPS])
    edge = edge[kept]
    places = network.snap(network.middle_lonlat(edge), mode)
    way_s = travel_times_s(network, mode, places, places, 60.0 * MINUTES, threads=1)
    here = int(np.argmax(network.edge_length_m[edge]))
    left, order, spent_s = np.ones(len(edge), np.bool_), [here], 0.0
    left[here] = False
    while len(order) < STOPS:
        next_s = np.where(left, way_s[here], np.inf)
        there = int(np.argmin(next_s))
        if spent_s + next_s[there] > 60.0 * MINUTES:
            break
        spent_s += float(next_s[there])
        here = there
        left[here] = False
        order.append(here)
    return edge[order], spent_s / 60.0
