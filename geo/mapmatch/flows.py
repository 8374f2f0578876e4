"""Traversals: which rider rode which street when, from traces matched to the streets."""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.mapmatch.matcher import Matched, Matcher, MatchOptions
from geo.streets.network import StreetNetwork
from geo.traces.points import Traces

__all__ = ["Passages", "Traversals", "traversals"]

STEPS = 24
WHOLE_M = 1.0
"""A street of which less is missing was ridden as a whole."""


class Passages(NamedTuple):
    """One row for each street that a rider entered. Raw: before anything is published, the k rule applies.

    ``edge`` int64 (p,) of the street network, ``rider`` int64 (p,) as numbered in the traces, ``t_s``
    int64 (p,) epoch seconds of entering it.
    """

    edge: NDArray[np.int64]
    rider: NDArray[np.int64]
    t_s: NDArray[np.int64]


class Traversals(NamedTuple):
    """One row for each street that a rider rode on, in the order of riding. Raw, as `Passages`.

    Attributes
    ----------
    directed : int64 (p,)
        ``2 * edge + (0 along, 1 against)``.
    rider : int64 (p,)
        As numbered in the traces.
    enter_s, leave_s : float64 (p,)
        Epoch seconds.
    piece : int64 (p,)
        Rows of one number follow each other without a break.
    whole : bool (p,)
        Ridden from end to end; not so at the ends of a piece and where the rider turned round.
    """

    directed: NDArray[np.int64]
    rider: NDArray[np.int64]
    enter_s: NDArray[np.float64]
    leave_s: NDArray[np.float64]
    piece: NDArray[np.int64]
    whole: NDArray[np.bool_]

    def passages(self) -> Passages:
        """Return who entered which street when."""
        return Passages(self.directed >> 1, self.rider, np.floor(self.enter_s).astype(np.int64))


def traversals(
    network: StreetNetwork,
    traces: Traces,
    options: MatchOptions | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Traversals:
    """Match all traces to the streets and return the traversals, rider by rider.

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
    parts, pieces = [_NONE], 0
    for first, last in itertools.pairwise(cuts):
        rows = slice(int(ptr[first]), int(ptr[last]))
        matched = matcher.match(ptr[first : last + 1] - ptr[first], traces.t_s[rows], traces.lonlat[rows])
        parts.append(_of_matched(network, matched, first, pieces))
        pieces += len(matched.piece_rider)
        progress(last, riders)
    return Traversals(*(np.concatenate(column) for column in zip(*parts, strict=True)))


_NONE = Traversals(
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty(0, np.float64),
    np.empty(0, np.float64),
    np.empty(0, np.int64),
    np.empty(0, np.bool_),
)


def _of_matched(network: StreetNetwork, matched: Matched, first_rider: int, first_piece: int) -> Traversals:
    """Lay the paths of some riders out in rows; a street is left when the next one is entered."""
    size = np.diff(matched.piece_ptr)
    piece = np.repeat(np.arange(len(size)), size)
    leave_s = np.append(matched.enter_s[1:], 0.0)[: len(piece)]
    leave_s[matched.piece_ptr[1:] - 1] = matched.piece_end_s
    ridden_m = np.abs(matched.span_m[:, 1] - matched.span_m[:, 0])
    return Traversals(
        directed=matched.path.astype(np.int64),
        rider=matched.piece_rider[piece].astype(np.int64) + first_rider,
        enter_s=matched.enter_s,
        leave_s=leave_s,
        piece=piece + first_piece,
        whole=ridden_m > network.edge_length_m[matched.path >> 1] - WHOLE_M,
    )
