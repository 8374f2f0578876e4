"""The riders of one mode: their columns, grown when needed, and the arrays that the kernels take."""

from collections.abc import Sequence

import numpy as np

from geo.arrays import BoolArray, FloatArray, Int32Array, Int64Array
from geo.errors import InputError
from geo.streets import Snapped, StreetNetwork
from routing.fleet.hubs import hubs_of
from routing.fleet.kernels.apart import may_be_given
from routing.fleet.kernels.columns import allocate, reschedule
from routing.fleet.kernels.context import KernelContext
from routing.fleet.kernels.legs import graph_of, hold, work_for
from routing.fleet.kernels.row_copies import copy_row
from routing.fleet.kernels.row_updates import (
    StopPlaces,
    StopTable,
    admit,
    adopt,
    advance,
    append_stops,
    close_gap,
    dismiss,
    find_ways,
    move,
    open_gap,
    relink,
    relist,
    take_out,
)
from routing.fleet.kernels.runs import fill_runs
from routing.fleet.kernels.tables import EVER, NEVER, Columns, TaskColumns, Work
from routing.fleet.threads import in_two_threads
from routing.model.policy import Policy
from routing.model.tasks import Visit

__all__ = ["MANY_ROWS", "Codes", "ModeFleet", "as_ms", "instants_ms", "runs_ms"]


def as_ms(instant_s: float) -> int:
    """Return epoch milliseconds (half to even); infinite instants become `EVER` or `NEVER`."""
    if instant_s == np.inf:
        return int(EVER)
    return int(NEVER) if instant_s == -np.inf else round(instant_s * 1000)


def instants_ms(given: FloatArray) -> Int64Array:
    """Return `as_ms` of many instants."""
    finite = np.isfinite(given)
    found: Int64Array = np.rint(np.where(finite, given, 0.0) * 1000).astype(np.int64)
    found[~finite] = np.where(given[~finite] > 0, EVER, NEVER)
    return found


class Codes:
    """Names as bits of a 63-bit mask, in the order in which they are first met."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._bit: dict[str, int] = {}
        self._known: dict[frozenset[str], int] = {}

    def mask(self, names: frozenset[str]) -> int:
        """Return the bits of `names`; raise `InputError` for the 64th name."""
        known = self._known.get(names)
        if known is not None:
            return known
        total = 0
        for name in sorted(names):
            if name not in self._bit:
                if len(self._bit) == 63:
                    raise InputError(f"There are more than 63 different {self._what}; the 64th is {name!r}.")
                self._bit[name] = 1 << len(self._bit)
            total |= self._bit[name]
        self._known[names] = total
        return total


def runs_ms(network: StreetNetwork, mode: str, places: Snapped) -> tuple[Int64Array, Int64Array]:
    """Milliseconds to each place from the ends of its edge, along and against (`geo.travel.ends.run_ms`).

    Columns of their own, not of a table: numba would compile all kernels once for one place, whose column
    lies in one piece however it was cut, and again for several.
    """
    edge, offset_m = np.maximum(places.edge, 0), np.ascontiguousarray(places.offset_m)
    cost_ms = network.graph(mode).directed_cost_ms.reshape(-1, 2)[edge]
    along, against = np.empty(len(edge), np.int64), np.empty(len(edge), np.int64)
    fill_runs(offset_m, network.edge_length_m[edge], cost_ms, along, against)
    return along, against


SLOT_COLUMNS = tuple(name for name in Columns._fields[: Columns._fields.index("long_at")])
ROW_COLUMNS = Columns._fields[Columns._fields.index("stops") : Columns._fields.index("edge_head")]
MANY_ROWS = 500
"""From so many plans on, it pays to look for what need not be done for all of them."""
AROUND_TASK_MS = 700_000
"""Half of what the hubs say most legs of a plan take at most."""
ONE_COLUMNS = ("keep", "work_span", "break_span", "least_factor", "most_cap", "long_leg")


class ModeFleet:
    """Riders of one mode in columns. Rows are given out and taken back; ids live in `routing.fleet.fleet`."""

    def __init__(
        self, network: StreetNetwork, mode: str, policy: Policy, rows: int = 16, width: int = 10
    ) -> None:
        self.network = network
        self.mode = mode
        self.graph = graph_of(network, mode)
        self.width = width
        self.policy = policy
        self.works: list[Work] = []
        self.c = allocate(rows, width, len(network), network.graph(mode).n_states)
        self._free = list(range(rows - 1, -1, -1))
        self.c.keep[0] = round(policy.slack_kept_s * 1000)
        self.c.work_span[0] = round(policy.continuous_work_s * 1000)
        self.c.break_span[0] = round(policy.break_s * 1000)
        self.first_ms = 390_000
        self._contexts: list[KernelContext] = []
        self._closed: dict[tuple[tuple[float, float], ...], int] = {(): 0}

    def work(self, thread: int = 0) -> Work:
        """Return the memory of a thread."""
        while len(self.works) <= thread:
            self.works.append(work_for(self.network, self.mode))
        return self.works[thread]

    def context(self, thread: int = 0) -> KernelContext:
        """Return all that the kernels of a thread read and write, as one."""
        while len(self._contexts) <= thread:
            self._contexts.append(hold(self.graph, self.c, self.work(len(self._contexts))))
        return self._contexts[thread]

    @property
    def free_rows(self) -> tuple[int, ...]:
        """Rows that no rider has, the next to be given out last."""
        return tuple(self._free)

    def replace_columns(self, width: int, free_rows: list[int], columns: Columns) -> None:
        """Write other columns over the present ones."""
        rows = len(columns.stops)
        if width != self.width or rows != len(self.c.stops):
            self.c = allocate(rows, width, len(self.c.edge_head), len(self.c.active))._replace(
                closed=self.c.closed
            )
            self._contexts.clear()
        # Written into the records, for columns that lie apart are another form to all kernels. Rows of closed
        # spans are never taken back.
        for name in Columns._fields:
            if name != "closed":
                getattr(self.c, name)[:] = getattr(columns, name)
        self.width, self._free = width, free_rows

    def take_over(self, other: "ModeFleet", columns: Columns) -> None:
        """Take the riders of the same mode on other streets, in `columns`, which still want to be linked."""
        self.width, self._free, self.c = other.width, list(other.free_rows), columns
        self._closed, self.first_ms = other._closed, other.first_ms
        self._contexts.clear()

    def __len__(self) -> int:
        return len(self.c.stops) - len(self._free)

    @property
    def nbytes(self) -> int:
        """Memory of the columns in bytes."""
        return sum(column.nbytes for column in self.c)

    def reserve(self, rows: int, stops: int) -> None:
        """Make room for `rows` more riders and plans of `stops` stops (one task each fits on top)."""
        wanted = max(len(self) + rows, 1)
        total = len(self.c.stops)
        while total < wanted:
            total *= 2
        width = self.width
        while width < stops + 3:
            width = width * 3 // 2
        if total != len(self.c.stops) or width != self.width:
            self._grow(total, width)

    def _grow(self, total: int, width: int) -> None:
        old, old_rows, old_width = self.c, len(self.c.stops), self.width
        new = allocate(total, width, len(old.edge_head), len(old.active))
        for name in SLOT_COLUMNS:
            if name in ("following", "previous"):
                continue
            source, target = getattr(old, name), getattr(new, name)
            shape = source.shape[1:]
            target.reshape(total, width, *shape)[:old_rows, :old_width] = source.reshape(
                old_rows, old_width, *shape
            )
        for name in ROW_COLUMNS:
            getattr(new, name)[:old_rows] = getattr(old, name)
        for name in ONE_COLUMNS:
            getattr(new, name)[:] = getattr(old, name)
        self._free = list(range(total - 1, old_rows - 1, -1)) + self._free
        new = new._replace(closed=old.closed)
        self.c, self.width = new, width
        self._contexts.clear()
        relink(self.graph, new, width)
        relist(new)

    def gaps(self, spans_of_each: Sequence[tuple[tuple[float, float], ...]]) -> Int32Array:
        """Return the rows of `Columns.closed` with some spans; what is not known yet is written there."""
        rows, known = self._closed, len(self._closed)
        found = np.array([rows.setdefault(spans, len(rows)) for spans in spans_of_each], np.int32)
        if len(rows) > known:
            size = 2 * max(len(spans) for spans in rows)
            table = np.full((len(rows), size), EVER, np.int64)
            for spans, row in rows.items():
                table[row, : 2 * len(spans)] = [as_ms(end) for span in spans for end in span]
            self.c = self.c._replace(closed=table)
            self._contexts.clear()
        return found

    def take_rows(self, count: int) -> Int64Array:
        """Give out free rows."""
        first = len(self._free) - count
        rows = np.array(self._free[first:][::-1], np.int64)
        del self._free[first:]
        return rows

    def dismiss(self, rows: Sequence[int]) -> None:
        """Take riders out and their rows back."""
        if len(rows):
            dismiss(self.context(), np.asarray(rows, np.int64), self.width)
            self._free.extend(rows)

    def write_places(self, slots: Int64Array, places: Snapped) -> None:
        """Write snapped places into slots (not yet linked)."""
        c = self.c
        along, against = runs_ms(self.network, self.mode, places)
        xy = self.network.project(places.lonlat)
        c.edge[slots], c.from_u[slots], c.from_v[slots] = places.edge, along, against
        c.walk[slots], c.x[slots], c.y[slots] = places.walk_ms, xy[:, 0], xy[:, 1]
        c.offset_m[slots], c.walk_m[slots], c.lonlat[slots] = places.offset_m, places.walk_m, places.lonlat

    def may_be_given(self, rows: Int64Array, task: TaskColumns) -> BoolArray:
        """Return which written rows might be given a task of one place, as far as is known without ways."""
        near, hubs = np.empty(len(rows), np.bool_), hubs_of(self.network, self.mode)
        radius = int(self.c.most_cap[0]) // 2 + AROUND_TASK_MS

        def part(thread: int, first: int, last: int) -> None:
            context, mine = self.context(thread), slice(first, last)
            may_be_given(context, rows[mine], self.width, task, 0, hubs, radius, near[mine])

        self.context(1)  # Not made by two threads at once.
        in_two_threads("may_be_given", part, len(rows), MANY_ROWS)
        return near

    def set_aside(self, rows: Int64Array) -> Int32Array:
        """Hide written rows as if nobody were there, until the stops returned here are written again."""
        stops: Int32Array = self.c.stops[rows]
        self.c.stops[rows] = -1
        return stops

    def admit(self, rows: Int64Array) -> BoolArray:
        """Link written rows, compute their legs and schedules; returns whose stops can all be reached."""
        reached = np.ones(len(rows), np.bool_)
        ways = np.empty((len(rows), self.width), np.int64)

        def part(thread: int, first: int, last: int) -> None:
            find_ways(self.context(thread), rows[first:last], self.width, ways[first:last])

        self.context(1)  # Not made by two threads at once.
        in_two_threads("find_ways", part, len(rows), MANY_ROWS)
        admit(self.context(), rows, self.width, ways, reached)
        self.settle()
        return reached

    def adopt(self, other: "ModeFleet", row: int) -> tuple[int, bool]:
        """Take a copy of one row of the same mode on the same streets, the only one here.

        Returns
        -------
        int
            Its row here.
        bool
            Whether its stops can all be reached.
        """
        self.reserve(1, int(other.c.stops[row]))
        if self.c.closed is not other.c.closed:
            # Rows name the spans between their windows by where these stand in the table.
            self.c, self._closed = self.c._replace(closed=other.c.closed), dict(other._closed)
            self._contexts.clear()
        here = int(self.take_rows(1)[0])
        copy_row(other.context(), self.context(), row, other.width, here, self.width)
        self.c.least_factor[0] = self.c.factor[here]
        self.c.most_cap[0] = self.c.cap[here]
        if self.c.long_leg[0] != other.c.long_leg[0]:
            # As there: above it legs are listed apart.
            self.list_legs_above(int(other.c.long_leg[0]))
        return here, bool(adopt(self.context(), here, self.width))

    def settle(self) -> None:
        """Keep the list of long legs short: about one leg in a hundred stands in it."""
        c = self.c
        stops = int(np.maximum(c.stops, 0).sum())
        if c.long_count[0] > 0.03 * stops + 16 or (c.long_count[0] == 0 and stops > 0):
            legs = c.leg[c.leg > 0]
            if len(legs):
                self.list_legs_above(int(np.sort(legs)[int(0.985 * (len(legs) - 1))]))

    def list_legs_above(self, leg_ms: int) -> None:
        """List the legs above a length apart; the answers are the same for every length, the time is not."""
        self.c.long_leg[0] = leg_ms
        # A little more than half of what a leg takes decides most searches at once.
        self.first_ms = 50_000 + leg_ms * 9 // 16
        relist(self.c)

    def move(self, rows: Int64Array, places: Snapped, at_ms: int) -> BoolArray:
        """Set positions; only the first leg of each plan is computed anew. False: refused or no way on."""
        along, against = runs_ms(self.network, self.mode, places)
        xy = self.network.project(places.lonlat)
        reached = np.ones(len(rows), np.bool_)
        columns = StopPlaces(
            places.edge,
            along,
            against,
            places.walk_ms,
            xy[:, 0].copy(),
            xy[:, 1].copy(),
            places.offset_m,
            places.walk_m,
            places.lonlat,
        )
        move(self.context(), rows, columns, at_ms, self.width, reached)
        return reached

    def insert(self, row: int, place: int, at: Snapped, visit: Visit, change: int, rest: int) -> None:
        """Put a stop before stop `place` (0-based) of a row; two legs are computed, the rest is kept."""
        if self.c.stops[row] + 1 >= self.width:
            self.reserve(0, int(self.c.stops[row]) + 1)
        slot = row * self.width + place + 1
        open_gap(self.context(), row, place + 1, self.width)
        self.write_places(np.array([slot]), at)
        gaps, c = self.gaps([visit.closed_s]), self.c
        c.service[slot], c.gaps[slot] = as_ms(visit.service_s), gaps[0]
        c.earliest[slot], c.latest[slot] = as_ms(visit.earliest_s), as_ms(visit.latest_s)
        c.change[slot], c.rest[slot] = change, rest
        close_gap(self.context(), row, slot, place, place + 2, self.width)

    def take_out(self, row: int, place: int) -> None:
        """Remove stop `place` (0-based); the leg over the gap is computed, the rest is kept."""
        take_out(self.context(), row, place + 1, self.width)

    def append(self, row: int, stops: StopTable, first: int, last: int) -> None:
        """Put the rows `first` to `last` - 1 of a table of stops at the end of a plan."""
        if self.c.stops[row] + last - first + 2 >= self.width:
            self.reserve(0, int(self.c.stops[row]) + last - first + 2)
        append_stops(self.context(), row, stops, (first, last), self.width)

    def renew(self, row: int) -> None:
        """Recompute the schedule of a row whose columns were written from outside."""
        reschedule(self.c, row, self.width)

    def advance(self, now_ms: int) -> tuple[Int64Array, Int64Array, Int64Array]:
        """Let time pass; returns rows, starts and leaves (epoch ms) of the stops now driven to.

        A rider who has left their place is planned from the stop the rider is driving to, from when the
        rider will leave it.
        """
        size = int(np.maximum(self.c.stops, 0).sum())
        out = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
        n = advance(self.context(), self.width, now_ms, *out)
        return out[0][:n], out[1][:n], out[2][:n]

    def stop_table(
        self, places: Snapped, service: Int64Array, latest: Int64Array, rest: BoolArray
    ) -> StopTable:
        """Return stops in columns for `append`."""
        along, against = runs_ms(self.network, self.mode, places)
        xy = self.network.project(places.lonlat)
        x, y = xy[:, 0].copy(), xy[:, 1].copy()
        return StopTable(
            places.edge,
            along,
            against,
            places.walk_ms,
            x,
            y,
            places.offset_m,
            service,
            latest,
            rest,
        )

    def tasks(
        self, places: Snapped, visits: Sequence[Visit], skills: Sequence[int], platforms: Sequence[int]
    ) -> TaskColumns:
        """Return the columns of tasks whose places were snapped for this mode."""
        along, against = runs_ms(self.network, self.mode, places)
        xy: FloatArray = self.network.project(places.lonlat)
        return TaskColumns(
            places.edge,
            along,
            against,
            places.offset_m,
            places.walk_ms,
            xy[:, 0].copy(),
            xy[:, 1].copy(),
            np.array([as_ms(v.service_s) for v in visits], np.int64),
            np.array([as_ms(v.earliest_s) for v in visits], np.int64),
            np.array([as_ms(v.latest_s) for v in visits], np.int64),
            self.gaps([v.closed_s for v in visits]),
            np.asarray(skills, np.int64),
            np.asarray(platforms, np.int64),
            np.full(len(visits), -1, np.int64),
            np.full(len(visits), EVER, np.int64),
        )

    def snapped(self, slots: Int32Array | Int64Array | list[int]) -> Snapped:
        """Return the snapped places of slots."""
        c = self.c
        return Snapped(
            c.edge[slots], c.offset_m[slots], c.lonlat[slots], c.walk_m[slots], c.walk[slots].astype(np.int64)
        )
