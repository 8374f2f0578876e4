"""Of which kind a stay is: rest, pick-up, drop-off, gate, traffic, off shift.

A hidden Markov model of a working day. Its hidden side is the rider's phase, which no file tells: empty
(waiting for orders) or carrying. A pick-up leads to carrying, the last drop-off back to empty; one rests
and goes home empty; gates and
red lights come in both phases. Its visible side is what `geo.stays.features` gathers: duration, hour,
kinds of places near, gates, junctions, who else stays there and how long, the rider's own habit, where
sessions begin and end. How likely each is for each kind stands in `geo.stays.count_tables`.

Cities differ in what their map holds. So the answer is refined on the fleet itself: the kinds found are
counted, the tables about places are mixed with these counts, and the most likely sequence (Viterbi) is
sought again, four times. Order events, where the platform
gives them, weigh more than all the rest.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError
from geo.jit import kernel
from geo.places import Places
from geo.stays.count_tables import FEATURES, PRIOR_STAYS, TABLES, WEIGHTS
from geo.stays.detect import KINDS, StayPoints
from geo.stays.features import FAR_M, StayFeatures, stay_features
from geo.stays.rests import join_rests
from geo.stays.signs import CLOSES, DELIVERED, OPENS, PICKED, SHIFT, TALKS
from geo.streets.network import StreetNetwork
from geo.traces.read import Traces

__all__ = ["classify_stays"]

_REST, _PICKUP, _DROPOFF, _GATE, _TRAFFIC, _OFF_SHIFT = range(6)
_EMPTY, _CARRYING = 0, 1
#: Kind, phase before, phase after, and how often it comes next in that phase.
_STATES: Final = (
    (_REST, _EMPTY, _EMPTY, 0.25),
    (_PICKUP, _EMPTY, _CARRYING, 0.55),
    (_PICKUP, _CARRYING, _CARRYING, 0.15),
    (_DROPOFF, _CARRYING, _CARRYING, 0.20),
    (_DROPOFF, _CARRYING, _EMPTY, 0.40),
    (_GATE, _EMPTY, _EMPTY, 0.03),
    (_GATE, _CARRYING, _CARRYING, 0.05),
    (_TRAFFIC, _EMPTY, _EMPTY, 0.30),
    (_TRAFFIC, _CARRYING, _CARRYING, 0.30),
    (_OFF_SHIFT, _EMPTY, _EMPTY, 0.05),
)
# A stop that was too short to be seen, or a gap, may hide a change of phase.
_BROKEN_PHASE: Final = -7.0
_REST_AGAIN: Final = -1.5
_EVENT_SEEN: Final = 8.0
_EVENT_MISSING: Final = -4.0
_ROUNDS: Final = 4
_NO_MAP_SHARE: Final = 0.97


def _transitions() -> NDArray[np.float64]:
    weights = np.empty((len(_STATES), len(_STATES)))
    for i, (kind, _, phase, _) in enumerate(_STATES):
        for j, (coming, needed, _, share) in enumerate(_STATES):
            weights[i, j] = np.log(share) if phase == needed else _BROKEN_PHASE
            if kind == coming == _REST:
                weights[i, j] += _REST_AGAIN
    return weights


@kernel
def _viterbi(
    rider: NDArray[np.int32],
    score: NDArray[np.float64],
    kind_of: NDArray[np.int64],
    transition: NDArray[np.float64],
    back: NDArray[np.int8],
    kind: NDArray[np.int8],
) -> None:
    """Find for each rider the most likely sequence of kinds (Viterbi 1967)."""
    n, states = len(rider), len(kind_of)
    best, coming = np.empty(states), np.empty(states)
    a = 0
    while a < n:
        b = a + 1
        while b < n and rider[b] == rider[a]:
            b += 1
        for j in range(states):
            best[j] = score[a, kind_of[j]]
        for k in range(a + 1, b):
            for j in range(states):
                top, at = -np.inf, 0
                for i in range(states):
                    v = best[i] + transition[i, j]
                    if v > top:
                        top, at = v, i
                coming[j] = top + score[k, kind_of[j]]
                back[k, j] = at
            best, coming = coming, best
        j = 0
        for i in range(1, states):
            if best[i] > best[j]:
                j = i
        for k in range(b - 1, a - 1, -1):
            kind[k] = kind_of[j]
            if k > a:
                j = back[k, j]
        a = b


def _binned(features: StayFeatures, signs: NDArray[np.uint8]) -> dict[str, NDArray[np.int64]]:
    """Column of the bin of each stay, for each feature that says something in this city."""
    bins: dict[str, NDArray[np.int64]] = {}
    for name, edges in FEATURES.items():
        if name == "session":
            edge = (signs & OPENS > 0) * 2 + (signs & CLOSES > 0) * 4
            bins[name] = edge.astype(np.int64) + features.own_home
            continue
        values = getattr(features, name)
        far = name.endswith("_m") and float(np.mean(values >= FAR_M)) > _NO_MAP_SHARE
        if not far:
            # No company or habit is the first bin: below every edge.
            bins[name] = np.digitize(np.nan_to_num(values, nan=-1.0), edges)
    return bins


def _event_scores(signs: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return what order events add to each kind, (n, 6)."""
    score = np.zeros((len(signs), len(KINDS)))
    talks = signs & TALKS > 0
    for kind, sign in ((_PICKUP, PICKED), (_DROPOFF, DELIVERED), (_OFF_SHIFT, SHIFT)):
        said = signs & sign > 0
        score[said, kind] += _EVENT_SEEN
        if kind != _OFF_SHIFT:
            score[talks & ~said, kind] += _EVENT_MISSING
    return score


def classify_stays(
    stays: StayPoints,
    traces: Traces | None,
    places: Places | None,
    network: StreetNetwork | None,
    timezone: str,
) -> StayPoints:
    """Tell the kind of every stay.

    All stays of a study belong into one call: what others do at a place is part of the evidence.

    Parameters
    ----------
    stays
        From `find_stay_points`, with any `min_stay_s` up to 120 s (shorter finds more gates and lights).
    traces
        The traces they were found in, or None where these are no longer in memory; used to
        check that the riders are the same.
    places, network
        The map; None where there is none.
    timezone
        IANA zone of the city.

    Returns
    -------
    StayPoints
        The same stays with their kind, rests that are pieces of one joined (`geo.stays.rests`).

    Raises
    ------
    InputError
        If stays and traces are not of the same riders, or the zone is unknown.
    """
    if traces is not None and traces.pseudonyms != stays.pseudonyms:
        raise InputError("stays and traces must be of the same riders")
    features = stay_features(stays, places, network, timezone)
    n = len(stays)
    kind = np.full(n, -1, np.int8)
    if n == 0:
        return replace(stays, kind=kind)
    bins = _binned(features, stays.signs)
    by_events = _event_scores(stays.signs)
    kind_of = np.array([state[0] for state in _STATES], np.int64)
    transition = _transitions()
    back = np.zeros((n, len(_STATES)), np.int8)
    for round_ in range(_ROUNDS + 1):
        score = by_events.copy()
        for name, column in bins.items():
            table = TABLES[name]
            prior = PRIOR_STAYS.get(name)
            if round_ > 0 and prior is not None:
                seen = np.stack(
                    [np.bincount(column[kind == k], minlength=table.shape[1]) for k in range(len(KINDS))]
                )
                table = table * prior + seen + 0.2
                table = table / table.sum(axis=1, keepdims=True)
            score += WEIGHTS[name] * np.log(table).T[column]
        _viterbi(stays.rider, score, kind_of, transition, back, kind)
    return join_rests(replace(stays, kind=kind))
