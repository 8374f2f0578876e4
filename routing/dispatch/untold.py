"""Riders of the live fleet who told no plan: who of them may be asked, and whether a yes still holds.

They stand in the fleet without stops, which does not mean that they have nothing to do. So they are asked
only for what no rider with a plan can do, one task at a time, and only where the chance to harm is within the
policy, by the same code as riders without a plan in a request (`routing.foretelling`, `routing.expected`).
"""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

import numpy as np

from geo.arrays import FloatArray
from geo.earth import DEGREE_M
from geo.learned import Habits, PastStops, learn_habits
from geo.localtime import HOUR_S
from geo.travel import ways_metres
from routing.dispatch.commands import Proposal
from routing.dispatch.events import RiderKey, Terms
from routing.expected import LaidRider, lay_expected, match_laid
from routing.fleet.fleet import Fleet
from routing.foretelling import SeenRider, foretell
from routing.model import Binding, ExpectedMatch, Refused, Said, Task
from routing.model.results import SmallestChange

__all__ = ["Untold"]

FRESH_S: Final = 60.0
"""Where somebody was longer ago says too little of where they are: platforms report each 10 to 30 s."""
LOOKED_AT: Final = 12
"""Riders who are foretold for one task: the nearest as the crow flies."""
LEARNED_FOR_S: Final = HOUR_S
MOST_STOPS: Final = 20_000
"""Past stops of a platform that habits are learned of, the latest: a tenth of a second."""


class _Known(NamedTuple):
    """Habits of a platform, the number of each rider in them, and when they were learned."""

    habits: Habits
    number: dict[str, int]
    at_s: float


class _Table(NamedTuple):
    """All of them in columns: ids, last positions, and when that was."""

    ids: list[str]
    lonlat: FloatArray
    t_s: FloatArray


class Untold:
    """Riders without a plan by fleet id. Not thread-safe; no clock."""

    def __init__(self) -> None:
        self._seen: dict[str, SeenRider] = {}
        self._known: dict[str, _Known] = {}
        self._placed: dict[str, LaidRider] = {}
        self._table: _Table | None = None

    def __contains__(self, fleet_id: object) -> bool:
        return fleet_id in self._seen

    def __len__(self) -> int:
        return len(self._seen)

    @property
    def ids(self) -> Collection[str]:
        """Their fleet ids."""
        return self._seen.keys()

    def note(self, fleet_id: str, seen: SeenRider | None) -> None:
        """Note what was seen of a rider; None: they told a plan, or are gone."""
        if seen is not None:
            self._seen[fleet_id] = seen
        elif self._seen.pop(fleet_id, None) is None:
            return
        self._placed.pop(fleet_id, None)
        self._table = None

    def forget(self, fleet_ids: Iterable[str]) -> list[str]:
        """Forget riders who are gone; returns who they are."""
        gone = list(fleet_ids)
        for fleet_id in gone:
            self.note(fleet_id, None)
        return gone

    def forget_ways(self) -> None:
        """Look for all ways anew: the streets are others."""
        self._placed.clear()

    def proposal(self, fleet: Fleet, task: Task, left_out: Collection[str], now_s: float) -> Proposal | None:
        """Return the best of them to ask for a task, who is not left out; None: nobody."""
        if task.people > 1 or task.dropoff is not None or not self._seen:
            return None
        looked_at: list[LaidRider] = []
        for fleet_id in self._nearest(task, now_s):
            if fleet_id not in left_out and (one := self._place(fleet, fleet_id, now_s)) is not None:
                looked_at.append(one)
            if len(looked_at) == LOOKED_AT:
                break
        found = match_laid(fleet.network, looked_at, [task], fleet.policy, now_s) if looked_at else ()
        return Proposal(RiderKey.of(found[0].rider_id), _terms(fleet, found[0], task)) if found else None

    def judge(self, fleet: Fleet, fleet_id: str, task: Task, now_s: float) -> Terms | Refused:
        """Say on which terms one of them can do a task, from where they are now, or that it may harm."""
        one = self._place(fleet, fleet_id, now_s)
        if one is not None and now_s <= float(self._seen[fleet_id].t_s[-1]) + FRESH_S:
            found = match_laid(fleet.network, [one], [task], fleet.policy, now_s)
            if found:
                return _terms(fleet, found[0], task)
        return _refused(task, fleet_id, Said.of("why.chance", rider=RiderKey.of(fleet_id).rider_id))

    def refused(self, task: Task) -> Refused:
        """Say that only such riders could do a task, and none of them can be asked."""
        return _refused(task, None, Said("why.chance_all"))

    def _nearest(self, task: Task, now_s: float) -> list[str]:
        table = self._columns()
        lon, lat = task.place.lonlat
        east = (table.lonlat[:, 0] - lon) * np.cos(np.radians(lat))
        away_m = np.hypot(east, table.lonlat[:, 1] - lat) * DEGREE_M
        fresh = np.flatnonzero(table.t_s >= now_s - FRESH_S)
        return [table.ids[at] for at in fresh[np.argsort(away_m[fresh], kind="stable")].tolist()]

    def _columns(self) -> _Table:
        if self._table is None:
            ids = sorted(self._seen)
            seen = [self._seen[one] for one in ids]
            lonlat = np.array([one.lonlat[-1] for one in seen]).reshape(-1, 2)
            self._table = _Table(ids, lonlat, np.array([one.t_s[-1] for one in seen]))
        return self._table

    def _place(self, fleet: Fleet, fleet_id: str, now_s: float) -> LaidRider | None:
        """Return a rider with what is foretold; None: not on the streets, or busy with a task."""
        if fleet_id not in fleet or fleet.rider(fleet_id).stops:
            return None
        kept = self._placed.get(fleet_id)
        rider = fleet.rider(fleet_id)
        if kept is not None and kept.expected.rider is rider:
            return kept
        known = self._habits(rider.platform, now_s)
        number = known.number.get(fleet_id, -1)
        foretold = foretell(fleet.network, rider, number, self._seen[fleet_id], known.habits, fleet.policy)
        if foretold.rider is None:
            return None
        self._placed[fleet_id] = lay_expected(fleet.network, foretold.rider, fleet.policy)
        return self._placed[fleet_id]

    def _habits(self, platform: str, now_s: float) -> _Known:
        """Return the habits of a platform's riders, learned anew every hour."""
        known = self._known.get(platform)
        if known is not None and known.at_s <= now_s < known.at_s + LEARNED_FOR_S:
            return known
        ids = sorted(one for one in self._seen if RiderKey.of(one).platform == platform)
        seen = [self._seen[one] for one in ids]
        rider = np.repeat(np.arange(len(ids)), [len(one.past_t_s) for one in seen])
        t_s = np.concatenate([one.past_t_s for one in seen])
        stops = PastStops(rider, t_s, np.concatenate([one.past_lonlat for one in seen]))
        if len(t_s) > MOST_STOPS:
            stops = stops.take(t_s >= np.sort(t_s)[-MOST_STOPS])
        number = {fleet_id: at for at, fleet_id in enumerate(ids)}
        self._known[platform] = _Known(learn_habits(stops), number, now_s)
        return self._known[platform]


def _terms(fleet: Fleet, match: ExpectedMatch, task: Task) -> Terms:
    extra_m = max(_extra_m(fleet, match, task), 0.0)
    policy = fleet.policy
    return Terms(
        match.arrival_s,
        match.start_s,
        match.leave_s,
        match.extra_s,
        extra_m,
        match.yuan + policy.yuan_per_km * extra_m / 1000,
        match.points + policy.points_per_km * extra_m / 1000,
    )


def _extra_m(fleet: Fleet, match: ExpectedMatch, task: Task) -> float:
    """Return metres, walks included, by the likeliest next stop; where none is known, there and back."""
    rider = fleet.rider(match.rider_id)
    here, there = rider.lonlat, task.place.lonlat
    on = match.scenarios[0].lonlat if match.scenarios else here
    ends = fleet.network.snap(np.array([here, there, on]), rider.mode, fleet.policy.walk_to_street_m)
    source, target = np.array([0, 1, 0]), np.array([1, 2, 2])
    to, away, straight = np.nan_to_num(ways_metres(fleet.network, rider.mode, ends, source, target)).tolist()
    return float(to + away - straight) if match.scenarios else float(to + away)


def _refused(task: Task, fleet_id: str | None, said: Said) -> Refused:
    change = SmallestChange("none", None, "", fleet_id, Said("change.none", reasons=(said,)))
    return Refused(task.task_id, Binding("late", "", None, said), fleet_id, change)
