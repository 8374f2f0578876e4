"""Passages: which rider entered which street and when, from traces matched to the streets."""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.mapmatch.matcher import Matcher, MatchOptions
from geo.streets.network import StreetNetwork
from geo.traces.points import Traces

__all__ = ["Passages", "passages"]

STEPS = 24


class Passages(NamedTuple):
    """One row for each street that a rider entered. Raw: before anything is published, the k rule applies.

    ``edge`` int64 (p,) of the street network, ``rider`` int64 (p,) as numbered in the traces, ``t_s``
    int64 (p,) epoch seconds of entering it.
    """

    edge: NDArray[np.int64]
    rider: NDArray[np.int64]
    t_s: NDArray[np.int64]


def passages(
    network: StreetNetwork,
    traces: Traces,
    options: MatchOptions | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Passages:
    """Match all traces to the streets and return the passages, rider by rider.

    Parameters
    ----------
    network : StreetNetwork
    traces : Traces
    options : MatchOptions, optional
    progress : callable
        Told how many riders of how many are done.
    """
    matcher = Matcher(network, options)
    ptr = traces.rider_ptr
    riders = len(traces.pseudonyms)
    # Some riders at a time, so that there is progress to show; each is matched alone all the same.
    cuts = np.unique(np.linspace(0, riders, min(riders, STEPS) + 1).astype(np.int64)).tolist()
    edge, rider, t_s = [], [], []
    for first, last in itertools.pairwise(cuts):
        rows = slice(int(ptr[first]), int(ptr[last]))
        matched = matcher.match(ptr[first : last + 1] - ptr[first], traces.t_s[rows], traces.lonlat[rows])
        edge.append((matched.path >> 1).astype(np.int64))
        rider.append(np.repeat(matched.piece_rider, np.diff(matched.piece_ptr)).astype(np.int64) + first)
        t_s.append(np.floor(matched.enter_s).astype(np.int64))
        progress(last, riders)
    none = [np.empty(0, np.int64)]
    return Passages(np.concatenate(edge or none), np.concatenate(rider or none), np.concatenate(t_s or none))
