"""Seeded replay of a day under one policy of matching; no clock, no files.

Every policy sees the same orders, tasks, emergencies and answers of riders. A rider under way is planned from
the stop the rider is driving to. Emergencies are replayed as drills: the response is timed, no plan changes.
"""

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from geo.arrays import Int64Array
from geo.inequality import gini
from geo.streets import StreetNetwork
from geo.travel import reach_to
from routing.fleet.kernels.insertion import best_riders, outputs
from routing.fleet.kernels.tables import EVER, TASK_STOP, TaskColumns
from routing.fleet.mode_fleet import ModeFleet
from routing.fleet.promises import promised
from routing.model.checks import check_choice
from routing.model.policy import Policy
from routing.model.riders import Rider, Stop
from routing.model.tasks import Task, Visit, stops_of
from routing.replay.day import Day
from routing.replay.offers import OFFERS, OfferDesk

__all__ = ["POLICIES", "DayResult", "Driven", "Given", "simulate"]

POLICIES = ("none", "straight line", "network nearest", "one by one", "batches", *OFFERS)
"""``none``: the day without tasks. The two nearest ones send the rider at once, whatever their plan says; the
last ones are the live service's way of asking, see `routing.replay.offers`."""
ASKED = 6
"""Riders asked for a task in one go."""
STEP_MS = 60_000
BATCH_STEPS = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Driven:
    """One task that was done: rider, where it went, times in epoch seconds."""

    task: int
    rider: int
    start_s: float
    extra_s: float


@dataclasses.dataclass(frozen=True, slots=True)
class Given:
    """One task as it was given to a rider, for whoever looks over the shoulder of the simulation."""

    task: Task
    before: Rider
    """With their plan before the task; one under way stands at the stop the rider is driving to."""
    after: Rider
    place: int
    """Number of the task's stop in the plan `after`."""
    extra_s: float
    now_s: float


@dataclasses.dataclass(frozen=True, eq=False)
class DayResult:
    """Figures of one day under one policy."""

    policy: str
    tasks: int
    served: int
    extra_min_a_task: float
    deliveries: int
    late: int
    late_s: float
    """Seconds late in all."""
    breaks_late: int
    """Breaks that began after they fell due."""
    gini: float
    """Of the extra time over the riders who could be asked; 0: equal."""
    response_median_s: float
    """Emergencies: from the report to the first arrival; nan without emergencies."""
    driven: tuple[Driven, ...]
    visits: Int64Array
    """(n, 3) all stops in the order driven to: rider, stop of the day (-1 - task for a task), epoch ms of the
    start."""
    promised_later_s: float
    """Seconds by which a promise was made later in the mean, because of tasks in hand when it was made."""

    @property
    def served_share(self) -> float:
        """Share (0 to 1) of the tasks that were done."""
        return self.served / self.tasks if self.tasks else 0.0


def simulate(
    network: StreetNetwork,
    day: Day,
    policy: Policy,
    how: str,
    progress: Callable[[int, int], None] | None = None,
    witness: Callable[[Given], None] | None = None,
) -> DayResult:
    """Replay a day.

    Parameters
    ----------
    network : StreetNetwork
    day : Day
        From `routing.replay.day.make_day` on the same network.
    policy : Policy
        Rules of the matching policies; the nearest ones keep to none.
    how : str
        One of `POLICIES`.
    progress : callable, optional
        Called with (steps done, steps).
    witness : callable, optional
        Shown every task that a matching policy gives to a rider.

    Returns
    -------
    DayResult
    """
    check_choice("how", how, POLICIES)
    return _Replay(promised(network, policy), day, policy, how, witness).run(progress)


class _Replay:
    def __init__(
        self,
        network: StreetNetwork,
        day: Day,
        policy: Policy,
        how: str,
        witness: Callable[[Given], None] | None,
    ) -> None:
        self.day, self.policy, self.how = day, policy, how
        self.witness = witness
        self.visits: list[tuple[int, int, int]] = []
        self.here = day.start_place.lonlat.copy()
        self.network = network
        count = day.options.riders
        self.mode_fleet = ModeFleet(network, "ebike", policy, rows=count, width=24)
        self.start = round(day.options.start_s * 1000)
        self._fill(count)
        mode_fleet = self.mode_fleet
        self.stops = mode_fleet.stop_table(day.stop_place, day.stop_service, day.stop_due, day.stop_rest)
        tasks = len(day.task_latest)
        visits = [Visit((0.0, 0.0))] * tasks
        table = mode_fleet.tasks(day.task_place, visits, [0] * tasks, [0] * tasks)
        self.tasks: TaskColumns = table._replace(
            service=day.task_service, earliest=day.task_known.copy(), latest=day.task_latest
        )
        # What each rider has before them: numbers of stops, or -1 - task.
        self.plans: list[list[int]] = [[] for _ in range(count)]
        self.spent: list[list[tuple[int, int]]] = [[] for _ in range(count)]
        self.extra = np.zeros(count)
        self.asked: list[set[int]] = [set() for _ in range(tasks)]
        self.driven: list[Driven] = []
        self.taken: dict[int, tuple[int, int]] = {}
        self.late, self.late_ms, self.deliveries, self.breaks_late, self.promised_ms = 0, 0, 0, 0, 0
        self.due = day.stop_due.copy()
        self.responses: list[float] = []
        self.desk = OfferDesk(network, policy, OFFERS[how]) if how in OFFERS else None

    def _fill(self, count: int) -> None:
        mode_fleet, day = self.mode_fleet, self.day
        rows = mode_fleet.take_rows(count)
        self.rows = rows
        c = mode_fleet.c
        mode_fleet.write_places(rows * mode_fleet.width, day.start_place)
        c.stops[rows], c.at[rows], c.ready[rows], c.ok[rows] = 0, self.start, self.start, 1
        c.order[rows] = rows
        c.cap[rows] = round(self.policy.max_extra_s * 1000)
        c.most_cap[0] = round(self.policy.max_extra_s * 1000)
        c.limit[rows] = self.start + round((day.options.hours + 2) * 3_600_000)
        c.break_due[rows] = self.start + round(self.policy.continuous_work_s * 1000)
        c.capacity[rows] = -1
        c.least_factor[0] = 1000
        mode_fleet.admit(rows)

    def run(self, progress: Callable[[int, int], None] | None) -> DayResult:
        day = self.day
        steps = int((day.options.hours + 3) * 3_600_000 // STEP_MS)
        wave = task = urgent = 0
        waiting: list[int] = []
        for step in range(steps):
            now = self.start + step * STEP_MS
            self._advance(now)
            while wave < len(day.wave_known) and day.wave_known[wave] <= now:
                self._dispatch(wave, now)
                wave += 1
            while task < len(day.task_known) and day.task_known[task] <= now:
                waiting.append(task)
                task += 1
            while urgent < len(day.emergency_known) and day.emergency_known[urgent] <= now:
                self._respond(urgent, now)
                urgent += 1
            if self.how != "none":
                waiting = [one for one in waiting if day.task_latest[one] >= now]
                if self.how != "batches" or step % BATCH_STEPS == 0:
                    waiting = self._match(waiting, now)
            if step % 60 == 0:
                self.mode_fleet.settle()
                if progress is not None:
                    progress(step, steps)
        self._advance(int(EVER) // 2)
        return self._result()

    def _advance(self, now: int) -> None:
        day = self.day
        for row, start, _ in zip(*(part.tolist() for part in self.mode_fleet.advance(now)), strict=True):
            stop = self.plans[row].pop(0)
            self.visits.append((row, stop, start))
            self.here[row] = day.task_lonlat[-1 - stop] if stop < 0 else day.stop_place.lonlat[stop]
            if stop < 0:
                extra = self.taken.pop(-1 - stop)[1]
                self.driven.append(Driven(-1 - stop, row, start / 1000, extra / 1000))
                if self.desk is not None:
                    self.desk.done(-1 - stop, now)
                continue
            over = start - int(self.due[stop])
            if day.stop_rest[stop]:
                self.breaks_late += over > 0
                continue
            self.deliveries += 1
            if over > 0:
                self.late += 1
                self.late_ms += over

    def _dispatch(self, wave: int, now: int) -> None:
        """Give a wave to its rider and promise what their plan allows."""
        day, mode_fleet = self.day, self.mode_fleet
        first, last = int(day.wave_ptr[wave]), int(day.wave_ptr[wave + 1])
        row = int(day.wave_rider[wave])
        if mode_fleet.c.stops[row] == 0 and mode_fleet.c.leave[row * mode_fleet.width] < now:
            mode_fleet.c.ready[row] = now
        k = int(mode_fleet.c.stops[row])
        mode_fleet.append(row, self.stops, first, last)
        c = mode_fleet.c
        slots = row * mode_fleet.width + np.arange(k + 1, k + 1 + last - first)
        stops = np.arange(first, last)
        promise = c.start[slots] + day.stop_due[stops] - day.stop_planned[stops]
        orders = ~day.stop_rest[stops]
        c.latest[slots[orders]] = promise[orders]
        self.due[stops[orders]] = promise[orders]
        self.promised_ms += int(np.maximum(promise - day.stop_due[stops], 0)[orders].sum())
        mode_fleet.renew(row)
        self.plans[row] += range(first, last)

    def _caps(self, now: int) -> None:
        for row, spent in enumerate(self.spent):
            if spent:
                spent[:] = [one for one in spent if one[0] > now - 3_600_000]
                self._cap(row)

    def _cap(self, row: int) -> None:
        """Set what one task may still take of a rider's hour."""
        hour, most = round(self.policy.max_extra_per_hour_s * 1000), round(self.policy.max_extra_s * 1000)
        self.mode_fleet.c.cap[row] = min(most, max(hour - sum(one[1] for one in self.spent[row]), 0))

    def _match(self, waiting: list[int], now: int) -> list[int]:
        self._caps(now)
        if self.how == "batches":
            return self._match_batch(waiting, now)
        if self.desk is not None:
            return self.desk.step(self, waiting, now)
        left = []
        for task in waiting:
            offers = self._nearest(task, now) if self.how != "one by one" else self._best(task, now)
            done = False
            for row, place, extra in offers:
                self.asked[task].add(row)
                if self.day.accepts(row, task):
                    self._give(task, row, place, extra, now)
                    done = True
                    break
            if not done:
                left.append(task)
        return left

    def _best(self, task: int, now: int) -> list[tuple[int, int, int]]:
        """Best riders who have not been asked yet: (row, place, extra ms)."""
        mode_fleet = self.mode_fleet
        declined = [row for row in self.asked[task] if mode_fleet.c.ok[row]]
        mode_fleet.c.ok[declined] = 0
        out = outputs(ASKED)
        n = best_riders(
            mode_fleet.context(), mode_fleet.width, self.tasks, task, ASKED, now, mode_fleet.first_ms, out
        )
        mode_fleet.c.ok[declined] = 1
        rows, slots = out.row[:n], out.slot[:n]
        places = slots - rows * mode_fleet.width
        return list(zip(rows.tolist(), places.tolist(), out.extra[:n].tolist(), strict=True))

    def _nearest(self, task: int, now: int) -> list[tuple[int, int, int]]:
        """Nearest riders, sent at once: by straight line, or by the streets among the nearest twenty."""
        mode_fleet, c = self.mode_fleet, self.mode_fleet.c
        slots = self.rows * mode_fleet.width
        away = np.hypot(c.x[slots] - self.tasks.x[task], c.y[slots] - self.tasks.y[task])
        away[list(self.asked[task])] = np.inf
        chosen = np.argsort(away, kind="stable")[:20]
        chosen = chosen[np.isfinite(away[chosen])]
        if self.how == "network nearest" and len(chosen):
            target = self.day.task_place.take([task])
            times = reach_to(self.network, "ebike", mode_fleet.snapped(slots[chosen]), target)
            chosen = chosen[np.argsort(times, kind="stable")]
        return [(row, 0, -1) for row in chosen[:ASKED].tolist()]

    def _match_batch(self, waiting: list[int], now: int) -> list[int]:
        """Cheapest assignment of the tasks that wait, until nobody accepts any more."""
        while waiting:
            listed = {task: self._best(task, now) for task in waiting}
            rows = sorted({row for offers in listed.values() for row, _, _ in offers})
            if not rows:
                return waiting
            number = {row: at for at, row in enumerate(rows)}
            dearest = 1 + max(extra for offers in listed.values() for _, _, extra in offers)
            ptr, columns, costs = [0], [], []
            for at, task in enumerate(waiting):
                columns += [number[row] for row, _, _ in listed[task]] + [len(rows) + at]
                costs += [extra + 1 for _, _, extra in listed[task]] + [dearest * (len(waiting) + 1)]
                ptr.append(len(columns))
            table = csr_array(
                (np.array(costs, np.float64), np.array(columns), np.array(ptr)),
                shape=(len(waiting), len(rows) + len(waiting)),
            )
            chosen = min_weight_full_bipartite_matching(table)[1].tolist()
            served = set()
            offered = False
            for task, column in zip(waiting, chosen, strict=True):
                if column >= len(rows):
                    continue
                row, place, extra = next(one for one in listed[task] if one[0] == rows[column])
                self.asked[task].add(row)
                offered = True
                if self.day.accepts(row, task):
                    self._give(task, row, place, extra, now)
                    served.add(task)
            waiting = [task for task in waiting if task not in served]
            if not offered:
                return waiting
            self._caps(now)
        return waiting

    # -- what the desk of offers may ask for
    # ---------------------------------------------------------------------------------------------

    def rider_count(self) -> int:
        """Return how many riders there are."""
        return len(self.plans)

    def seen(self, row: int) -> object:
        """Return what a report of a rider depends on."""
        c, base = self.mode_fleet.c, row * self.mode_fleet.width
        return tuple(self.plans[row]), int(c.leave[base]), *self.here[row].tolist()

    def as_rider(self, row: int, now: int) -> Rider:
        """Return a rider with their plan."""
        rider = self._as_rider(row, now)
        # A task's stop bears the number of the task, as the desk knows it.
        own = {str(number): str(-1 - number) for number in self.plans[row] if number < 0}
        stops = tuple(
            dataclasses.replace(stop, stop_id=own[stop.stop_id])
            if stop.stop_id in own
            else dataclasses.replace(stop, stop_id=f"order {stop.stop_id}")
            for stop in rider.stops
        )
        return dataclasses.replace(rider, stops=stops)

    def as_task(self, task: int, now: int) -> Task:
        """Return a task under its number."""
        return dataclasses.replace(self._as_task(task, now), task_id=str(task))

    def accepts(self, row: int, task: int) -> bool:
        """Whether a rider says yes."""
        return self.day.accepts(row, task)

    def give(self, task: int, row: int, place: int, extra: int, now: int) -> None:
        """Put a task into a plan."""
        self._give(task, row, place, extra, now)

    def _give(self, task: int, row: int, place: int, extra: int, now: int) -> None:
        mode_fleet, day = self.mode_fleet, self.day
        c = mode_fleet.c
        base = row * mode_fleet.width
        k = int(c.stops[row])
        if k == 0 and c.leave[base] < now:
            c.ready[row] = now
            c.at[row] = now
        before = (
            int(c.arrive[base + place + 1])
            if place < k
            else max(int(c.leave[base + k]), now if k == 0 else 0)
        )
        was = self._as_rider(row, now) if self.witness is not None and extra >= 0 else None
        visit = Visit((0.0, 0.0), int(day.task_service[task]) / 1000)
        mode_fleet.insert(row, place, day.task_place.take([task]), visit, 0, TASK_STOP)
        c, base = mode_fleet.c, row * mode_fleet.width
        slot = base + place + 1
        c.earliest[slot] = max(int(day.task_known[task]), now)
        c.latest[slot] = EVER if extra < 0 else int(day.task_latest[task])
        mode_fleet.renew(row)
        if extra < 0:
            after = int(c.arrive[slot + 1]) if place < k else int(c.leave[slot])
            extra = max(after - before, 0)
        self.plans[row].insert(place, -1 - task)
        if was is not None and self.witness is not None:
            # Their place, from when the rider is free, and their rules are those before.
            then = dataclasses.replace(was, stops=self._as_rider(row, now).stops)
            self.witness(Given(self._as_task(task, now), was, then, place, extra / 1000, now / 1000))
        self.taken[task] = row, extra
        self.spent[row].append((now, extra))
        self._cap(row)
        self.extra[row] += extra / 1000

    def _as_task(self, task: int, now: int) -> Task:
        day, (lon, lat) = self.day, self.day.task_lonlat[task].tolist()
        opens, closes = max(int(day.task_known[task]), now) / 1000, int(day.task_latest[task]) / 1000
        return Task(str(-1 - task), Visit((lon, lat), int(day.task_service[task]) / 1000, opens, closes))

    def _as_rider(self, row: int, now: int) -> Rider:
        """Return a rider of the columns in the words of the matching room."""
        day, c, base = self.day, self.mode_fleet.c, row * self.mode_fleet.width
        stops = []
        for at, number in enumerate(self.plans[row], start=base + 1):
            if number < 0:
                given = stops_of(self._as_task(-1 - number, now))[0]
                opens, closes = int(c.earliest[at]) / 1000, int(c.latest[at]) / 1000
                stops.append(dataclasses.replace(given, earliest_s=opens, latest_s=closes))
                continue
            lon, lat = day.stop_place.lonlat[number].tolist()
            service_s, due_s = int(day.stop_service[number]) / 1000, int(self.due[number]) / 1000
            kind = "rest" if day.stop_rest[number] else "dropoff"
            stops.append(Stop(str(number), (lon, lat), service_s, latest_s=due_s, kind=kind))
        lon, lat = self.here[row].tolist()
        worked_s = self.policy.continuous_work_s - (int(c.break_due[row]) - now) / 1000
        return Rider(
            str(row),
            (lon, lat),
            stops=tuple(stops),
            available_s=int(c.leave[base]) / 1000,
            shift_end_s=int(c.limit[row]) / 1000,
            worked_since_break_s=max(worked_s, 0.0),
            extra_last_hour_s=sum(one[1] for one in self.spent[row]) / 1000,
        )

    def _respond(self, urgent: int, now: int) -> None:
        """Time a drill: riders are alerted in phases, soonest first by what the policy knows."""
        mode_fleet, c, day = self.mode_fleet, self.mode_fleet.c, self.day
        rules = self.policy.emergency
        slots = self.rows * mode_fleet.width
        target = day.emergency_place.take([urgent])
        xy = self.network.project(target.lonlat)[0]
        away = np.hypot(c.x[slots] - xy[0], c.y[slots] - xy[1])
        size = sum(rules.phase_riders)
        near = np.argsort(away, kind="stable")[: size if self.how == "straight line" else 4 * size]
        times = reach_to(self.network, "ebike", mode_fleet.snapped(slots[near]), target, rules.horizon_s)
        times = times + np.maximum(c.leave[slots[near]] - now, 0) / 1000
        order = np.arange(len(near)) if self.how == "straight line" else np.argsort(times, kind="stable")
        bounds = [0, *itertools.accumulate(rules.phase_riders)]
        for phase in range(len(rules.phase_riders)):
            alerted = order[bounds[phase] : bounds[phase + 1]]
            draws = (day.accept[near[alerted]] + (urgent + 1) * 0.7548776662466927) % 1.0
            coming = times[alerted][draws < rules.acceptance]
            if len(coming) and np.isfinite(coming.min()):
                self.responses.append(phase * rules.phase_wait_s + rules.answer_s + float(coming.min()))
                return
        self.responses.append(np.inf)

    def _result(self) -> DayResult:
        served = len(self.driven)
        extras = [one.extra_s for one in self.driven]
        return DayResult(
            policy=self.how,
            tasks=len(self.day.task_latest),
            served=served,
            extra_min_a_task=float(np.mean(extras)) / 60 if extras else 0.0,
            deliveries=self.deliveries,
            late=self.late,
            late_s=self.late_ms / 1000,
            breaks_late=self.breaks_late,
            gini=gini(self.extra) or 0.0,
            response_median_s=float(np.median(self.responses)) if self.responses else float("nan"),
            driven=tuple(self.driven),
            visits=np.array(self.visits, np.int64).reshape(-1, 3),
            promised_later_s=self.promised_ms / 1000 / max(self.deliveries, 1),
        )
