"""Riders whose plan is hidden: streets foretold for the next minutes, and tasks given on what is foretold.

    python tests/benchmarks/predicted_paths.py [--city helsinki|FILE] [--seeds 11 12 13] [--riders 100]

Made fleets ride; the model sees the stays found in their traces on the first three quarters of the days, and
at each of the moments asked on the last days the positions of five minutes and the two stays before. It is
never told a plan. Hit rate: of the metres that the rider really passes in the next 5, 10, 20 minutes, the
share that is foretold, where every method names as many minutes of streets. Markov chains on streets are
counted on the true streets of the first days. Tasks are thrown within 500 m of the rider; where one would be
given, its true extra time is that from the true place of the rider before the stop that really came next.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

from harness import city_map
from made_traces import traces_of

from geo.learned.destinations import NextStops, Seen, next_stops
from geo.learned.habits import Habits, PastStops, learn_habits
from geo.learned.ways_ahead import passed_streets
from geo.osm import read_osm
from geo.places import Places
from geo.stays import KINDS, classify_stays, find_stay_points
from geo.streets import StreetNetwork
from geo.synthetic import FleetOptions, SyntheticFleet, make_fleet
from geo.traces import Traces
from geo.travel import find_path, travel_times_s
from routing.expected import match_expected
from routing.model import ExpectedRider, ExpectedStop, Policy, Rider, Task, Visit
from routing.proof import Checker, scenario_problems

ZONE = "Asia/Shanghai"
MODE = "ebike"
MINUTES = (5, 10, 20)
STOPS = tuple(KINDS.index(kind) for kind in ("rest", "pickup", "dropoff", "off_shift"))
SERVICE_S = 60.0
CHECKED = 10
"""Matches that the independent checker drives again: a hundred ways each."""
METHODS = ("last direction", "personal history", "Markov 1", "Markov 2", "predicted")
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class Moment(NamedTuple):
    """One moment at which a rider is on the way: what is seen, and the stop that really comes next."""

    t_s: float
    rider: int
    seen: Seen
    here: FloatArray
    stop: FloatArray
    stop_s: float


class Chains(NamedTuple):
    """What street followed one or two streets, on the days that may be learned from."""

    one: dict[int, int]
    two: dict[tuple[int, int], int]


class Ridden(NamedTuple):
    """True streets of all trips: whose, which, when entered."""

    rider: IntArray
    directed: IntArray
    enter_s: FloatArray
    trip: IntArray


def _ridden(network: StreetNetwork, fleet: SyntheticFleet) -> Ridden:
    """Times within a trip are dealt out by what the streets take."""
    ptr, directed = fleet.trips.ptr, fleet.trips.edges.astype(np.int64)
    trip = np.repeat(np.arange(len(ptr) - 1), np.diff(ptr))
    cost = network.graph(MODE).directed_cost_ms[directed].astype(np.float64)
    before = np.cumsum(cost) - cost
    first = before[np.minimum(ptr[:-1], max(len(before) - 1, 0))]
    total = np.bincount(trip, cost, len(ptr) - 1)
    share = (before - first[trip]) / np.maximum(total[trip], 1.0)
    took_s = fleet.trip_end_s - fleet.trip_start_s
    return Ridden(
        fleet.trip_rider[trip].astype(np.int64),
        directed,
        fleet.trip_start_s[trip] + share * took_s[trip],
        trip,
    )


def _chains(ridden: Ridden, until_s: float) -> Chains:
    """Count what follows what and keep what follows most often."""
    seen = ridden.enter_s < until_s
    directed, trip = ridden.directed[seen], ridden.trip[seen]
    joined = trip[1:] == trip[:-1]
    pairs, count = np.unique(
        np.stack([directed[:-1][joined], directed[1:][joined]], axis=1), axis=0, return_counts=True
    )
    ordered = sorted(zip(pairs.tolist(), count.tolist(), strict=True), key=lambda x: x[1])
    one = {int(a): int(b) for (a, b), _ in ordered}
    twice = joined[1:] & joined[:-1]
    triples = np.stack([directed[:-2][twice], directed[1:-1][twice], directed[2:][twice]], axis=1)
    several, count = np.unique(triples, axis=0, return_counts=True)
    thrice = sorted(zip(several.tolist(), count.tolist(), strict=True), key=lambda x: x[1])
    return Chains(one, {(int(a), int(b)): int(c) for (a, b, c), _ in thrice})


class Streets:
    """Follows streets on from a position."""

    def __init__(self, network: StreetNetwork) -> None:
        self.network = network
        self.cost_s = network.graph(MODE).directed_cost_ms / 1000.0
        self.open = network.graph(MODE).directed_cost_ms < 2**31
        u, v = network.edge_u.astype(np.int64), network.edge_v.astype(np.int64)
        self.tail = np.stack([u, v], axis=1).ravel()
        self.head = np.stack([v, u], axis=1).ravel()
        xy = network.project(network.node_lonlat)
        self.bearing = np.arctan2(*(xy[self.head] - xy[self.tail]).T)
        order = np.argsort(self.tail, kind="stable")
        self.out = np.split(order, np.searchsorted(self.tail[order], np.arange(1, len(xy))))

    def first(self, seen: Seen) -> int | None:
        """Return the directed street on which the rider is."""
        place = self.network.snap(seen.lonlat[-1:], MODE)
        if not place.ok[0]:
            return None
        xy = self.network.project(seen.lonlat)
        before = int(np.searchsorted(seen.t_s, seen.t_s[-1] - 60.0))
        heading = np.arctan2(*(xy[-1] - xy[min(before, len(xy) - 1)]))
        along = 2 * int(place.edge[0])
        fine = [one for one in (along, along + 1) if self.open[one]]
        return min(fine, key=lambda one: _turn(heading, self.bearing[one])) if fine else None

    def straight(self, now: int) -> int | None:
        """Return the street that leads on with the least turn."""
        ways = [one for one in self.out[self.head[now]].tolist() if self.open[one] and one != now ^ 1]
        return min(ways, key=lambda one: _turn(self.bearing[now], self.bearing[one]), default=None)

    def follow(self, seen: Seen, chains: Chains | None, order: int, within_s: float) -> list[int]:
        """Return the streets that a chain, or the last direction, leads along."""
        now = self.first(seen)
        if now is None:
            return []
        way, took_s, before = [now], float(self.cost_s[now]) / 2, -1
        while took_s < within_s and len(way) < 400:
            then = None
            if chains is not None:
                then = chains.two.get((before, now)) if order == 2 else None
                then = chains.one.get(now) if then is None else then
            then = self.straight(now) if then is None else then
            if then is None:
                break
            before, now = now, then
            way.append(now)
            took_s += float(self.cost_s[now])
        return way


def _turn(one: float, other: float) -> float:
    return abs((one - other + np.pi) % (2 * np.pi) - np.pi)


def _own_way(network: StreetNetwork, habits: Habits, seen: Seen, within_s: float) -> list[int]:
    """Personal history: the way to where this rider most often went after the last stop, or at all."""
    lon, lat = seen.lonlat[-1].tolist()
    _, one, own, _, _ = habits.parts(seen.rider, -1, seen.last, (lon, lat))
    shares = one if one is not None else own
    if shares is None:
        return []
    places = network.snap(np.stack([seen.lonlat[-1], habits.lonlat[int(shares.argmax())]]), MODE)
    path = find_path(network, MODE, places.take([0]), places.take([1]))
    if path is None:
        return []
    took_s = np.cumsum(network.graph(MODE).directed_cost_ms[path.directed_edges] / 1000.0)
    return [int(one) for one in path.directed_edges[: int(np.searchsorted(took_s, within_s)) + 1]]


def _moments(
    network: StreetNetwork, fleet: SyntheticFleet, traces: Traces, stays: PastStops, habits: Habits,
    first_s: float, count: int, seed: int,
) -> list[Moment]:  # fmt: skip
    """Draw moments in the middle of trips on the last days."""
    rng = np.random.default_rng([seed, 77])
    trips = np.flatnonzero((fleet.trip_start_s >= first_s) & (fleet.trip_end_s - fleet.trip_start_s > 90.0))
    weight = (fleet.trip_end_s - fleet.trip_start_s)[trips]
    true = fleet.stays
    kinds = np.isin(true.kind, STOPS)
    out = []
    for trip in rng.choice(trips, min(count, len(trips)), replace=False, p=weight / weight.sum()).tolist():
        rider = int(fleet.trip_rider[trip])
        t_s = float(rng.uniform(fleet.trip_start_s[trip] + 30.0, fleet.trip_end_s[trip] - 30.0))
        rows = slice(*np.searchsorted(fleet.stays.rider, [rider, rider + 1]).tolist())
        span = slice(int(traces.rider_ptr[rider]), int(traces.rider_ptr[rider + 1]))
        at = traces.t_s[span]
        recent = np.flatnonzero((at > t_s - 300.0) & (at <= t_s)) + span.start
        if len(recent) < 3:
            continue
        # Asked when a position comes in.
        t_s = float(traces.t_s[recent[-1]])
        before = _last_places(stays, habits, rider, t_s)
        seen = Seen(rider, *before, traces.t_s[recent].astype(np.float64), traces.lonlat[recent])
        mine = np.flatnonzero(kinds[rows] & (true.start_s[rows] > t_s)) + rows.start
        if not len(mine):
            continue
        here = np.array(fleet.movement.at(rider, t_s))
        out.append(Moment(t_s, rider, seen, here, true.lonlat[mine[0]], float(true.start_s[mine[0]])))
    return out


def _last_places(stays: PastStops, habits: Habits, rider: int, t_s: float) -> tuple[int, int]:
    rows = np.flatnonzero((stays.rider == rider) & (stays.t_s < t_s - 60.0) & (stays.t_s > t_s - 4 * 3600))
    places = habits.place_at(stays.lonlat[rows[-2:]]).tolist()
    return (-1, -1, *places)[-2:]


def _named(
    streets: Streets, network: StreetNetwork, told: tuple[IntArray, FloatArray], within_s: float
) -> list[int]:
    """Return the likeliest streets, as many as can be ridden in that time."""
    took_s = np.cumsum(streets.cost_s[told[0]])
    return [int(one) for one in told[0][: int(np.searchsorted(took_s, within_s)) + 1]]


def _calibration(chance: FloatArray, came: FloatArray) -> dict[str, object]:
    """Return the mean gap between what is told and what comes, and both by tenths."""
    tenth = np.minimum((chance * 10).astype(np.int64), 9)
    count = np.bincount(tenth, minlength=10)
    told = np.bincount(tenth, chance, 10) / np.maximum(count, 1)
    true = np.bincount(tenth, came, 10) / np.maximum(count, 1)
    return {
        "gap": float((count * np.abs(told - true)).sum() / max(count.sum(), 1)),
        "told": [round(float(one), 3) for one in told],
        "came": [round(float(one), 3) for one in true],
        "count": count.tolist(),
    }


def hits(
    network: StreetNetwork, ridden: Ridden, habits: Habits, chains: Chains, moments: list[Moment],
    told: list[NextStops],
) -> dict[str, object]:  # fmt: skip
    """Return the hit rates of all methods, and whether probabilities of streets are right."""
    streets = Streets(network)
    metres = np.repeat(network.edge_length_m, 2)
    hit = {name: np.zeros(len(MINUTES)) for name in METHODS}
    named = {name: np.zeros(len(MINUTES)) for name in METHODS}
    total = np.zeros(len(MINUTES))
    order = np.lexsort((ridden.enter_s, ridden.rider))
    rider, enter_s, directed = ridden.rider[order], ridden.enter_s[order], ridden.directed[order]
    chance, came = [], []
    for moment, stops in zip(moments, told, strict=True):
        rows = slice(*np.searchsorted(rider, [moment.rider, moment.rider + 1]).tolist())
        for number, minutes in enumerate(MINUTES):
            within_s = 60.0 * minutes
            # From the street on which the rider is on.
            first, last = np.searchsorted(enter_s[rows], [moment.t_s, moment.t_s + within_s])
            true = set(directed[rows][max(int(first) - 1, 0) : int(last)].tolist())
            total[number] += metres[list(true)].sum()
            likely = passed_streets(network, MODE, habits, moment.seen, stops, within_s)
            ways = {
                "last direction": streets.follow(moment.seen, None, 0, within_s),
                "personal history": _own_way(network, habits, moment.seen, within_s),
                "Markov 1": streets.follow(moment.seen, chains, 1, within_s),
                "Markov 2": streets.follow(moment.seen, chains, 2, within_s),
                "predicted": _named(streets, network, likely, within_s),
            }
            for name, way in ways.items():
                hit[name][number] += metres[list(true & set(way))].sum()
                named[name][number] += metres[list(set(way))].sum()
            if minutes == 10:
                chance += likely.probability.tolist()
                came += [float(one in true) for one in likely.directed.tolist()]
    return {
        "hit_rate": {name: (hit[name] / total).round(3).tolist() for name in METHODS},
        "share_of_named": {
            name: (hit[name] / np.maximum(named[name], 1.0)).round(3).tolist() for name in METHODS
        },
        "streets_10_min": _calibration(np.array(chance), np.array(came)),
    }


def stops_told(habits: Habits, moments: list[Moment], told: list[NextStops]) -> dict[str, object]:
    """Return how often the next stop is the one that is told, and whether probabilities are right."""
    chance, came, first, five, log = [], [], [], [], []
    for moment, stops in zip(moments, told, strict=True):
        true = int(habits.place_at(moment.stop[None, :])[0])
        right = (stops.place == true).astype(float)
        chance += [*stops.probability.tolist(), stops.elsewhere]
        came += [*right.tolist(), float(not right.any())]
        first.append(right[:1].sum())
        five.append(right[:5].sum())
        log.append(-np.log(max(float(stops.probability @ right) or stops.elsewhere, 1e-6)))
    return {
        "first": float(np.mean(first)),
        "of_five": float(np.mean(five)),
        "known": float(np.mean([habits.place_at(one.stop[None, :])[0] >= 0 for one in moments])),
        "log_loss": float(np.mean(log)),
        "elsewhere": float(np.mean([one.elsewhere for one in told])),
        "holds_s": float(np.median([one.holds_s for one in told])),
        "calibration": _calibration(np.array(chance), np.array(came)),
    }


def tasks_given(
    network: StreetNetwork, moments: list[Moment], told: list[NextStops], policy: Policy, seed: int
) -> dict[str, object]:
    """Throw tasks near the riders; return what is given, what it takes and how often it harms."""
    rng = np.random.default_rng([seed, 78])
    checker = Checker(network, policy)
    rows: dict[str, list[tuple[float, float]]] = {"predicted": [], "likeliest": [], "any": []}
    problems, thrown, checked = 0, 0, 0
    for moment, stops in zip(moments, told, strict=True):
        here = moment.seen.lonlat[-1]
        xy = network.project(here[None, :])[0] + rng.uniform(-500.0, 500.0, (4, 2))
        # Tasks stand on streets.
        places = network.snap(network.snap(network.unproject(xy), MODE, 100.0).lonlat, MODE, 100.0)
        spots = network.snap(np.stack([moment.here, moment.stop]), MODE, 100.0)
        if not spots.ok.all():
            continue
        likeliest = network.snap(stops.lonlat[:1], MODE) if len(stops.place) else spots.take([1])
        walk_s = float(spots.walk_ms[0]) / 1000.0
        straight = travel_times_s(network, MODE, spots.take([0]), spots.take([1]))[0, 0]
        plain = travel_times_s(network, MODE, spots.take([0]), likeliest)[0, 0]
        lon, lat = here.tolist()
        one = ExpectedRider(
            Rider("r", (lon, lat)),
            tuple(
                ExpectedStop((a, b), p)
                for (a, b), p in zip(stops.lonlat.tolist(), stops.probability.tolist(), strict=True)
            ),
            moment.t_s + stops.holds_s,
        )
        for at in np.flatnonzero(places.ok).tolist():
            thrown += 1
            place = places.take([at])
            there = travel_times_s(network, MODE, spots.take([0]), place)[0, 0]
            on, back = travel_times_s(network, MODE, place, spots)[0][::-1]
            # Whoever rides past does not walk to the street.
            true = there + SERVICE_S + min(on - straight, back - 2.0 * walk_s)
            if not np.isfinite(true):
                continue
            rows["any"].append((np.nan, true))
            guess = there + SERVICE_S + travel_times_s(network, MODE, place, likeliest)[0, 0] - plain
            if guess <= policy.harm_delay_s and len(stops.place):
                rows["likeliest"].append((guess, true))
            a, b = place.lonlat[0].tolist()
            task = Task("t", Visit((a, b), SERVICE_S))
            found = match_expected(network, [one], [task], policy, moment.t_s)
            for match in found:
                rows["predicted"].append((match.extra_s, true))
                if checked < CHECKED:
                    checked += 1
                    problems += len(scenario_problems(checker, one, match, task, policy, moment.t_s))
    out: dict[str, object] = {"thrown": thrown, "checked": checked, "problems": problems}
    for name, pairs in rows.items():
        both = np.array(pairs).reshape(-1, 2)
        out[name] = {
            "given": len(both),
            "promised_s": float(both[:, 0].mean()) if len(both) and name != "any" else None,
            "true_s": float(both[:, 1].mean()) if len(both) else None,
            "harm": float((both[:, 1] > policy.harm_delay_s).mean()) if len(both) else None,
        }
    return out


def one_fleet(
    network: StreetNetwork, places: Places, riders: int, days: int, seed: int, count: int, shares: list[float]
) -> dict[str, object]:
    """Return all figures of one made fleet."""
    options = FleetOptions(riders=riders, days=days, seed=seed, timezone=ZONE, platforms=("blue",))
    fleet = make_fleet(network, places, options)
    traces = traces_of(fleet)
    found = classify_stays(find_stay_points(traces), traces, places, network, ZONE)
    stopped = np.isin(found.kind, STOPS)
    stays = PastStops(
        found.rider[stopped].astype(np.int64),
        found.start_s[stopped].astype(np.float64),
        np.asarray(found.lonlat)[stopped],
    )
    first_s = float(traces.t_s.min()) + 86_400.0 * np.floor(0.75 * days)
    early = stays.t_s < first_s
    habits = learn_habits(stays.take(early))
    ridden = _ridden(network, fleet)
    moments = _moments(network, fleet, traces, stays, habits, first_s, count, seed)
    told = [next_stops(network, MODE, habits, one.seen) for one in moments]
    return {
        "seed": seed,
        "places": len(habits),
        "stops": int(early.sum()),
        "weights": habits.weights.round(3).tolist(),
        "moments": len(moments),
        "stops_told": stops_told(habits, moments, told),
        **hits(network, ridden, habits, _chains(ridden, first_s), moments, told),
        "tasks": {
            str(share): tasks_given(network, moments, told, Policy(harm_probability_max=share), seed)
            for share in shares
        },
    }


def main(arguments: list[str]) -> int:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--city", default="helsinki")
    parser.add_argument("--riders", type=int, default=100)
    parser.add_argument("--days", type=int, default=12)
    parser.add_argument("--moments", type=int, default=500)
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    parser.add_argument("--harm", type=float, nargs="+", default=[0.05, 0.2])
    asked = parser.parse_args(arguments)
    network, places = read_osm(city_map(asked.city))
    rows = []
    for seed in asked.seeds:
        size = asked.riders, asked.days, seed, asked.moments
        rows.append(one_fleet(network, places, *size, asked.harm))
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    print(json.dumps(rows, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
