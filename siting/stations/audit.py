"""What to do with each existing station, and why: keep, open longer, move, merge or close.

Rules, in this order, for a station with a reach of ``limit_s``:

- ``merge``: at least `MERGE_SHARE` of the rest it reaches is reached by another existing station too, which
  stays (it reaches more than little rest). Of such a pair the one that riders visit less merges into the
  other; visited alike, the one that reaches less rest in its opening hours;
- ``move``: it reaches little rest (below `LITTLE_SHARE` of what a station of the plan serves) and a free
  candidate would add more than twice what only this station reaches, to at least k riders;
- ``close``: it reaches little rest and no candidate is better;
- ``open_longer``: at least `SHUT_SHARE` of the rest within reach falls into hours in which it is shut; hours
  of fewer than k riders count on neither side;
- ``keep`` otherwise.

Check-ins, where the planner gives them, count beside the traces, which see a part of the riders: of a pair
the one that is visited less merges, by whichever of both tells more visits; and where `USED_A_DAY` riders or
more check in, little rest in the traces is no reason to move or close.
"""

import dataclasses

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from geo.localtime import day_number, local_s
from siting.demand.asked import Asked
from siting.demand.hourly import hourly_figures, known_hours, riders_behind
from siting.demand.weighted import Demand, DemandLayer, by_hour
from siting.results import AuditFinding
from siting.stations.hours import clock, open_by_hour, shortest_pattern, span_text
from siting.stations.kinds import KINDS, SEVEN_ONES, ExistingStation

__all__ = [
    "LITTLE_SHARE",
    "MERGE_SHARE",
    "SHUT_SHARE",
    "USED_A_DAY",
    "VISIT_M",
    "Fate",
    "Offered",
    "Rests",
    "Standing",
    "audit_stations",
    "follow_plan",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

MERGE_SHARE = 0.85
LITTLE_SHARE = 0.15
SHUT_SHARE = 0.2
USED_A_DAY = 10.0
"""Check-ins a day from which on a station is used, whatever the traces say (our default)."""
_ACTIONS = ("close", "merge", "move", "open_longer", "keep")
VISIT_M = 60.0
"""A rest this near to a station counts as a visit (GPS noise and the width of the street)."""


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Rests:
    """Observed rests: columns of equal length; places in local metres, times in epoch seconds."""

    xy_m: FloatArray
    rider: IntArray
    start_s: IntArray
    end_s: IntArray


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Standing:
    """The stations that stand today, e of them."""

    stations: tuple[ExistingStation, ...]
    ids: tuple[str, ...]
    xy_m: FloatArray
    """(e, 2) local metres."""
    within: BoolArray
    """(n, e) which demand point is within the limit of which station."""


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Offered:
    """The candidates, c of them, and which of them the plan opens."""

    lonlat: FloatArray
    """(c, 2) degrees."""
    within: BoolArray
    """(n, c) which demand point is within the limit of which candidate."""
    opened: tuple[int, ...]


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class _Case:
    """What the judgement of every station looks at."""

    standing: Standing
    offered: Offered
    rest: DemandLayer
    hourly: FloatArray
    """(n, 24) rest minutes a day."""
    weight: FloatArray
    """(n,) their sum over the hours."""
    new_cover: BoolArray
    """(n,) points that a new station of the plan reaches."""
    only_one: BoolArray
    """(n,) points that one existing station reaches and no new one of the plan."""
    reached: FloatArray
    """(e,) rest minutes a day that each station reaches, open or not."""
    open_share: tuple[FloatArray, ...]
    """(24,) the share of each hour that each station is open, on the days of the study."""
    little: float
    """What is less than this is little."""
    k: int
    days: int

    def is_little(self, e: int) -> bool:
        """Tell whether a station reaches little rest, and no check-ins speak for it."""
        return bool(self.reached[e] < self.little) and not _used(self.standing.stations[e])


@dataclasses.dataclass(eq=False, slots=True)
class _Settled:
    """What the judgements so far bind the later ones to."""

    taken: set[int]
    """Candidates that are used."""
    merged: set[int] = dataclasses.field(default_factory=set)
    staying: set[int] = dataclasses.field(default_factory=set)
    """Stations that another one merged into."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Judgement:
    """What to do with one station."""

    action: str
    reason: tuple[str, tuple[tuple[str, str], ...]]
    overlap: tuple[int | None, float | None]
    """The station that reaches most of the same, and that share where it may be shown."""
    gain_min: float = 0.0
    riders: int = 0
    """Riders behind the gain."""
    counted: tuple[BoolArray | IntArray, FloatArray | None] | None = None
    """What the gain counts: demand points (n,), and (24,) which share of each hour, None for all."""
    better_hours: str | None = None
    move_to: int | None = None


def audit_stations(
    standing: Standing, offered: Offered, rests: Rests, demand: Demand, *, timezone: str, asked: Asked
) -> tuple[AuditFinding, ...]:
    """Judge every existing station, and ask to publish what was found.

    Parameters
    ----------
    standing : existing stations
    offered : candidates
    rests : observed rests
    demand : demand points and layers; all days count
    timezone : IANA name
    asked : where figures ask to be published
    """
    days, k = len(demand.days), asked.k
    open_share = tuple(open_by_hour(station.hours, demand.days, timezone) for station in standing.stations)
    case = _case(standing, offered, demand, open_share, k)
    settled = _Settled(set(offered.opened))
    findings = []
    for e in _order(case, rests):
        judgement = _judge(case, e, settled)
        figures, _ = hourly_figures(demand.rest, standing.within[:, e], days, k)
        rows = _at(rests, standing.xy_m[e])
        visits = _visits(rests, rows, timezone, days, k)
        _ask(asked, case, e, judgement, rows)
        findings.append((e, judgement.gain_min, _finding(case, e, judgement, figures, visits)))
    findings.sort(key=lambda f: (-f[1], _ACTIONS.index(f[2].action), f[0]))
    return tuple(dataclasses.replace(f, rank=r) for r, (_, _, f) in enumerate(findings, start=1))


def _ask(asked: Asked, case: _Case, e: int, judgement: _Judgement, visits: IntArray) -> None:
    """Ask to publish the figures of one finding; ``visits`` are the rests at its door."""
    path, mine = f"audit/{case.standing.ids[e]}", case.standing.within[:, e]
    asked.by_hour(f"{path}/rest_min_within_reach_by_hour", "rest", mine, "station_hour")
    for name in ("visits_a_day", "visitors_a_day", "busiest_half_hours"):
        asked.stays(f"{path}/{name}", "rest", visits, "station")
    partner = judgement.overlap[0]
    if partner is not None:
        both = mine & case.standing.within[:, partner]
        asked.share(f"{path}/overlap_share", "rest", both, mine, "other")
    if judgement.counted is not None:
        points, hours = judgement.counted
        asked.minutes(f"{path}/gain_rest_hours_a_day", "rest", points, "other", hours=hours)


def _at(rests: Rests, at_m: FloatArray) -> IntArray:
    """Return the rests at the door of a station."""
    if len(rests.xy_m) == 0:
        return np.empty(0, dtype=np.int64)
    return np.array(sorted(cKDTree(rests.xy_m).query_ball_point(at_m, VISIT_M)), dtype=np.int64)


@dataclasses.dataclass(frozen=True, slots=True)
class Fate:
    """What a plan does with one existing station."""

    plan: str
    """``stay``, ``close`` or ``move``."""
    hours: str | None
    """Its opening hours in the plan where they are other than today's."""
    to_id: str = ""
    """The new station that its equipment moves to."""
    to_lonlat: tuple[float, float] | None = None


def follow_plan(
    findings: tuple[AuditFinding, ...], fates: dict[str, Fate], *, free: bool
) -> tuple[AuditFinding, ...]:
    """Return the findings with the advice that the plan counts with.

    Where the plan was ``free`` to close or move stations, what it does with each of them is the advice; else
    only longer hours that it gives a station are, and all other advice stands beside the plan.
    """
    out = [_followed(finding, fates[finding.site_id], free) for finding in findings]
    if all(one == other for one, other in zip(out, findings, strict=True)):
        return findings
    out.sort(key=lambda f: (-(f.gain_rest_hours_a_day or 0.0), _ACTIONS.index(f.action), f.rank))
    return tuple(dataclasses.replace(finding, rank=rank) for rank, finding in enumerate(out, start=1))


def _followed(finding: AuditFinding, fate: Fate, free: bool) -> AuditFinding:
    plain = dataclasses.replace(
        finding, gain_rest_hours_a_day=None, better_hours=None, move_to=None, action="keep"
    )
    if fate.plan == "move":
        reason = ("plan_move", (("to", fate.to_id),))
        return dataclasses.replace(plain, action="move", move_to=fate.to_lonlat, reason=reason)
    if fate.plan == "close":
        return dataclasses.replace(plain, action="close", reason=("plan_close", ()))
    if fate.hours is not None:
        if finding.action == "open_longer" and finding.better_hours == fate.hours:
            return finding
        longer = ("plan_open_longer", (("hours", fate.hours),))
        return dataclasses.replace(plain, action="open_longer", better_hours=fate.hours, reason=longer)
    return dataclasses.replace(plain, reason=("plan_keep", ())) if free else finding


def _case(
    standing: Standing, offered: Offered, demand: Demand, open_share: tuple[FloatArray, ...], k: int
) -> _Case:
    hourly = by_hour(demand.rest, len(demand.lonlat), np.ones(len(demand.days)))
    weight = hourly.sum(axis=1)
    new_cover = np.asarray(offered.within[:, list(offered.opened)].any(axis=1), dtype=np.bool_)
    # what a station of the plan serves on average is the yardstick for "little"
    plan = standing.within.any(axis=1) | new_cover
    stations_in_plan = max(1, len(standing.stations) + len(offered.opened))
    return _Case(
        standing=standing,
        offered=offered,
        rest=demand.rest,
        hourly=hourly,
        weight=weight,
        new_cover=new_cover,
        only_one=(standing.within.sum(axis=1) == 1) & ~new_cover,
        reached=weight @ standing.within,
        open_share=open_share,
        little=LITTLE_SHARE * float(weight[plan].sum()) / stations_in_plan,
        k=k,
        days=len(demand.days),
    )


def _used(station: ExistingStation) -> bool:
    return station.check_ins_a_day is not None and station.check_ins_a_day >= USED_A_DAY


def _order(case: _Case, rests: Rests) -> list[int]:
    """Return the stations, the least worth first: whoever is judged first may merge into the later ones."""
    stations, within = case.standing.stations, case.standing.within
    while_open = np.array([float(case.hourly[within[:, e]].sum(axis=0) @ case.open_share[e])
                           for e in range(len(stations))])  # fmt: skip
    used = np.zeros(len(stations), dtype=np.float64)
    if len(rests.xy_m) and len(stations):
        used += cKDTree(rests.xy_m).query_ball_point(case.standing.xy_m, VISIT_M, return_length=True)
    days = case.days
    checked = np.array([(station.check_ins_a_day or 0.0) * days for station in stations])
    used = np.maximum(used, checked)
    order: list[int] = np.lexsort((np.arange(len(stations)), case.reached, while_open, used)).tolist()
    return order


def _judge(case: _Case, e: int, settled: _Settled) -> _Judgement:
    """Judge station ``e`` by the rules of this module, and note what that settles."""
    within, reached, weight = case.standing.within, case.reached, case.weight
    station, mine = case.standing.stations[e], within[:, e]
    only = float(weight[mine & case.only_one].sum())
    gone = settled.merged | {other for other in range(within.shape[1]) if case.is_little(other)}
    partner, share = _overlap(e, within, weight, gone)
    both = mine if partner is None else mine & within[:, partner]
    shown = partner is not None and riders_behind(case.rest, both) >= case.k
    overlap = (partner, share if shown else None)
    if shown and share >= MERGE_SHARE and partner is not None and e not in settled.staying:
        settled.merged.add(e)
        settled.staying.add(partner)
        return _Judgement("merge", ("audit_merge", (("share", f"{100 * share:.0f}"),)), overlap)
    if case.is_little(e):
        best, best_gain, added = _best_candidate(case, e, settled.taken)
        riders = 0 if best is None else riders_behind(case.rest, case.offered.within[:, best])
        if best is not None and riders >= case.k and best_gain > 2 * only and best_gain > case.little:
            settled.taken.add(best)
            gain = best_gain - only
            counted = added.astype(np.int64) - (mine & case.only_one)
            return _Judgement(
                "move", ("audit_move", ()), overlap, gain, riders, (counted, None), move_to=best
            )
        return _Judgement("close", ("audit_close", ()), overlap)
    open_share = case.open_share[e]
    # hours that are published are advised by hours that are published
    need = np.where(known_hours(case.rest, mine, case.k), case.hourly[mine].sum(axis=0), 0.0)
    shut_min = float((need * (1 - open_share)).sum())
    if shut_min >= SHUT_SHARE * max(float(need.sum()), 1e-9):
        start, end = shortest_pattern(need, _longer_patterns(station))
        longer = np.zeros(24, dtype=np.bool_)
        longer[np.arange(start, end) % 24] = True
        longer &= need > 0
        better = span_text(start, end)
        gain = float((need * np.maximum(0.0, longer - open_share)).sum())
        riders = riders_behind(case.rest, mine, longer & (open_share < 1))
        return _Judgement(
            "open_longer", ("audit_open_longer", (("hours", better),)), overlap, gain, riders,
            (mine, np.maximum(0.0, longer - open_share)), better,
        )  # fmt: skip
    if reached[e] < case.little:
        visits = (("visits", f"{station.check_ins_a_day or 0.0:.0f}"),)
        return _Judgement("keep", ("audit_used", visits), overlap)
    return _Judgement("keep", ("audit_keep", ()), overlap)


def _finding(
    case: _Case,
    e: int,
    judgement: _Judgement,
    rest_by_hour: tuple[float | None, ...],
    visits: tuple[float | None, float | None, tuple[str, ...]],
) -> AuditFinding:
    """Return what may be published of one judgement; its rank is not known yet."""
    station, ids = case.standing.stations[e], case.standing.ids
    partner, share = judgement.overlap
    move_to: tuple[float, float] | None = None
    if judgement.move_to is not None:
        place = case.offered.lonlat[judgement.move_to]
        move_to = (float(place[0]), float(place[1]))
    missing: tuple[str, ...] = ()
    if station.facilities is not None:
        missing = tuple(f for f in SEVEN_ONES if f not in station.facilities)
    return AuditFinding(
        site_id=ids[e],
        rank=0,
        action=judgement.action,
        visits_a_day=visits[0],
        visitors_a_day=visits[1],
        rest_min_within_reach_by_hour=rest_by_hour,
        open_by_hour=tuple((case.open_share[e] >= 0.5).tolist()),
        overlap_site_id=None if partner is None else ids[partner],
        overlap_share=share,
        missing_facilities=missing,
        gain_rest_hours_a_day=judgement.gain_min / 60.0 if judgement.riders >= case.k else None,
        better_hours=judgement.better_hours,
        move_to=move_to,
        busiest_half_hours=visits[2],
        reason=judgement.reason,
        check_ins_a_day=station.check_ins_a_day,
        check_in_weeks=station.check_in_weeks,
    )


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


def _best_candidate(case: _Case, e: int, taken: set[int]) -> tuple[int | None, float, BoolArray]:
    """Return the free candidate that adds most rest once station ``e`` is gone, how much, and where (n,)."""
    candidates = case.offered.within
    others = np.delete(case.standing.within, e, axis=1).any(axis=1) | case.new_cover
    for c in taken:
        others |= candidates[:, c]
    gain = np.where(others, 0.0, case.weight) @ candidates
    gain[list(taken)] = -1.0
    if len(gain) == 0 or gain.max() <= 0:
        return None, 0.0, others & False
    best = int(gain.argmax())
    return best, float(gain[best]), candidates[:, best] & ~others


def _longer_patterns(station: ExistingStation) -> tuple[tuple[int, int], ...]:
    spans = [kind.patterns for kind in KINDS if kind.name == station.kind]
    return tuple(dict.fromkeys((*(p for pattern in spans for p in pattern), (7, 23), (6, 24), (0, 24))))


def _visits(
    rests: Rests, rows: IntArray, timezone: str, days: int, k: int
) -> tuple[float | None, float | None, tuple[str, ...]]:
    """Return visits a day, visitors a day and the three half hours in which most riders rest there."""
    riders = rests.rider[rows]
    local = local_s(rests.start_s[rows], timezone)
    shown = len(np.unique(riders)) >= k
    if not shown:
        return None, None, ()
    visitor_days = len({(r, d) for r, d in zip(riders.tolist(), day_number(local).tolist(), strict=True)})
    inside: dict[int, set[int]] = {}
    for rider, start, length in zip(
        riders.tolist(), local.tolist(), (rests.end_s[rows] - rests.start_s[rows]).tolist(), strict=True
    ):
        for half in range(start // 1800, (start + max(0, length - 1)) // 1800 + 1):
            inside.setdefault(half % 48, set()).add(rider)
    busy = sorted((-len(who), half) for half, who in inside.items() if len(who) >= k)
    return len(rows) / days, visitor_days / days, tuple(clock(30 * half) for _, half in sorted(busy[:3]))
