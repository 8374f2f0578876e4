"""The day itself: each step everybody moves, reports, asks and answers, all of it by calls of the API."""

import collections
import dataclasses
import datetime
from collections.abc import Sequence

import numpy as np

from api.client import Client, ProblemError
from api.dispatch.forms import OfferForRider, TaskPublishIn
from api.forms import instant_of
from api.live.riders import Moving, PlannedStop, Reached
from geo.streets import StreetNetwork
from routing.replay import Day

__all__ = ["DayFigures", "Player"]

KINDS = ("hazard", "furniture", "blocked_exit", "notice", "visit")
ANSWERS_S = (5.0, 40.0)
"""A rider answers after so long: at the next stop or red light."""
UNANSWERED = 0.05
"""Share of offers that nobody looks at: they run out."""
FIRST_TASK_S = 20.0
"""So soon the first task is published; the made day has none while its riders set out."""


@dataclasses.dataclass(slots=True)
class DayFigures:
    """What has come of the day so far."""

    now_s: float
    riders: int
    offers: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    """Offers by what came of them: made, accepted, declined, too_late, unanswered, done."""
    tasks: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    """published, done, verified."""
    extra_s: float = 0.0
    deliveries: int = 0
    late: int = 0
    late_s: float = 0.0


@dataclasses.dataclass(slots=True)
class _Answer:
    due_s: float
    offer: OfferForRider
    platform: int


class Player:
    """Plays a made day.

    Parameters
    ----------
    network : StreetNetwork
        That of the service.
    day : Day
    platforms : sequence of Client
        Riders are assigned to them in turn.
    office : Client
        Publishes and verifies.
    now_s : float
        When the day begins, epoch seconds.
    """

    def __init__(
        self, network: StreetNetwork, day: Day, platforms: Sequence[Client], office: Client, now_s: float
    ) -> None:
        self.day, self.platforms, self.office = day, platforms, office
        self.riders = [
            Moving(network, f"r{number:04d}", (float(lon), float(lat)), now_s)
            for number, (lon, lat) in enumerate(day.start_place.lonlat.tolist())
        ]
        self.figures = DayFigures(now_s, len(self.riders))
        self._rng = np.random.default_rng([day.options.seed, 7])
        self._ahead_s = now_s - day.options.start_s
        first_s = int(day.task_known[0]) / 1000 - day.options.start_s if len(day.task_known) else 0.0
        self._sooner_s = max(first_s - FIRST_TASK_S, 0.0)
        self._wave = self._task = 0
        self._answers: dict[str, _Answer] = {}
        self._open: dict[str, tuple[int, Moving]] = {}
        self._finishing: list[tuple[float, int, str, str]] = []
        self._numbers: dict[str, int] = {}
        self._name = f"{day.options.seed}-{now_s:.0f}"

    def step(self, now_s: float) -> DayFigures:
        """Bring everything to an instant."""
        figures = self.figures
        figures.now_s = now_s
        for rider in self.riders:
            for reached in rider.advance(now_s):
                self._reached(rider, reached)
        self._finish(now_s)
        self._dispatch(now_s)
        for number, platform in enumerate(self.platforms):
            platform.report([rider.report() for rider in self.riders[number :: len(self.platforms)]])
        self._publish(now_s)
        self._hear(now_s)
        self._answer(now_s)
        return figures

    def close(self) -> None:
        """Take the riders off and withdraw what nobody has done."""
        for task in list(self.office.tasks(["published", "offered", "accepted", "under_way"])):
            if task.id in self._numbers:
                self.office.withdraw(task.id, "the day is over")
        for number, rider in enumerate(self.riders):
            try:
                self.platforms[number % len(self.platforms)].take_off(rider.rider_id)
            except ProblemError as problem:
                # Stopped before it was reported, perhaps.
                if problem.status != 404:
                    raise

    def _epoch_s(self, day_ms: int) -> float:
        return day_ms / 1000 + self._ahead_s

    def _dispatch(self, now_s: float) -> None:
        day = self.day
        while self._wave < len(day.wave_known) and self._epoch_s(int(day.wave_known[self._wave])) <= now_s:
            span = range(int(day.wave_ptr[self._wave]), int(day.wave_ptr[self._wave + 1]))
            stops = [self._stop(number) for number in span]
            buffers = [(int(day.stop_due[n]) - int(day.stop_planned[n])) / 1000 for n in span]
            self.riders[int(day.wave_rider[self._wave])].dispatch(stops, buffers)
            self._wave += 1

    def _stop(self, number: int) -> PlannedStop:
        day = self.day
        lon, lat = day.stop_place.lonlat[number].tolist()
        rest = bool(day.stop_rest[number])
        due_s = self._epoch_s(int(day.stop_due[number])) if rest else None
        return PlannedStop(f"s{number}", (lon, lat), int(day.stop_service[number]) / 1000, due_s, rest)

    def _publish(self, now_s: float) -> None:
        day = self.day
        until_s = now_s + self._sooner_s
        while self._task < len(day.task_known) and self._epoch_s(int(day.task_known[self._task])) <= until_s:
            number = self._task
            lon, lat = day.task_lonlat[number].tolist()
            latest_s = max(self._epoch_s(int(day.task_latest[number])) - self._sooner_s, now_s + 60)
            place = {
                "lon": round(lon, 7),
                "lat": round(lat, 7),
                "service_s": int(day.task_service[number]) / 1000,
                "latest": instant_of(latest_s, datetime.UTC),
            }
            form = {
                "task_id": f"live-{self._name}-{number}",
                "place": place,
                "kind": KINDS[number % len(KINDS)],
            }
            task = self.office.publish(TaskPublishIn.model_validate(form))
            self._numbers[task.id] = number
            self.figures.tasks["published"] += 1
            self._task += 1

    def _hear(self, now_s: float) -> None:
        """Note new offers; each rider thinks about one for a while."""
        for number, platform in enumerate(self.platforms):
            for offer in platform.offers():
                mine = offer.id in self._numbers and int(offer.rider_id[1:]) % len(self.platforms) == number
                if mine and offer.offer_id not in self._answers:
                    after_s = float(self._rng.uniform(*ANSWERS_S))
                    if self._rng.random() < UNANSWERED:
                        after_s = np.inf
                        self.figures.offers["unanswered"] += 1
                    self._answers[offer.offer_id] = _Answer(now_s + after_s, offer, number)
                    self.figures.offers["made"] += 1

    def _answer(self, now_s: float) -> None:
        for waiting in list(self._answers.values()):
            if waiting.due_s > now_s:
                continue
            # Kept, so that it is not taken for a new offer.
            waiting.due_s = np.inf
            offer, platform = waiting.offer, self.platforms[waiting.platform]
            rider = self.riders[int(offer.rider_id[1:])]
            try:
                if self.day.accepts(int(offer.rider_id[1:]), self._numbers[offer.id]):
                    taken = platform.accept(offer.offer_id)
                    place = taken.task.place
                    stop = PlannedStop(
                        offer.id, (place.lon, place.lat), place.service_s, offer_id=offer.offer_id
                    )
                    rider.order(platform.rider(offer.rider_id).stops, stop)
                    self.figures.extra_s += taken.extra_s
                    self.figures.offers["accepted"] += 1
                else:
                    platform.decline(offer.offer_id)
                    self.figures.offers["declined"] += 1
            except ProblemError as problem:
                if problem.status != 409:
                    raise
                self.figures.offers["too_late"] += 1

    def _reached(self, rider: Moving, reached: Reached) -> None:
        stop, number = reached.stop, int(rider.rider_id[1:]) % len(self.platforms)
        if stop.offer_id is not None:
            self.platforms[number].start(stop.offer_id)
            self._finishing.append((reached.leave_s, number, stop.offer_id, stop.stop_id))
        elif not stop.rest:
            self.figures.deliveries += 1
            over_s = reached.at_s - (stop.due_s or np.inf)
            if over_s > 0:
                self.figures.late += 1
                self.figures.late_s += over_s

    def _finish(self, now_s: float) -> None:
        due = [one for one in self._finishing if one[0] <= now_s]
        self._finishing = [one for one in self._finishing if one[0] > now_s]
        for _, number, offer_id, task_id in due:
            self.platforms[number].finish(offer_id, note="done")
            self.office.verify(task_id, "seen")
            self.figures.offers["done"] += 1
            self.figures.tasks["verified"] += 1
