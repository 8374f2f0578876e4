"""What to do with each existing station, and why: keep, open longer, move, merge or close.

Rules, in this order, for a station with a reach of ``limit_s``:

- ``merge``: at least `MERGE_SHARE` of the rest it reaches is reached by another existing station too, which
  stays (it reaches more than little rest). Of such a pair the one that riders visit less merges into the
  other; visited alike, the one that reaches less rest in its opening hours;
- ``move``: it reaches little rest (below `LITTLE_SHARE` of what a station of the plan serves) and a free
  candidate would add more than twice what only this station reaches, to at least k riders;
- ``close``: it reaches little rest and no candidate is better;
- ``open_longer``: at least `SHUT_SHARE` of the rest within reach falls into hours in which it is shut;
- ``keep`` otherwise.
"""

import dataclasses

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from siting.demand.hourly import hourly_figures, riders_behind
from siting.demand.weighted import Demand, by_hour, local_seconds
from siting.results import AuditFinding
from siting.stations.hours import clock, open_by_hour, shortest_pattern, span_text
from siting.stations.kinds import KINDS, SEVEN_ONES, ExistingStation

__all__ = [
    "LITTLE_SHARE",
    "MERGE_SHARE",
    "SHUT_SHARE",
    "VISIT_M",
    "Rests",
    "audit_stations",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

MERGE_SHARE = 0.85
LITTLE_SHARE = 0.15
SHUT_SHARE = 0.2
VISIT_M = 60.0
"""A rest this near to a station counts as a visit (GPS noise and the width of the street)."""


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Rests:
    """Observed rests: columns of equal length; places in local metres, times in epoch seconds."""

    xy_m: FloatArray
    rider: IntArray
    start_s: IntArray
    end_s: IntArray


def audit_stations(
    stations: tuple[ExistingStation, ...],
    xy_m: FloatArray,
    rests: Rests,
    demand: Demand,
    within: BoolArray,
    candidate_within: BoolArray,
    candidate_lonlat: FloatArray,
    new_sites: tuple[int, ...],
    *,
    timezone: str,
    k: int,
    site_ids: tuple[str, ...],
) -> tuple[AuditFinding, ...]:
    """Judge every existing station.

    Parameters
    ----------
    stations : existing stations
    xy_m : (e, 2) the same in local metres
    rests : observed rests
    demand : demand points and layers; all days count
    within : (n, e) which demand point is within the limit of which existing station
    candidate_within : (n, c) the same for candidates
    candidate_lonlat : (c, 2) candidates
    new_sites : candidates that the plan opens
    timezone : IANA name
    k : least number of riders behind a figure
    site_ids : identifier of each existing station
    """
    days = len(demand.days)
    n = len(demand.lonlat)
    hourly = by_hour(demand.rest, n, np.ones(days))
    weight = hourly.sum(axis=1)
    new_cover: BoolArray = np.asarray(candidate_within[:, list(new_sites)].any(axis=1), dtype=np.bool_)
    count = within.sum(axis=1)
    reached = weight @ within
    # what a station of the plan serves on average is the yardstick for "little"
    plan = within.any(axis=1) | new_cover
    stations_in_plan = max(1, len(stations) + len(new_sites))
    little = LITTLE_SHARE * float(weight[plan].sum()) / stations_in_plan
    taken: set[int] = set(new_sites)
    merged: set[int] = set()
    staying: set[int] = set()
    findings = []
    while_open = np.array([float(hourly[within[:, e]].sum(axis=0) @ open_by_hour(s.hours))
                           for e, s in enumerate(stations)])  # fmt: skip
    used = np.zeros(len(stations), dtype=np.int64)
    if len(rests.xy_m) and len(stations):
        used += cKDTree(rests.xy_m).query_ball_point(xy_m, VISIT_M, return_length=True)
    # whoever is judged first may merge into the later ones, which are worth more
    for e in np.lexsort((np.arange(len(stations)), reached, while_open, used)).tolist():
        station = stations[e]
        mine = within[:, e]
        only = float(weight[mine & (count == 1) & ~new_cover].sum())
        gone = merged | {other for other in range(len(stations)) if reached[other] < little}
        partner, overlap = _overlap(e, within, weight, gone)
        both = mine if partner is None else mine & within[:, partner]
        overlap_shown = partner is not None and riders_behind(demand.rest, both) >= k
        open_share = open_by_hour(station.hours)
        by_hour_reach, _ = hourly_figures(demand.rest, mine, days, k)
        shut_min = float((hourly[mine].sum(axis=0) * (1 - open_share)).sum())
        visits, visitors, halves = _visits(rests, xy_m[e], timezone, days, k)
        action, gain, better, move_to = "keep", 0.0, None, None
        behind_gain = 0
        reason: tuple[str, tuple[tuple[str, str], ...]] = ("audit_keep", ())
        best, best_gain = _best_candidate(weight, within, candidate_within, new_cover, e, taken)
        if best is not None and riders_behind(demand.rest, candidate_within[:, best]) < k:
            best = None
        if overlap_shown and overlap >= MERGE_SHARE and partner is not None and e not in staying:
            action, reason = "merge", ("audit_merge", (("share", f"{100 * overlap:.0f}"),))
            merged.add(e)
            staying.add(partner)
        elif reached[e] < little and best is not None and best_gain > 2 * only and best_gain > little:
            action, gain, move_to = "move", best_gain - only, best
            taken.add(best)
            behind_gain = riders_behind(demand.rest, candidate_within[:, best])
            reason = ("audit_move", ())
        elif reached[e] < little:
            action, reason = "close", ("audit_close", ())
        elif shut_min >= SHUT_SHARE * max(float(reached[e]), 1e-9):
            start, end = shortest_pattern(hourly[mine].sum(axis=0), _longer_patterns(station))
            longer = np.zeros(24, dtype=np.bool_)
            longer[np.arange(start, end) % 24] = True
            action, better = "open_longer", span_text(start, end)
            gain = float((hourly[mine].sum(axis=0) * np.maximum(0.0, longer - open_share)).sum())
            behind_gain = riders_behind(demand.rest, mine, longer & (open_share < 1))
            reason = ("audit_open_longer", (("hours", better),))
        findings.append(
            (
                e,
                gain,
                AuditFinding(
                    site_id=site_ids[e],
                    rank=0,
                    action=action,
                    visits_a_day=visits,
                    visitors_a_day=visitors,
                    rest_min_within_reach_by_hour=by_hour_reach,
                    open_by_hour=tuple((open_share >= 0.5).tolist()),
                    overlap_site_id=None if partner is None else site_ids[partner],
                    overlap_share=overlap if overlap_shown else None,
                    missing_facilities=()
                    if station.facilities is None
                    else tuple(f for f in SEVEN_ONES if f not in station.facilities),
                    gain_rest_hours_a_day=gain / 60.0 if behind_gain >= k else None,
                    better_hours=better,
                    move_to=None
                    if move_to is None
                    else (float(candidate_lonlat[move_to, 0]), float(candidate_lonlat[move_to, 1])),
                    busiest_half_hours=halves,
                    reason=reason,
                ),
            )
        )
    findings.sort(
        key=lambda f: (-f[1], ("close", "merge", "move", "open_longer", "keep").index(f[2].action), f[0])
    )
    return tuple(dataclasses.replace(f, rank=r) for r, (_, _, f) in enumerate(findings, start=1))


def _overlap(e: int, within: BoolArray, weight: FloatArray, gone: set[int]) -> tuple[int | None, float]:
    """Return the existing station that reaches most of what station ``e`` reaches, and that share."""
    total = float(weight[within[:, e]].sum())
    best: tuple[int | None, float] = (None, 0.0)
    if total == 0:
        return best
    for other in range(within.shape[1]):
        if other == e or other in gone:
            continue
        share = float(weight[within[:, e] & within[:, other]].sum()) / total
        if share > best[1]:
            best = (other, share)
    return best


def _best_candidate(
    weight: FloatArray,
    within: BoolArray,
    candidate_within: BoolArray,
    new_cover: BoolArray,
    e: int,
    taken: set[int],
) -> tuple[int | None, float]:
    """Return the free candidate that adds most rest once station ``e`` is gone, and how much."""
    others = np.delete(within, e, axis=1).any(axis=1) | new_cover
    for c in taken:
        others |= candidate_within[:, c]
    gain = np.where(others, 0.0, weight) @ candidate_within
    gain[list(taken)] = -1.0
    if len(gain) == 0 or gain.max() <= 0:
        return None, 0.0
    best = int(gain.argmax())
    return best, float(gain[best])


def _longer_patterns(station: ExistingStation) -> tuple[tuple[int, int], ...]:
    spans = [kind.patterns for kind in KINDS if kind.name == station.kind]
    return tuple(dict.fromkeys((*(p for pattern in spans for p in pattern), (7, 23), (6, 24), (0, 24))))


def _visits(
    rests: Rests, at_m: FloatArray, timezone: str, days: int, k: int
) -> tuple[float | None, float | None, tuple[str, ...]]:
    """Return visits a day, visitors a day and the three half hours in which most riders rest there."""
    rows = np.array([], dtype=np.int64)
    if len(rests.xy_m):
        rows = np.array(sorted(cKDTree(rests.xy_m).query_ball_point(at_m, VISIT_M)), dtype=np.int64)
    riders = rests.rider[rows]
    local = local_seconds(rests.start_s[rows], timezone)
    shown = len(np.unique(riders)) >= k
    if not shown:
        return None, None, ()
    visitor_days = len({(r, d) for r, d in zip(riders.tolist(), (local // 86400).tolist(), strict=True)})
    inside: dict[int, set[int]] = {}
    for rider, start, length in zip(
        riders.tolist(), local.tolist(), (rests.end_s[rows] - rests.start_s[rows]).tolist(), strict=True
    ):
        for half in range(start // 1800, (start + max(0, length - 1)) // 1800 + 1):
            inside.setdefault(half % 48, set()).add(rider)
    busy = sorted((-len(who), half) for half, who in inside.items() if len(who) >= k)
    return len(rows) / days, visitor_days / days, tuple(clock(30 * half) for _, half in sorted(busy[:3]))
