"""Working days of synthetic riders: who goes where in which order, before any street is ridden.

A plan is a list of visits. Times inside it are only estimates (straight line times a detour factor);
`geo.synthetic.make` rides the visits on the real network and keeps what happened as the truth.

Shifts, the order rhythm and the length of waits follow the facts of the field: a typical day is 8:00-13:30,
rest, 17:00-22:00; more than 4 h of continuous work asks for a 20 min break (national recommended standard,
December 2025).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import hypot

import numpy as np
from numpy.typing import NDArray

from geo.localtime import HOUR_S, zone

__all__ = ["Itinerary", "Times", "Venues", "day_starts_s", "plan_shifts"]

#: Share of riders, then working blocks as (start, end) in hours of the local day.
SHIFTS: tuple[tuple[float, tuple[tuple[float, float], ...]], ...] = (
    (0.62, ((8.0, 13.5), (17.0, 22.0))),
    (0.12, ((10.0, 14.5),)),
    (0.13, ((16.5, 23.0),)),
    (0.13, ((9.0, 20.5),)),
)
#: Mean minutes between two orders of one rider, by hour of day: nearly none at lunch and dinner.
IDLE_MIN = (12.0,) * 8 + (9, 8, 4, 1.0, 1.0, 4, 9, 11, 9, 2.5, 1.0, 1.5, 4, 6, 9, 12)
CONTINUOUS_WORK_S = 4 * HOUR_S
BREAK_S = 20 * 60.0
#: Riding speed and detour used only to estimate when a visit will happen.
ESTIMATE_MPS = 4.0
DETOUR = 1.35
STACK_SHARE = 0.5
DAY_OFF_SHARE = 1.0 / 7.0


@dataclass(frozen=True)
class Venues:
    """Places that riders visit; every column has one row a place.

    Attributes
    ----------
    lonlat : (n, 2) float64
        Door of the place, WGS-84 degrees.
    xy_m : (n, 2) float64
        The same in metres about the centre of the network.
    restaurants, homes, rests : int64
        Rows of the places by their use.
    indoors : (n,) bool
        Positions taken there drift, because satellites are hidden.
    """

    lonlat: NDArray[np.float64]
    xy_m: NDArray[np.float64]
    restaurants: NDArray[np.int64]
    homes: NDArray[np.int64]
    rests: NDArray[np.int64]
    indoors: NDArray[np.bool_]


@dataclass(frozen=True)
class Times:
    """Riding times between places in seconds, infinite where it is too far to send anybody.

    Attributes
    ----------
    shop_home, shop_shop : (restaurants, homes), (restaurants, restaurants)
        From each restaurant.
    place_rest : (places, rests)
        From every place to each rest place.
    """

    shop_home: NDArray[np.float64]
    shop_shop: NDArray[np.float64]
    place_rest: NDArray[np.float64]


@dataclass(frozen=True)
class Itinerary:
    """Visits in the order of riding, all riders and days one after another.

    Attributes
    ----------
    rider, day, place : int32 (v,)
    kind : int8 (v,)
        Index into `geo.stays.KINDS`.
    dwell_s : float64 (v,)
        Least stay, from parking to riding on.
    until_s : float64 (v,)
        Epoch second before which the rider does not leave (0: none).
    order : int32 (v,)
        Row of the order that is picked up or dropped, -1 for none.
    first : bool (v,)
        First visit of a rider's day: nothing is ridden to reach it.
    order_rider, order_restaurant, order_home : int32 (o,)
    order_accept_visit : int32 (o,)
        Visit that the rider leaves when the rider takes the order.
    """

    rider: NDArray[np.int32]
    day: NDArray[np.int32]
    place: NDArray[np.int32]
    kind: NDArray[np.int8]
    dwell_s: NDArray[np.float64]
    until_s: NDArray[np.float64]
    order: NDArray[np.int32]
    first: NDArray[np.bool_]
    order_rider: NDArray[np.int32]
    order_restaurant: NDArray[np.int32]
    order_home: NDArray[np.int32]
    order_accept_visit: NDArray[np.int32]


def day_starts_s(first_day: date, days: int, timezone: str) -> NDArray[np.int64]:
    """Epoch seconds of local midnight for each of `days` days."""
    where = zone(timezone)
    starts = []
    for k in range(days):
        day = first_day + timedelta(days=k)
        starts.append(int(datetime(day.year, day.month, day.day, tzinfo=where).timestamp()))
    return np.array(starts, np.int64)


class _Dice:
    """Uniform numbers drawn in blocks: single draws from a numpy generator cost a microsecond each."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._block: list[float] = []

    def __call__(self) -> float:
        if not self._block:
            self._block = self._rng.random(4096).tolist()
        return self._block.pop()

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self()

    def lognormal(self, median: float, sigma: float, low: float, high: float) -> float:
        """Sum of four uniforms stands for the normal; the tails are cut anyway."""
        z = (self() + self() + self() + self() - 2.0) * 1.7320508
        return float(min(high, max(low, median * np.exp(sigma * z))))

    def pick(self, cumulative: NDArray[np.float64]) -> int:
        """Index drawn by weight, from the running sum of the weights."""
        k = int(np.searchsorted(cumulative, self() * cumulative[-1], side="right"))
        return min(k, len(cumulative) - 1)


class _Choices:
    """Cumulative weights: restaurants near a rider's zone, homes near a restaurant, rests near anything."""

    def __init__(self, venues: Venues, times: Times, rng: np.random.Generator) -> None:
        self.venues, self.times = venues, times
        self.doors = venues.xy_m[venues.homes]
        shops, rests = len(venues.restaurants), len(venues.rests)
        self.popularity = 1.0 / (3.0 + rng.permutation(shops)) ** 0.6
        self.rest_popularity = 1.0 / (1.0 + rng.permutation(rests)) ** 0.7
        # Deliveries of 3-25 min on the way, most of them about 8.
        weight = np.exp(-(((times.shop_home - 480.0) / 300.0) ** 2)) + 1e-30
        self.homes_of_shop = np.cumsum(weight, axis=1)
        self.near_shops = np.argsort(times.shop_shop, axis=1, kind="stable")[:, : min(8, shops)]

    def shops_of_zone(self, shop: int) -> NDArray[np.float64]:
        return np.asarray(np.cumsum(self.popularity * np.exp(-self.times.shop_shop[shop] / 240.0) + 1e-30))

    def favourites(self, shop: int, dice: _Dice, count: int) -> list[int]:
        away_s = self.times.place_rest[self.venues.restaurants[shop]]
        weight = np.cumsum(self.rest_popularity * np.exp(-away_s / 300.0) + 1e-30)
        return sorted({dice.pick(weight) for _ in range(2 * count)})[:count]

    def home_of_rider(self, shop: int, dice: _Dice) -> int:
        weight = np.cumsum(np.exp(-(((self.times.shop_home[shop] - 800.0) / 450.0) ** 2)) + 1e-30)
        return int(self.venues.homes[dice.pick(weight)])


class _Book:
    """Visits and orders as they are written down."""

    def __init__(self) -> None:
        self.visits: list[tuple[int, int, int, int, float, float, int, bool]] = []
        self.orders: list[tuple[int, int, int, int]] = []


class _Rider:
    """One rider's habits and, while a day is planned, where and when the rider is."""

    def __init__(self, rider: int, choices: _Choices, book: _Book, dice: _Dice) -> None:
        self.rider, self.choices, self.book, self.dice = rider, choices, book, dice
        venues = choices.venues
        zone = dice.pick(np.cumsum(choices.popularity))
        self.shop_weights = choices.shops_of_zone(zone)
        self.favourites = choices.favourites(zone, dice, 4)
        self.home = choices.home_of_rider(zone, dice)
        share, self.blocks = dice(), SHIFTS[-1][1]
        for part, blocks in SHIFTS:
            share -= part
            if share < 0:
                self.blocks = blocks
                break
        self.early_s = dice.between(-0.5, 0.5) * HOUR_S
        self.xy: list[list[float]] = venues.xy_m.tolist()
        self.here, self.now, self.day = self.home, 0.0, 0

    def go(
        self,
        place: int,
        kind: int,
        dwell_s: float,
        until_s: float = 0.0,
        order: int = -1,
        first: bool = False,
    ) -> None:
        a, b = self.xy[self.here], self.xy[place]
        if not first:
            self.now += 30.0 + DETOUR * hypot(a[0] - b[0], a[1] - b[1]) / ESTIMATE_MPS
        self.now = max(self.now + dwell_s, until_s)
        self.here = place
        self.book.visits.append((self.rider, self.day, place, kind, dwell_s, until_s, order, first))

    def rest(self, dwell_s: float, until_s: float = 0.0) -> None:
        """Ride to a favourite corner that is near, or to any rest place that is nearest."""
        away_s = self.choices.times.place_rest[self.here]
        k = self.favourites[int(np.argmin(away_s[self.favourites]))]
        if away_s[k] > 420.0 or self.dice() < 0.15:
            k = int(np.argmin(away_s))
        self.go(int(self.choices.venues.rests[k]), REST, dwell_s, until_s)

    def deliver(self, peak: bool) -> None:
        """One order, or two or three stacked: all pick-ups, then all drop-offs."""
        dice, choices, venues = self.dice, self.choices, self.choices.venues
        count = 1
        if dice() < (STACK_SHARE if peak else 0.12):
            count = 2 if dice() < 0.75 else 3
        shop = dice.pick(self.shop_weights)
        accept = len(self.book.visits) - 1
        batch: list[tuple[int, int]] = []
        target: list[float] | None = None
        for k in range(count):
            if k:
                near = choices.near_shops[shop]
                shop = int(near[int(dice() * len(near))])
            door = dice.pick(choices.homes_of_shop[shop])
            if target is not None:
                # Orders are stacked because their doors lie close together.
                for _ in range(5):
                    other = dice.pick(choices.homes_of_shop[shop])
                    a, b = choices.doors[door], choices.doors[other]
                    if hypot(b[0] - target[0], b[1] - target[1]) < hypot(a[0] - target[0], a[1] - target[1]):
                        door = other
            target = choices.doors[door].tolist()
            order = len(self.book.orders)
            place, home = int(venues.restaurants[shop]), int(venues.homes[door])
            self.book.orders.append((self.rider, place, home, accept))
            self.go(place, PICKUP, dice.lognormal(270.0 if k == 0 else 120.0, 0.6, 45.0, 1500.0), order=order)
            batch.append((order, home))
        for order, home in batch:
            self.go(home, DROPOFF, dice.lognormal(130.0, 0.55, 30.0, 360.0), order=order)

    def work(self, start_s: float, end_s: float, midnight_s: float) -> None:
        """Orders with pauses between them from `start_s` to about `end_s`, a break after 4 h of work."""
        dice = self.dice
        since = start_s
        while self.now < end_s:
            hour = int((self.now - midnight_s) / HOUR_S) % 24
            idle_s = -60.0 * IDLE_MIN[hour] * float(np.log(1.0 - dice()))
            tired = self.now - since > CONTINUOUS_WORK_S
            if tired and (idle_s > 60.0 or dice() < 0.5):
                self.rest(max(BREAK_S, dice.between(20, 40) * 60.0))
                since = self.now
            elif idle_s > 270.0:
                length_s = min(idle_s, 2700.0)
                self.rest(length_s)
                if length_s >= BREAK_S:
                    since = self.now
            self.deliver(peak=IDLE_MIN[hour] < 2)

    def live(self, day: int, midnight_s: float) -> None:
        """Plan one day from home to home."""
        dice = self.dice
        self.day, self.here = day, self.home
        for k, (start, end) in enumerate(self.blocks):
            start_s = midnight_s + start * HOUR_S + self.early_s + dice.between(-0.25, 0.25) * HOUR_S
            end_s = midnight_s + end * HOUR_S + self.early_s
            if k == 0:
                self.now = start_s - dice.between(4, 15) * 60.0
                self.go(self.home, OFF_SHIFT, start_s - self.now, start_s, first=True)
            elif dice() < 0.5:
                self.go(self.home, OFF_SHIFT, 600.0, start_s)
            else:
                self.rest(dice.between(40, 90) * 60.0)
                if start_s - self.now > HOUR_S:
                    self.go(self.home, OFF_SHIFT, 600.0, start_s)
            self.work(max(start_s, self.now), end_s, midnight_s)
        self.go(self.home, OFF_SHIFT, dice.between(5, 20) * 60.0)


REST, PICKUP, DROPOFF, GATE, TRAFFIC, OFF_SHIFT = range(6)


def plan_shifts(
    venues: Venues, times: Times, riders: int, midnights_s: NDArray[np.int64], rng: np.random.Generator
) -> Itinerary:
    """Plan every working day of every rider.

    Parameters
    ----------
    venues : Venues
        At least one restaurant, two homes and one rest place.
    times : Times
    riders : int
        Number of riders.
    midnights_s : (d,) int64
        Epoch seconds of local midnight of each day.
    rng : numpy.random.Generator
        All chance comes from here.

    Returns
    -------
    Itinerary
        Riders in order, then days, then visits. A rider may have a day off (one in seven).
    """
    choices, book, dice = _Choices(venues, times, rng), _Book(), _Dice(rng)
    for k in range(riders):
        rider = _Rider(k, choices, book, dice)
        for day, midnight_s in enumerate(midnights_s.tolist()):
            if dice() >= DAY_OFF_SHARE or len(midnights_s) == 1:
                rider.live(day, float(midnight_s))
    visits = np.array(book.visits, np.float64).reshape(-1, 8)
    orders = np.array(book.orders, np.int32).reshape(-1, 4)
    return Itinerary(
        rider=visits[:, 0].astype(np.int32),
        day=visits[:, 1].astype(np.int32),
        place=visits[:, 2].astype(np.int32),
        kind=visits[:, 3].astype(np.int8),
        dwell_s=visits[:, 4],
        until_s=visits[:, 5],
        order=visits[:, 6].astype(np.int32),
        first=visits[:, 7].astype(bool),
        order_rider=orders[:, 0],
        order_restaurant=orders[:, 1],
        order_home=orders[:, 2],
        order_accept_visit=orders[:, 3],
    )
