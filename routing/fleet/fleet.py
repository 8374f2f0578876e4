"""The fleet: riders of all modes in columns, updated in place, and the search for the best riders of a task.

Leg times are computed when a plan arrives and kept; a new position computes the first leg only.
"""

import contextlib
import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from geo.arrays import BoolArray, FloatArray, Int32Array, Int64Array
from geo.errors import InputError
from geo.rings import spans
from geo.streets import MODES, Snapped, StreetNetwork, morton_order
from routing.fleet.kernels.insertion import Best, best_many, outputs
from routing.fleet.kernels.tables import TASK_STOP
from routing.fleet.mode_fleet import MANY_ROWS, ModeFleet, as_ms
from routing.fleet.promises import promised
from routing.fleet.rider_columns import ColumnWriter, counts_as_break
from routing.fleet.roster import FactsByRow, RiderFacts, Roster
from routing.fleet.snapshots import FleetState, copied
from routing.fleet.task_places import TaskPlaces, TaskTable, snapped
from routing.model.planned_riders import PlannedRiders, as_table
from routing.model.policy import Policy
from routing.model.riders import Rider, Stop
from routing.model.tasks import Task, Visit

__all__ = ["Candidate", "Fleet"]


@dataclasses.dataclass(frozen=True, slots=True)
class Candidate:
    """A rider who may do a task, at their best place."""

    rider_id: str
    place: int
    """The task goes before stop ``place`` of their plan."""
    extra_ms: int
    rank_ms: int  # extra and fairness: what candidates are compared by
    dropoff_place: int | None = None
    """Of a pair: the drop-off goes before stop ``dropoff_place``, counted without the pick-up."""


class Fleet:
    """All riders that may be asked. Not thread-safe for writing; `best` may use threads itself."""

    def __init__(self, network: StreetNetwork, policy: Policy) -> None:
        self.network = promised(network, policy)
        self.policy = policy
        self.mode_fleets: dict[str, ModeFleet] = {}
        self._writer = ColumnWriter(policy)
        self.skills, self.platforms = self._writer.skills, self._writer.platforms
        self.unreachable: dict[str, bool] = {}
        self._where: dict[str, tuple[str, int]] = {}
        self._riders, self._facts = Roster(), FactsByRow()
        self._id_of: dict[str, dict[int, str]] = {}
        self._ordered = False
        self._number: dict[str, int] = {}
        self._waiting: dict[str, tuple[Int64Array, Int32Array]] = {}
        self._places = TaskPlaces(self.network, policy.walk_to_street_m)

    def __len__(self) -> int:
        return len(self._where)

    def __contains__(self, rider_id: str) -> bool:
        return rider_id in self._where

    @property
    def rider_ids(self) -> tuple[str, ...]:
        """Identifiers, sorted."""
        return tuple(sorted(self._where))

    @property
    def nbytes(self) -> int:
        """Memory of all columns in bytes."""
        return sum(mode_fleet.nbytes for mode_fleet in self.mode_fleets.values())

    def mode_fleet(self, mode: str) -> ModeFleet:
        """Return the columns of a mode, made at the first call."""
        if mode not in self.mode_fleets:
            self.mode_fleets[mode] = ModeFleet(self.network, mode, self.policy)
            self._id_of[mode] = {}
        return self.mode_fleets[mode]

    def row_of(self, rider_id: str) -> tuple[ModeFleet, int]:
        """Return the columns and the row of a rider; raise `InputError` where the rider is not known."""
        if rider_id not in self._where:
            raise InputError(f"Rider {rider_id!r} is not in the fleet.")
        mode, row = self._where[rider_id]
        return self.mode_fleets[mode], row

    def rider(self, rider_id: str) -> Rider:
        """Return a rider as the rider stands now: latest position, remaining stops."""
        self.row_of(rider_id)
        return self._riders[rider_id]

    def limits_at(self, mode: str, rows: Int64Array) -> RiderFacts:
        """Return what the riders in some rows may still do today."""
        return self._facts.of(mode, self._id_of[mode], self._riders).take(rows)

    def id_at(self, mode: str, row: int) -> str:
        """Return the id of the rider in a row."""
        return self._id_of[mode][row]

    def snapshot(self) -> FleetState:
        """Return all riders and columns as they stand, for one call of `restore`."""
        self.complete()
        columns = {
            mode: (mode_fleet.width, list(mode_fleet.free_rows), copied(mode_fleet.c))
            for mode, mode_fleet in self.mode_fleets.items()
        }
        id_of = {mode: dict(ids) for mode, ids in self._id_of.items()}
        return FleetState(
            columns, dict(self._where), self._riders.copy(), id_of, dict(self.unreachable), self._ordered
        )

    def restore(self, state: FleetState) -> None:
        """Go back to a snapshot of this fleet, which is used up by it."""
        self._waiting.clear()
        self._facts.clear()
        for mode, mode_fleet in self.mode_fleets.items():
            if mode in state.columns:
                mode_fleet.replace_columns(*state.columns[mode])
        for mode in set(self.mode_fleets) - set(state.columns):
            del self.mode_fleets[mode]
        self._where, self._riders, self._id_of = state.where, state.riders, state.id_of
        self.unreachable, self._ordered = state.unreachable, state.ordered

    def take_streets(self, network: StreetNetwork, fleets: dict[str, ModeFleet]) -> None:
        """Go on with the same riders on other streets; see `routing.fleet.relaid`."""
        self.network, self._places = network, TaskPlaces(network, self.policy.walk_to_street_m)
        self.mode_fleets.update(fleets)

    def put(
        self, riders: Iterable[Rider], now_s: float, only: Task | None = None
    ) -> tuple[tuple[str, float], ...]:
        """Add riders, or replace the plans of those who are known.

        Parameters
        ----------
        riders : iterable of Rider
        now_s : float
            Epoch seconds at which positions and plans hold.
        only : Task, optional
            Of one place and for one person, into an empty fleet: no other will be looked for. Of many
            riders, the ways of those who cannot be given it wait for `complete`; no search finds them.

        Returns
        -------
        tuple of (rider id, metres)
            Riders left out because their position or a stop is farther from every street of their mode than
            the policy allows; metres to the nearest street of the worst one.

        Raises
        ------
        InputError
            If two riders have one id.
        """
        riders = riders if isinstance(riders, PlannedRiders) else list(riders)
        self.complete()
        table = as_table(riders)
        ids, modes = table.riders.ids, table.riders.mode
        if len(set(ids)) != len(ids):
            raise InputError("Two riders have the same rider_id; each may stand in the list once.")
        off: list[tuple[str, float]] = []
        present = set(modes)
        for mode in MODES:
            if mode in present:
                mine = np.flatnonzero([name == mode for name in modes])
                off += self._put_mode(mode, table, mine, riders, as_ms(now_s))
                self._admit(mode, only)
        return tuple(sorted(off))

    def _admit(self, mode: str, only: Task | None) -> None:
        """Have the ways found of those who wait, or of those among them who might be given a task."""
        mode_fleet, (rows, _) = self.mode_fleets[mode], self._waiting[mode]
        if only is not None and len(rows) >= MANY_ROWS:
            near = np.zeros(len(rows), np.bool_)
            if mode in only.modes:
                near = mode_fleet.may_be_given(rows, self.table(mode, [only]).columns)
            self._waiting[mode] = rows[~near], mode_fleet.set_aside(rows[~near])
            rows = rows[near]
        else:
            del self._waiting[mode]
        reached = mode_fleet.admit(rows)
        mode_fleet.c.ok[rows[~reached]] = 0
        self.unreachable.update((self._id_of[mode][row], True) for row in rows[~reached].tolist())

    def complete(self) -> None:
        """Have the ways found of all who wait for it, see `put`."""
        for mode, (rows, stops) in list(self._waiting.items()):
            self.mode_fleets[mode].c.stops[rows] = stops
            self._admit(mode, None)

    def _put_mode(
        self, mode: str, table: PlannedRiders, mine: Int64Array, given: Sequence[Rider], now: int
    ) -> list[tuple[str, float]]:
        """Put the riders of the rows `mine` of a table; `given` are the same riders as they came."""
        mode_fleet, ids = self.mode_fleet(mode), table.riders.ids
        if self._where:
            self.remove([ids[row] for row in mine.tolist() if ids[row] in self._where])
        counts = table.riders.stops[mine] + 1
        at = spans(table.first[mine], counts)
        places = snapped(self.network, table.lonlat[at], mode, self.policy.walk_to_street_m)
        # Rows of places, rider by rider.
        starts = np.cumsum(counts) - counts
        worst = np.maximum.reduceat(np.where(places.ok, 0.0, places.walk_m), starts)
        off = [(ids[int(mine[q])], float(worst[q])) for q in np.flatnonzero(worst > 0.0).tolist()]
        # Streets are numbered along a curve that fills the plane: neighbours stand in neighbouring rows.
        order = np.argsort(places.edge[starts], kind="stable")
        order = order[worst[order] == 0.0]
        good, counts, starts = mine[order], counts[order], starts[order]
        mode_fleet.reserve(len(good), int(counts.max(initial=1)) - 1)
        rows = mode_fleet.take_rows(len(good))
        within = spans(np.zeros_like(counts), counts)
        slots = np.repeat(rows * mode_fleet.width, counts) + within
        mode_fleet.write_places(slots, places.take(np.repeat(starts, counts) + within))
        self._writer.write_riders(mode_fleet, rows, table.riders, good, now)
        # Of all places, those of stops: in the columns of stops no position stands between them.
        stop = (np.repeat(table.first[good] - good - 1, counts) + within)[within > 0]
        self._writer.write_stops(mode_fleet, slots[within > 0], table.stops, stop)
        self._riders.enter(given, good.tolist())
        self._note(mode, [ids[row] for row in good.tolist()], rows)
        self._waiting[mode] = rows, mode_fleet.c.stops[rows]
        return off

    def _note(self, mode: str, ids: Sequence[str], rows: Int64Array) -> None:
        """Note whose rows they are."""
        self._facts.clear()
        listed = rows.tolist()
        self._where.update(zip(ids, zip(itertools.repeat(mode), listed, strict=False), strict=True))
        self._id_of[mode].update(zip(listed, ids, strict=True))
        for rider_id, row in zip(ids, listed, strict=True):
            number = self._number.get(rider_id)
            if number is None:
                self._ordered = False
                break
            self.mode_fleets[mode].c.order[row] = number

    def enter(self, rider: Rider, mode: str, row: int, *, reached: bool) -> None:
        """Note whose row it is whose columns have been written and linked."""
        self._riders[rider.rider_id] = rider
        if not reached:
            self.unreachable[rider.rider_id] = True
        self._note(mode, [rider.rider_id], np.array([row], np.int64))

    def remove(self, rider_ids: Iterable[str]) -> None:
        """Take riders out of the fleet; unknown ids raise `InputError`."""
        self.complete()
        for rider_id in rider_ids:
            mode_fleet, row = self.row_of(rider_id)
            mode_fleet.dismiss([row])
            del self._where[rider_id], self._riders[rider_id], self._id_of[mode_fleet.mode][row]
            self.unreachable.pop(rider_id, None)

    def move(self, rider_ids: Sequence[str], lonlat: FloatArray, at_s: float) -> BoolArray:
        """Set new positions; the first leg of each plan is computed anew, everything else is kept.

        Parameters
        ----------
        rider_ids : sequence of str
        lonlat : float64 (n, 2)
            WGS-84 degrees.
        at_s : float
            Epoch seconds of the positions.

        Returns
        -------
        bool (n,)
            False where the position is off the network (the old one is kept) or the first stop cannot be
            reached from it.
        """
        self.complete()
        lonlat = np.asarray(lonlat, np.float64).reshape(-1, 2)
        where = [self._where.get(rider_id) for rider_id in rider_ids]
        for rider_id, known in zip(rider_ids, where, strict=True):
            if known is None:
                raise InputError(f"Rider {rider_id!r} is not in the fleet.")
        modes = np.array([known[0] for known in where if known is not None])
        rows = np.array([known[1] for known in where if known is not None], np.int64)
        fine = np.zeros(len(rows), np.bool_)
        for mode in self.mode_fleets:
            mine = np.flatnonzero(modes == mode)
            if len(mine):
                mode_fleet = self.mode_fleets[mode]
                places = self.network.snap(lonlat[mine], mode, self.policy.walk_to_street_m)
                fine[mine] = mode_fleet.move(rows[mine], places, as_ms(at_s))
        for q in np.flatnonzero(fine).tolist():
            self._riders.move(rider_ids[q], (float(lonlat[q, 0]), float(lonlat[q, 1])))
        return fine

    def insert(self, rider_id: str, place: int, stop: Stop, at: Snapped | None = None) -> None:
        """Put a stop before stop `place` (0-based; the number of stops: at the end) of a plan."""
        mode_fleet, row = self.row_of(rider_id)
        rider = self._riders[rider_id]
        if not 0 <= place <= len(rider.stops):
            raise InputError(
                f"place is {place}; rider {rider_id} has {len(rider.stops)} stops, allowed is 0 to that."
            )
        stops = (*rider.stops[:place], stop, *rider.stops[place:])
        changed = dataclasses.replace(rider, stops=stops)
        if at is None:
            at = self.network.snap(np.array([stop.lonlat]), rider.mode, self.policy.walk_to_street_m)
        if at.edge[0] < 0:
            raise InputError(
                f"Stop {stop.stop_id} is {at.walk_m[0]:.0f} m from every street; the policy allows less."
            )
        visit = Visit(stop.lonlat, stop.service_s, stop.earliest_s, stop.latest_s, stop.closed_s)
        rest = int(counts_as_break(stop, self.policy))
        if stop.kind in ("task", "pickup", "dropoff"):
            rest = TASK_STOP
        mode_fleet.insert(row, place, at, visit, stop.load_change, rest)
        self._riders[rider_id] = changed

    def take_out(self, rider_id: str, place: int) -> Stop:
        """Remove stop `place` of a plan and return it."""
        mode_fleet, row = self.row_of(rider_id)
        rider = self._riders[rider_id]
        if not 0 <= place < len(rider.stops):
            raise InputError(
                f"place is {place}; rider {rider_id} has {len(rider.stops)} stops, allowed is 0 to one less."
            )
        mode_fleet.take_out(row, place)
        self._riders[rider_id] = dataclasses.replace(
            rider, stops=(*rider.stops[:place], *rider.stops[place + 1 :])
        )
        return rider.stops[place]

    def spend(self, rider_id: str, extra_s: float, points: float = 0.0) -> None:
        """Book extra time (and points) on a rider's budget of the hour and of fairness."""
        mode_fleet, row = self.row_of(rider_id)
        rider = self._riders[rider_id]
        rider = dataclasses.replace(
            rider,
            extra_last_hour_s=max(rider.extra_last_hour_s + extra_s, 0.0),
            contribution=max(rider.contribution + points, 0.0),
        )
        self._riders[rider_id] = rider
        self._facts.spend(rider.mode, row, rider.extra_last_hour_s)
        left = max(self.policy.max_extra_per_hour_s - rider.extra_last_hour_s, 0.0)
        mode_fleet.c.cap[row] = round(min(self.policy.max_extra_s, left) * 1000)
        mode_fleet.c.penalty[row] = round(self.policy.fairness_s_per_point * rider.contribution * 1000)

    def order(self) -> None:
        """Give every rider their number by id, for ties."""
        if not self._ordered:
            # Numbers of riders who have left stay: those of the others keep their order.
            self._number = {rider_id: number for number, rider_id in enumerate(sorted(self._where))}
            for mode, mode_fleet in self.mode_fleets.items():
                ids = self._id_of[mode]
                mode_fleet.c.order[list(ids)] = [self._number[rider_id] for rider_id in ids.values()]
            self._ordered = True

    def best(
        self,
        tasks: Sequence[Task],
        k: int,
        now_s: float,
        threads: int = 1,
        *,
        better: Sequence[Candidate] | None = None,
    ) -> tuple[tuple[Candidate, ...], ...]:
        """Return for each single-place task the k best riders, each at their best place in their plan.

        Parameters
        ----------
        tasks : sequence of Task
            Without drop-off (pairs: `routing.fleet.pairs`).
        k : int
            How many riders at most.
        now_s : float
            Epoch seconds; idle riders start then.
        threads : int
            Threads that share the tasks.
        better : sequence of Candidate, optional
            For each task, a rider who is not asked: only others of a lower rank are wanted.

        Returns
        -------
        tuple of tuple of Candidate
            Sorted by rank, then rider id, then place; empty where no rider may do it.
        """
        self.order()
        merged: list[list[Candidate]] = [[] for _ in tasks]
        for mode, mode_fleet in self.mode_fleets.items():
            mine = [i for i, task in enumerate(tasks) if mode in task.modes]
            if not mine or not len(mode_fleet):
                continue
            # With `better` it is written to below: not one that others look up.
            table = self.table(mode, [tasks[i] for i in mine], own=better is not None)
            for q, i in enumerate(mine):
                if better is None:
                    break
                known, row_of = better[i], self._where[better[i].rider_id]
                table.columns.most[q] = known.rank_ms - 1
                table.columns.barred[q] = row_of[1] if row_of[0] == mode else -1
            count, best = self._best_mode(mode_fleet, table, k, as_ms(now_s), threads)
            rank, extra, row, slot = best
            ids = self._id_of[mode]
            for q, i in enumerate(mine):
                for a in range(count[q]):
                    place = int(slot[q, a]) - int(row[q, a]) * mode_fleet.width
                    merged[i].append(Candidate(ids[int(row[q, a])], place, int(extra[q, a]), int(rank[q, a])))
        return tuple(
            tuple(sorted(some, key=lambda found: (found.rank_ms, found.rider_id, found.place))[:k])
            for some in merged
        )

    def best_of(self, task: Task, rider_id: str, now_s: float) -> Candidate | None:
        """Return the best place of a single-place task in one rider's plan; None where it is not allowed."""
        mode_fleet, row = self.row_of(rider_id)
        if mode_fleet.mode not in task.modes:
            return None
        others = mode_fleet.c.ok.copy()
        mine = others[row]
        mode_fleet.c.ok[:] = 0
        mode_fleet.c.ok[row] = mine
        try:
            found = self.best([dataclasses.replace(task, modes=frozenset({mode_fleet.mode}))], 1, now_s)[0]
        finally:
            mode_fleet.c.ok[:] = others
        return found[0] if found else None

    @contextlib.contextmanager
    def without(self, rider_ids: Iterable[str]) -> Iterator[None]:
        """Leave riders out of every search inside of the block; unknown ids are passed over."""
        found = [at for rider_id in rider_ids if (at := self._where.get(rider_id)) is not None]
        hidden = [(mode, np.array([row for name, row in found if name == mode])) for mode in dict(found)]
        hidden = [(mode, rows[self.mode_fleets[mode].c.ok[rows] != 0]) for mode, rows in hidden]
        for mode, rows in hidden:
            self.mode_fleets[mode].c.ok[rows] = 0
        try:
            yield
        finally:
            for mode, rows in hidden:
                self.mode_fleets[mode].c.ok[rows] = 1

    def at_hand(self, tasks: Sequence[Task]) -> contextlib.AbstractContextManager[None]:
        """Snap the places of `tasks` for every mode once; inside of the block they are looked up."""
        return self._places.at_hand(tasks)

    def share_places(self, other: "Fleet") -> None:
        """Look up the places that another fleet of the same streets has at hand."""
        self._places.share(other._places)

    def place_of(self, mode: str, task: Task) -> Snapped:
        """Return the snapped place of a task, the first of a pair."""
        return self._places.snapped(mode, [task.place.lonlat])

    def table(
        self, mode: str, tasks: Sequence[Task], *, dropoff: bool = False, own: bool = False
    ) -> TaskTable:
        """Return tasks in columns, snapped for `mode`; `dropoff`: the second places of pairs.

        That of one task at hand is made once, unless it shall be the caller's `own`.
        """
        visits = [task.dropoff if dropoff and task.dropoff is not None else task.place for task in tasks]
        known, key = self._places.kept, (id(self), mode, visits[0], tasks[0].skills, tasks[0].platforms)
        if known is None or own or len(tasks) > 1 or visits[0].closed_s:
            known = {}
        if key not in known:
            places = self._places.snapped(mode, [visit.lonlat for visit in visits])
            skills = [self.skills.mask(task.skills) for task in tasks]
            platforms = [self.platforms.mask(task.platforms) for task in tasks]
            columns = self.mode_fleet(mode).tasks(places, visits, skills, platforms)
            known[key] = TaskTable(columns, places)
        return known[key]

    def _best_mode(
        self, mode_fleet: ModeFleet, table: TaskTable, k: int, now: int, threads: int
    ) -> tuple[Int64Array, Best]:
        size = len(table.places)
        found, best = np.zeros(size, np.int64), outputs(size, k)
        contexts = [mode_fleet.context(thread) for thread in range(threads)]
        # Tasks near each other read the same streets and plans: in this order they find them in the caches.
        order = morton_order(table.places.lonlat)

        def part(worker: int, first: int, last: int) -> None:
            best_many(
                contexts[worker],
                mode_fleet.width,
                table.columns,
                order[first:last],
                now,
                mode_fleet.first_ms,
                found,
                best,
            )

        if threads == 1 or size == 1:
            part(0, 0, size)
        else:
            cuts = np.linspace(0, size, threads + 1).astype(int).tolist()
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(part, range(threads), *zip(*itertools.pairwise(cuts), strict=True)))
        return found, best
