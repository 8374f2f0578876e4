"""Seeded riders on a real street network, with the truth kept: for the demo, the tests and the benchmarks.

`make_fleet` only wires: venues (where things are), shifts (who goes where), trips (by which streets), rides
(when), and gps (what the phones report). Same network, places and options: same bytes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo.datum import from_wgs84
from geo.localtime import local_offset_s, zone
from geo.places import Places
from geo.streets.network import StreetNetwork
from geo.synthetic.files import write_fleet_csv, write_fleet_parquet
from geo.synthetic.gps import BROKEN, Movement, break_rows, sample
from geo.synthetic.made_fleet import EVENTS, FleetOptions, Orders, Points, SyntheticFleet, TrueStays
from geo.synthetic.phones import PHONES, report
from geo.synthetic.rides import Rides, RideStreets, RideVisits, ride
from geo.synthetic.samples import CivicTasks, Snapshot, civic_tasks, existing_stations, snapshot
from geo.synthetic.shifts import Itinerary, Venues, day_starts_s, plan_shifts
from geo.synthetic.traffic import free_traffic, gate_traffic, hidden_traffic
from geo.synthetic.venues import find_venues, riding_streets, riding_times, venue_source
from geo.travel.many_paths import route_trips

__all__ = [
    "BROKEN",
    "EVENTS",
    "CivicTasks",
    "FleetOptions",
    "Orders",
    "Points",
    "Snapshot",
    "SyntheticFleet",
    "TrueStays",
    "civic_tasks",
    "existing_stations",
    "hidden_streets",
    "make_fleet",
    "snapshot",
    "write_fleet_csv",
    "write_fleet_parquet",
]

REST, PICKUP, DROPOFF, GATE, TRAFFIC, OFF_SHIFT = range(6)


def make_fleet(network: StreetNetwork, places: Places | None, options: FleetOptions) -> SyntheticFleet:
    """Make a fleet.

    Parameters
    ----------
    network : StreetNetwork
    places : Places or None
        Restaurants, homes and rest places of the map; where there are too few, points beside streets
        stand in.
    options : FleetOptions

    Returns
    -------
    SyntheticFleet

    Raises
    ------
    InputError
        When the network has too few streets for the mode to ride on.
    """
    streams = [np.random.default_rng([options.seed, k]) for k in range(7)]
    midnights = day_starts_s(options.first_day, options.days, options.timezone)
    found = find_venues(network, venue_source(places), options.mode, options.radius_m, streams[0])
    times = riding_times(network, options.mode, found)
    plan = plan_shifts(found.venues, times, options.riders, midnights, streams[1])
    # A trip leads from each visit to the next one of the same day.
    here, there = np.maximum(np.arange(len(plan.place)) - 1, 0), np.arange(len(plan.place))
    trips = route_trips(
        network, options.mode, found.snapped, plan.place[here], plan.place[there], ~plan.first
    )
    place = plan.place
    pace = streams[2].uniform(0.9, 1.15, options.riders)
    visits = RideVisits(
        plan.first,
        plan.dwell_s,
        plan.until_s,
        found.venues.lonlat[place],
        found.venues.indoors[place],
        found.snapped.lonlat[place],
        found.snapped.walk_m[place],
        found.snapped.offset_m[place],
        pace[plan.rider],
        trips.ptr,
        trips.edges,
        np.arange(len(plan.place)),
    )
    rides = ride(visits, hidden_streets(network, options), options.seed)
    movement = _movement(plan, rides, options.riders)
    orders = _orders(plan, rides, found.venues, streams[4])
    stays = _stays(plan, rides, found.venues)
    shifts = _shifts(plan, rides)
    points = _points(options, plan, rides, movement, orders, stays, shifts, streams[5:])
    return SyntheticFleet(
        options=options,
        rider_ids=tuple(f"R{options.seed % 1000:03d}-{k:05d}" for k in range(options.riders)),
        rider_platform=_platforms(options),
        points=points,
        stays=stays,
        orders=orders,
        movement=movement,
        trips=trips.take(np.flatnonzero(~plan.first)),
        trip_rider=plan.rider[~plan.first],
        trip_start_s=rides.leave_s[here][~plan.first],
        trip_end_s=rides.arrive_s[~plan.first],
        shift_rider=shifts[0],
        shift_start_s=shifts[1],
        shift_end_s=shifts[2],
    )


def hidden_streets(network: StreetNetwork, options: FleetOptions) -> RideStreets:
    """Return the streets as the riders of a fleet find them: lights, gates and traffic that no map shows."""
    rng = np.random.default_rng([options.seed, 3])
    traffic = free_traffic(len(network))
    if options.traffic > 0:
        of_traffic = np.random.default_rng([options.seed, 7])
        traffic = hidden_traffic(network.edge_class, network.edge_name, options.traffic, of_traffic)
    gates = gate_traffic(len(network), options.traffic, np.random.default_rng([options.seed, 8]))
    midnight = day_starts_s(options.first_day, 1, options.timezone)
    ahead_s = int(local_offset_s(midnight, zone(options.timezone))[0])
    return riding_streets(network, options.mode, rng, traffic, gates, ahead_s)


def _platforms(options: FleetOptions) -> NDArray[np.int16]:
    return (np.arange(options.riders) % len(options.platforms)).astype(np.int16)


def _movement(plan: Itinerary, rides: Rides, riders: int) -> Movement:
    rider = plan.rider[rides.visit]
    ptr = np.searchsorted(rider, np.arange(riders + 1)).astype(np.int64)
    return Movement(ptr, rides.t_s, rides.lonlat, rides.indoors)


def _orders(plan: Itinerary, rides: Rides, venues: Venues, rng: np.random.Generator) -> Orders:
    """Read times off the rides; promise enough for the plan, its stack and the gates on the way."""
    count = len(plan.order_rider)
    pick = np.flatnonzero((plan.order >= 0) & (plan.kind == PICKUP))
    drop = np.flatnonzero((plan.order >= 0) & (plan.kind == DROPOFF))
    pick_of, drop_of = np.empty(count, np.int64), np.empty(count, np.int64)
    pick_of[plan.order[pick]], drop_of[plan.order[drop]] = pick, drop
    accepted = rides.leave_s[plan.order_accept_visit]
    placed = accepted - rng.uniform(30.0, 240.0, count)
    dropped = rides.leave_s[drop_of]
    # Each stop since accepting may meet a gate (360 s in travel times) that the true ride was spared.
    stops = drop_of - plan.order_accept_visit
    due = np.maximum(placed + 2700.0, dropped + 420.0 * stops + rng.uniform(300.0, 900.0, count))
    return Orders(
        rider=plan.order_rider,
        restaurant=venues.lonlat[plan.order_restaurant],
        home=venues.lonlat[plan.order_home],
        placed_s=placed,
        accepted_s=accepted,
        arrived_s=rides.arrive_s[pick_of],
        picked_s=rides.leave_s[pick_of],
        reached_s=rides.arrive_s[drop_of],
        dropped_s=dropped,
        due_s=np.ceil(due / 60.0) * 60.0,
    )


def _stays(plan: Itinerary, rides: Rides, venues: Venues) -> TrueStays:
    """Visits and stops on the way in one list; traffic below 20 s is no stop."""
    keep = (rides.stop_kind == GATE) | (rides.stop_end_s - rides.stop_start_s >= 20.0)
    rider = np.r_[plan.rider, plan.rider[rides.stop_visit[keep]]]
    start = np.r_[rides.arrive_s, rides.stop_start_s[keep]]
    order = np.lexsort((start, rider))
    stops = int(keep.sum())
    return TrueStays(
        rider=rider[order],
        start_s=start[order],
        end_s=np.r_[rides.leave_s, rides.stop_end_s[keep]][order],
        lonlat=np.r_[venues.lonlat[plan.place], rides.stop_lonlat[keep]][order],
        kind=np.r_[plan.kind, rides.stop_kind[keep]][order],
        order=np.r_[plan.order, np.full(stops, -1, np.int32)][order],
    )


def _shifts(
    plan: Itinerary, rides: Rides
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """Online spans: between two visits home that lie next to each other."""
    home = np.flatnonzero(plan.kind == OFF_SHIFT)
    a, b = home[:-1], home[1:]
    same = (plan.rider[a] == plan.rider[b]) & (plan.day[a] == plan.day[b])
    a, b = a[same], b[same]
    return plan.rider[a], rides.leave_s[a], rides.arrive_s[b]


def _silence(
    options: FleetOptions,
    plan: Itinerary,
    rides: Rides,
    shifts: tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]],
    rng: np.random.Generator,
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """App off in the middle of long stays at home and overnight; tunnels and dead phones on shift."""
    home = np.flatnonzero(plan.kind == OFF_SHIFT)
    off_start = rides.arrive_s[home] + rng.uniform(180.0, 900.0, len(home))
    off_end = rides.leave_s[home] - rng.uniform(120.0, 480.0, len(home))
    long = off_end > off_start + 900.0
    last = np.flatnonzero(np.r_[plan.first[1:], True] & np.r_[plan.rider[1:] == plan.rider[:-1], False])
    rider, start, end = shifts
    count = rng.poisson(options.gaps_an_hour * (end - start) / 3600.0)
    begin = np.repeat(start, count) + rng.random(int(count.sum())) * np.repeat(end - start, count)
    return (
        np.r_[plan.rider[home[long]], plan.rider[last], np.repeat(rider, count)].astype(np.int32),
        np.r_[off_start[long], rides.leave_s[last], begin],
        np.r_[
            off_end[long],
            rides.arrive_s[np.minimum(last + 1, len(plan.first) - 1)],
            begin + rng.uniform(60, 300, len(begin)),
        ],
    )


def _points(
    options: FleetOptions,
    plan: Itinerary,
    rides: Rides,
    movement: Movement,
    orders: Orders,
    stays: TrueStays,
    shifts: tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]],
    streams: Sequence[np.random.Generator],
) -> Points:
    rng, of_phones = streams
    sigma = rng.uniform(*options.noise_m, options.riders)
    silent = _silence(options, plan, rides, shifts, rng)
    samples = sample(movement, options.interval_s, sigma, silent, rng)
    accuracy = None
    if set(options.phones) != {"plain"}:
        # Not riders by turns: these are dealt out to the platforms by turns.
        phone = np.array([PHONES.index(name) for name in options.phones], np.int8)
        phone = phone[np.arange(options.riders) // len(options.platforms) % len(phone)]
        true = (stays.rider, stays.start_s, stays.end_s, stays.kind)
        samples, accuracy = report(samples, true, phone, sigma, of_phones)
    event = _events(options, samples.rider, samples.t_s, orders, shifts)
    sound = len(samples.t_s)
    samples = break_rows(samples, options.broken_share, rng)
    source = np.cumsum(samples.broken != BROKEN.index("duplicate")) - 1
    if len(source) and source[-1] != sound - 1:
        raise AssertionError("a spoiled row lost its original")
    lonlat = samples.lonlat
    platform = _platforms(options)[samples.rider]
    for k, datum in enumerate(options.datums):
        rows = (platform == k) & (samples.broken != BROKEN.index("outside"))
        if datum != "wgs84":
            lonlat[rows] = from_wgs84(lonlat[rows], datum)
    accuracy_m = None if accuracy is None else accuracy[source]
    return Points(samples.rider, samples.t_s, np.round(lonlat, 6), event[source], samples.broken, accuracy_m)


def _events(
    options: FleetOptions,
    rider: NDArray[np.int32],
    t_s: NDArray[np.int64],
    orders: Orders,
    shifts: tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]],
) -> NDArray[np.int8]:
    """Each event stands at the rider's first point at or after it, if that comes within five minutes."""
    event = np.zeros(len(t_s), np.int8)
    if len(t_s) == 0:
        return event
    zero = int(t_s.min())
    span = int(t_s.max()) - zero + 1000
    key = rider.astype(np.int64) * span + (t_s - zero)
    talks = np.array([p not in options.silent_events for p in options.platforms])[_platforms(options)]
    for code, of_rider, at in (
        (5, shifts[0], shifts[1]),
        (6, shifts[0], shifts[2]),
        (1, orders.rider, orders.accepted_s),
        (2, orders.rider, orders.arrived_s),
        (3, orders.rider, orders.picked_s),
        (4, orders.rider, orders.dropped_s),
    ):  # fmt: skip
        row = np.searchsorted(key, of_rider * span + np.ceil(at).astype(np.int64) - zero)
        row = np.minimum(row, len(key) - 1)
        fits = (rider[row] == of_rider) & (t_s[row] - at >= 0) & (t_s[row] - at < 300) & talks[of_rider]
        event[row[fits]] = code
    return event
