"""Deliveries made late by tasks, in a city whose true times no matcher knows, by the times it counts with.

    python tests/benchmarks/promises.py [--city helsinki|FILE] [--fleets 5 6 7] [--days 3] [--riders 40]

A fleet teaches travel times; its traffic, lights and gates stay hidden. Then days of deliveries are ridden
in that city. A wave is dispatched when its rider has done the last one on a day without tasks, and some idle
time later, so plans are feasible in true time. The promise of a delivery is made when its wave is dispatched:
the expected arrival (learned times) as the plan then stands, and a slack of 1 to 10 minutes, or what the true
ride without tasks needs and 1 to 5 minutes, whichever is more. Tasks are matched each minute on the plans as
they really stand, by class speeds or as a study promises: every street as in its slowest hour, times
what 50% to 95% of trips did not exceed, and gates likewise; all are accepted. A delivery is late
by tasks where it is late, and the same ride without the tasks that came into the plan after its promise, with
the same luck of lights and gates, is not.
"""

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

from harness import city_map
from learned_times import ZONE
from made_traces import traces_of

from geo.inner_ways import Trodden, compound_waits, gate_passes, with_waits
from geo.learned import learn, rides_of
from geo.localtime import local_s
from geo.mapmatch import traversals
from geo.osm import read_osm
from geo.places import Places
from geo.stays import classify_stays, find_stay_points
from geo.streets import StreetNetwork
from geo.streets.snapping import Snapped
from geo.synthetic import FleetOptions, make_fleet
from geo.synthetic.make import hidden_streets
from geo.synthetic.rides import RideVisits, ride
from geo.travel import travel_times_s
from geo.travel.many_paths import route_trips
from routing.fleet.fleet import Fleet
from routing.match import put_priced
from routing.model import Policy, Rider, Stop, Task, Visit
from routing.replay.day import Day, DayOptions, make_day

FloatArray = npt.NDArray[np.float64]
STEP_S = 60.0
SLACK_S = (60.0, 600.0)
GAP_S = (0.0, 900.0)
SHIFT_S = 240.0
SPARE_S = (60.0, 300.0)
"""What is left of the slack on a day without tasks, at least."""


class TrueCity:
    """Rides of single legs as they really go."""

    def __init__(self, network: StreetNetwork, options: FleetOptions, day: Day) -> None:
        self.network = network
        self.seed, self.hidden = options.seed, hidden_streets(network, options)
        tables = (day.start_place, day.stop_place, day.task_place)
        columns = ([getattr(table, field.name) for field in dataclasses.fields(table)] for table in tables)
        self.places = Snapped(*(np.concatenate(column) for column in zip(*columns, strict=True)))
        self.stop_at, self.task_at = len(day.start_place), len(day.start_place) + len(day.stop_place)
        self.walk_s = self.places.walk_ms / 1000.0
        self._paths: dict[tuple[int, int], npt.NDArray[np.int32]] = {}

    def place(self, number: int) -> int:
        """Return the place of a stop, or of task ``-1 - number``."""
        return self.stop_at + number if number >= 0 else self.task_at - 1 - number

    def begins_s(self, here: int, there: int, leave_s: float, pace: float, draw: int) -> float:
        """Return when somebody who leaves a door is at the next door."""
        if (here, there) not in self._paths:
            one = np.array([0], np.int32)
            both = self.places.take([here, there])
            trips = route_trips(self.network, "ebike", both, one, one + 1, np.array([True]), threads=1)
            self._paths[here, there] = trips.edges
        path = self._paths[here, there]
        both = self.places.take([here, there])
        start_s = leave_s + float(self.walk_s[here])
        visits = RideVisits(
            np.array([True, False]), np.array([1.0, 1.0]), np.array([start_s, 0.0]), both.lonlat,
            np.zeros(2, np.bool_), both.lonlat, np.zeros(2), both.offset_m, np.full(2, pace),
            np.array([0, 0, len(path)]), path, np.array([0, draw]),
        )  # fmt: skip
        arrives = ride(visits, self.hidden, self.seed).arrive_s[1]
        return float(arrives) + float(self.walk_s[there])


@dataclasses.dataclass
class Waves:
    """A day without tasks as it is really ridden: when waves are dispatched, and the slack of stops."""

    day: Day
    known_s: FloatArray
    slack_s: FloatArray


class Expected:
    """Seconds of legs that a platform expects."""

    def __init__(self, network: StreetNetwork, places: Snapped) -> None:
        self._network, self._places = network, places
        self._known: dict[tuple[int, int], float] = {}

    def __call__(self, here: int, there: int) -> float:
        if (here, there) not in self._known:
            ends = self._places.take([here]), self._places.take([there])
            self._known[here, there] = float(travel_times_s(self._network, "ebike", *ends)[0, 0])
        return self._known[here, there]


def _pace(day: Day) -> FloatArray:
    return np.random.default_rng([day.options.seed, 11]).uniform(0.9, 1.15, day.options.riders)


def _service_s(day: Day, number: int) -> float:
    return float(day.stop_service[number] if number >= 0 else day.task_service[-1 - number]) / 1000.0


def _draw(number: int) -> int:
    return number if number >= 0 else 10_000_000 - number


def quiet(day: Day, city: TrueCity, expected: Expected) -> Waves:
    """Ride the waves of each rider one after the other without tasks."""
    rng = np.random.default_rng([day.options.seed, 12])
    pace = _pace(day)
    known = np.full(len(day.wave_rider), np.inf)
    slack = np.zeros(len(day.stop_due))
    ends = day.options.start_s + 3600.0 * day.options.hours
    at, left = list(range(day.options.riders)), np.full(day.options.riders, day.options.start_s)
    for wave, rider in enumerate(day.wave_rider.tolist()):
        begin = float(left[rider]) + rng.uniform(*GAP_S)
        stops = _orders(day, wave)
        if begin > ends or not stops:
            continue
        known[wave], now, then = begin, begin, begin
        for stop in stops:
            there = city.place(stop)
            now = city.begins_s(at[rider], there, now, pace[rider], _draw(stop))
            then += expected(at[rider], there)
            slack[stop] = max(rng.uniform(*SLACK_S), now - then + rng.uniform(*SPARE_S))
            then += _service_s(day, stop)
            now, at[rider] = now + _service_s(day, stop), there
        left[rider] = now
    return Waves(day, known, slack)


def _orders(day: Day, wave: int) -> list[int]:
    stops = range(int(day.wave_ptr[wave]), int(day.wave_ptr[wave + 1]))
    return [stop for stop in stops if not day.stop_rest[stop]]


@dataclasses.dataclass
class Counted:
    """With which times a matcher counts, what of the slack no task may take, and by what a platform promises.

    ``by_hour`` has a network for each hour of the day; one: the same at all hours. With ``told`` the platform
    promises by the service's times what stands in a plan already, else by those that it expects.
    """

    by_hour: list[StreetNetwork]
    places: Snapped
    reserve_s: float = 0.0
    told: bool = False

    def __post_init__(self) -> None:
        self._expected = [Expected(one, self.places) for one in self.by_hour]

    def at(self, now: float) -> tuple["Expected", StreetNetwork]:
        """Return the times of an instant."""
        hour = int(local_s(np.array([int(now)]), ZONE)[0] // 3600 % 24) % len(self.by_hour)
        return self._expected[hour], self.by_hour[hour]


class Ridden:
    """A day with tasks, ridden minute by minute in the true city."""

    def __init__(
        self, waves: Waves, city: TrueCity, expected: Expected, counted: "Counted", policy: Policy
    ) -> None:
        self.day, self.waves, self.city, self.expected = waves.day, waves, city, expected
        self.policy, self.way = policy, counted
        self.counts, self.counted = counted.at(self.day.options.start_s)
        self.extra_s = 0.0
        count = self.day.options.riders
        self.pace = _pace(self.day)
        self.plans: list[list[int]] = [[] for _ in range(count)]
        self.at = list(range(count))
        self.left = np.full(count, self.day.options.start_s)
        self.begins = np.full(count, np.inf)
        self.due: dict[int, float] = {}
        self.without: dict[int, float] = {}
        self.kept: set[int] = set()
        """Deliveries before which all was done by when the platform had counted with."""
        self.begun: dict[int, float] = {}
        self.spent: list[list[tuple[float, float]]] = [[] for _ in range(count)]

    def run(self) -> dict[str, float]:
        """Ride the day and return its figures."""
        day = self.day
        order = np.argsort(self.waves.known_s, kind="stable")
        order = order[np.isfinite(self.waves.known_s[order])]
        wave, task = 0, 0
        waiting: list[int] = []
        for step in range(int((day.options.hours + 3) * 60)):
            now = day.options.start_s + step * STEP_S
            self.counts, self.counted = self.way.at(now)
            while wave < len(order) and self.waves.known_s[order[wave]] <= now:
                self._dispatch(int(order[wave]))
                wave += 1
            for rider in range(len(self.plans)):
                self._advance(rider, now)
            while task < len(day.task_known) and day.task_known[task] / 1000.0 <= now:
                waiting.append(task)
                task += 1
            waiting = [one for one in waiting if day.task_latest[one] / 1000.0 >= now]
            waiting = self._match(waiting, now) if waiting else []
        for rider in range(len(self.plans)):
            self._advance(rider, np.inf)
        anyway = [stop for stop, due in self.due.items() if self.without[stop] > due + 1.0]
        late = [
            self.begun[stop] - due
            for stop, due in self.due.items()
            if self.begun[stop] > due + 1.0 >= self.without[stop]
        ]
        orders = len(self.due)
        tasks = [one for one in self.begun if one < 0]
        after = sum(self.begun[one] > day.task_latest[-1 - one] / 1000.0 + 1.0 for one in tasks)
        return {
            "deliveries": orders, "tasks": len(day.task_known), "done": len(tasks),
            "late_by_tasks": len(late), "late_min": float(sum(late)) / 60.0, "late_anyway": len(anyway),
            "late_before": sum(stop not in self.kept for stop in anyway),
            "tasks_after_their_time": int(after), "extra_min": self.extra_s / 60.0,
        }  # fmt: skip

    def _advance(self, rider: int, now: float) -> None:
        plan = self.plans[rider]
        while plan:
            if not np.isfinite(self.begins[rider]):
                if self.left[rider] > now:
                    return
                where = self.city.place(plan[0])
                self.begins[rider] = self.city.begins_s(
                    self.at[rider], where, float(self.left[rider]), self.pace[rider], _draw(plan[0])
                )
            if self.begins[rider] > now:
                return
            done = plan.pop(0)
            begin = float(self.begins[rider])
            if done < 0:
                begin = max(begin, float(self.day.task_known[-1 - done]) / 1000.0)
            self.begun[done] = begin
            self.at[rider], self.begins[rider] = self.city.place(done), np.inf
            self.left[rider] = begin + _service_s(self.day, done)

    def _dispatch(self, wave: int) -> None:
        """Promise from what is expected as the plan stands."""
        rider, known = int(self.day.wave_rider[wave]), float(self.waves.known_s[wave])
        self._advance(rider, known)
        plan = self.plans[rider]
        if not plan:
            self.left[rider] = max(float(self.left[rider]), known)
        stops = _orders(self.day, wave)
        then, here = float(self.left[rider]), self.at[rider]
        before = then
        for place, one in enumerate([*plan, *stops]):
            before = then if place == len(plan) else before
            there = self.city.place(one)
            # What stands in the plan already was delayed by tasks, of which the service told its times; and
            # a task may leave the rider where nobody knows the luck of the way on.
            told = self.way.told and place <= len(plan)
            then += (self.counts if told else self.expected)(here, there)
            if place == 0:
                then = max(then, known)
            if one >= 0 and place >= len(plan):
                self.due[one] = then + float(self.waves.slack_s[one])
            then, here = then + _service_s(self.day, one), there
        plan += stops
        self._ride_on(rider, set(stops), max(before, known))

    def _ride_on(self, rider: int, wanted: set[int], before_s: float) -> None:
        """Note when stops are reached if no task comes into the plan any more."""
        in_time = True
        begin, here, left = float(self.begins[rider]), self.at[rider], float(self.left[rider])
        for one in self.plans[rider]:
            there = self.city.place(one)
            if not np.isfinite(begin):
                begin = self.city.begins_s(here, there, left, self.pace[rider], _draw(one))
            if one in wanted:
                in_time = in_time and (bool(self.without.keys() & wanted) or left <= before_s + 1.0)
                self.without[one] = begin
                self.kept |= {one} if in_time else set()
            here, left, begin = there, begin + _service_s(self.day, one), np.inf

    def _as_rider(self, rider: int, now: float) -> tuple[Rider, int]:
        """Return a rider as the matcher counts, and how many stops of the plan are out of its hands."""
        plan, here = self.plans[rider], self.at[rider]
        free, fixed = float(self.left[rider]), 0
        if np.isfinite(self.begins[rider]):
            there = self.city.place(plan[0])
            free = max(free + self.counts(here, there), now) + _service_s(self.day, plan[0])
            here, fixed = there, 1
        stops = []
        for one in plan[fixed:]:
            a, b = self.city.places.lonlat[self.city.place(one)].tolist()
            latest = (
                self.due[one] - self.way.reserve_s
                if one >= 0
                else float(self.day.task_latest[-1 - one]) / 1000.0
            )
            kind = "dropoff" if one >= 0 else "task"
            stops.append(Stop(str(one), (a, b), _service_s(self.day, one), latest_s=latest, kind=kind))
        a, b = self.city.places.lonlat[here].tolist()
        spent = sum(extra for at, extra in self.spent[rider] if at > now - 3600.0)
        return Rider(str(rider), (a, b), stops=tuple(stops), available_s=free, extra_last_hour_s=spent), fixed

    def _match(self, waiting: list[int], now: float) -> list[int]:
        fleet = Fleet(self.counted, self.policy)
        riders, fixed = zip(*(self._as_rider(rider, now) for rider in range(len(self.plans))), strict=True)
        fleet.put(riders, now)
        left = []
        for number in waiting:
            a, b = self.day.task_lonlat[number].tolist()
            known, latest = self.day.task_known[number] / 1000.0, self.day.task_latest[number] / 1000.0
            visit = Visit((a, b), _service_s(self.day, -1 - number), float(known), float(latest))
            task = Task(str(-1 - number), visit)
            found = fleet.best([task], 1, now)[0]
            if not found:
                left.append(number)
                continue
            priced = put_priced(fleet, task, found[0], now)
            rider = int(found[0].rider_id)
            if not self.plans[rider]:
                self.left[rider] = max(float(self.left[rider]), now)
            self.plans[rider].insert(fixed[rider] + found[0].place, -1 - number)
            self.spent[rider].append((now, priced.extra_s))
            self.extra_s += priced.extra_s
        return left


def one_city(
    network: StreetNetwork, places: Places, options: FleetOptions, asked: argparse.Namespace
) -> list[dict[str, object]]:
    """Return a row for each day and way to expect times."""
    fleet = make_fleet(network, places, options)
    traces = traces_of(fleet)
    stays = classify_stays(find_stay_points(traces), traces, places, network, ZONE)
    ridden = traversals(network, traces)
    rides = rides_of(network, "ebike", ridden, stays, ZONE)
    learned = learn(network, rides, ZONE, seed=options.seed, k=10)
    if learned.held_out is None:
        raise SystemExit(f"not enough traces: {learned.why}")
    factor = learned.times.factor()
    trodden = Trodden(network, "ebike", traces, ridden, stays, ZONE)
    passes, slowest = gate_passes(trodden), learned.times.slowest()
    ways: dict[str, tuple[list[StreetNetwork], float, bool]] = {"class speeds": ([network], 0.0, False)}
    for share in asked.shares:
        promise = max(learned.held_out.promise_factor(share), 1.0)
        if asked.mean:
            ways[f"mean of the week, {share:.0%}"] = (
                [network.with_times("ebike", factor * promise)], 0.0, False
            )  # fmt: skip
        waits = compound_waits(trodden, passes, k=10, share=share)
        gated = with_waits(network, waits.promised_s)
        of_week = [gated.with_times("ebike", slowest * promise)]
        ways[f"slowest hour of the week, {share:.0%}"] = (of_week, 0.0, False)
        ways[f"slowest hour of the week, {share:.0%}, told"] = (of_week, 0.0, True)
        for reserve_s in asked.reserves:
            ways[f"slowest hour of the week, {share:.0%}, told, {reserve_s:.0f} s left"] = (
                of_week, reserve_s, True
            )  # fmt: skip
        if asked.hours_ahead:
            # Thursday, the day that is ridden.
            hours = [learned.times.factor(72 + hour) for hour in range(24)]
            ahead = [
                np.max([hours[(hour + on) % 24] for on in range(asked.hours_ahead)], axis=0)
                for hour in range(24)
            ]
            ways[f"slowest of {asked.hours_ahead} hours, {share:.0%}, told"] = (
                [gated.with_times("ebike", one * promise) for one in ahead], 0.0, True
            )  # fmt: skip
    rows: list[dict[str, object]] = []
    for number in range(asked.days):
        seed = 100 * options.seed + number
        # Thursday 9 October 2025 in Shanghai.
        size = DayOptions(
            riders=asked.riders, tasks=asked.tasks, emergencies=0, hours=asked.hours,
            start_s=1_759_939_200.0 + 3600.0 * asked.begin, seed=seed,
        )  # fmt: skip
        policy = Policy()
        day = make_day(network, size, policy)
        city = TrueCity(network, options, day)
        expected = Expected(network.with_times("ebike", factor), city.places)
        waves = quiet(day, city, expected)
        none = dataclasses.replace(waves, day=dataclasses.replace(day, task_known=day.task_known[:0]))
        still = Ridden(none, city, expected, Counted([network], city.places), policy).run()
        if still["late_by_tasks"]:
            raise AssertionError("somebody is late by tasks on a day without tasks")
        rows.append({"fleet": options.seed, "day": seed, "times": "no tasks", **still})
        # Slack was made with the luck of lights and gates in hand; who begins at another minute has another.
        shifted = dataclasses.replace(none, known_s=waves.known_s + SHIFT_S)
        still = Ridden(shifted, city, expected, Counted([network], city.places), policy).run()
        rows.append({"fleet": options.seed, "day": seed, "times": "no tasks, four minutes later", **still})
        for name, (streets, reserve_s, told) in ways.items():
            counted = Counted(streets, city.places, reserve_s, told)
            figures = Ridden(waves, city, expected, counted, policy).run()
            rows.append({"fleet": options.seed, "day": seed, "times": name, **figures})
            print(rows[-1], file=sys.stderr)
    return rows


def main(arguments: list[str]) -> int:
    """Print a row for each way to expect times, then all rows as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--city", default="helsinki")
    parser.add_argument("--fleets", type=int, nargs="+", default=[5, 6, 7])
    parser.add_argument("--traffic", type=float, default=0.6)
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--riders", type=int, default=40)
    parser.add_argument("--tasks", type=int, default=150)
    parser.add_argument("--hours", type=float, default=5.0)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.5, 0.8, 0.9, 0.95])
    parser.add_argument("--begin", type=float, default=10.0, help="hour of the day at which it begins")
    parser.add_argument("--reserves", type=float, nargs="*", default=[], help="seconds of slack left alone")
    parser.add_argument("--hours-ahead", type=int, default=0, help="also the slowest of so many hours")
    parser.add_argument("--mean", action="store_true", help="with the mean of the week, too")
    asked = parser.parse_args(arguments)
    network, places = read_osm(city_map(asked.city))
    rows = []
    for seed in asked.fleets:
        options = FleetOptions(riders=100, days=6, seed=seed, timezone=ZONE, traffic=asked.traffic)
        rows += one_city(network, places, options, asked)
    for name in dict.fromkeys(str(row["times"]) for row in rows):
        mine = [row for row in rows if row["times"] == name]
        late = [int(str(row["late_by_tasks"])) for row in mine]
        anyway = [int(str(row["late_anyway"])) for row in mine]
        before = [int(str(row["late_before"])) for row in mine]
        done = [int(str(row["done"])) for row in mine]
        print(
            f"| {name} | {np.mean(done):.1f} ({min(done)}-{max(done)}) | "
            f"{np.mean(late):.1f} ({min(late)}-{max(late)}) | "
            f"{np.mean(anyway):.1f} | {np.mean(before):.1f} | "
            f"{sum(float(str(row['late_min'])) for row in mine) / len(mine):.1f} | "
            f"{sum(float(str(row['extra_min'])) for row in mine) / len(mine):.0f} |"
        )
    print(json.dumps(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
