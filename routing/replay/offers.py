"""The life cycle of offers in a replayed day: the same code as the live service, driven by a made day.

At each step the riders' platforms report what has changed, tasks that have become known are published, those
who were asked a step ago answer, and what has run out is closed. A rider answers within a step.
"""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from geo.streets import StreetNetwork
from routing.dispatch import City, ConflictError, Decline, DispatchRules, Finish, Lapse, RiderKey
from routing.model import Policy, Rider, Task

__all__ = ["OFFERS", "OfferDesk", "World"]

PLATFORM = "day"
_RULES = DispatchRules(offer_for_s=150.0, retry_s=60.0)
OFFERS: Mapping[str, DispatchRules] = MappingProxyType(
    {
        "offers": _RULES,
        "offers together": dataclasses.replace(_RULES, every_s=180.0),
        "offers, patient": dataclasses.replace(_RULES, patient_for_s=600.0, patient_extra_s=90.0),
    }
)
"""Policies of the life cycle: each task at once; tasks of three minutes together; for ten minutes a task
waits for a rider whom it costs at most a minute and a half."""


class World(Protocol):
    """What the made day knows and does."""

    def rider_count(self) -> int:
        """Return how many riders there are."""

    def seen(self, row: int) -> object:
        """Return what a platform's report depends on: the same again, no report."""

    def as_rider(self, row: int, now: int) -> Rider:
        """Return a rider with their plan."""

    def as_task(self, task: int, now: int) -> Task:
        """Return a task under its number in the day."""

    def accepts(self, row: int, task: int) -> bool:
        """Whether a rider says yes."""

    def give(self, task: int, row: int, place: int, extra: int, now: int) -> None:
        """Put a task into a plan, before stop `place`; `extra` in milliseconds."""


class OfferDesk:
    """The city of one day."""

    def __init__(self, network: StreetNetwork, policy: Policy, rules: DispatchRules) -> None:
        self.city = City(network, policy, rules)
        self._reported: dict[int, object] = {}

    def step(self, world: World, waiting: list[int], now: int) -> list[int]:
        """Carry the life of all tasks on by one step.

        Parameters
        ----------
        world : World
        waiting : list of int
            Tasks that are known and not given.
        now : int
            Epoch milliseconds.

        Returns
        -------
        list of int
            Those that still wait.
        """
        now_s = now / 1000
        self._report(world, now)
        given = self._answers(world, now)
        self.city.tick(now_s)
        for task in waiting:
            if task not in given and _name(task) not in self.city.tasks:
                self.city.publish(world.as_task(task, now), "day", now_s)
        return [task for task in waiting if task not in given]

    def done(self, task: int, now: int) -> None:
        """Note that a task has been done."""
        state = self.city.tasks.get(_name(task))
        for offer in state.taken if state is not None else ():
            self.city.handle(_name(task), Finish(offer.offer_id), now / 1000)

    def _report(self, world: World, now: int) -> None:
        news = []
        for row in range(world.rider_count()):
            seen = world.seen(row)
            if self._reported.get(row) != seen:
                self._reported[row] = seen
                news.append((RiderKey(PLATFORM, str(row)), world.as_rider(row, now)))
        if news:
            self.city.board.put(news, now / 1000)

    def _answers(self, world: World, now: int) -> set[int]:
        """Let those who were asked answer; return the tasks that are given by it."""
        given = set()
        asked = [(task_id, offer) for task_id, state in self.city.tasks.items() for offer in state.open]
        for task_id, offer in asked:
            task, row = int(task_id), int(offer.rider.rider_id)
            if not world.accepts(row, task):
                self.city.then_ask(task_id, Decline(offer.offer_id), now / 1000)
                continue
            try:
                accepted = self.city.accept(task_id, offer.offer_id, now / 1000)
            except ConflictError as error:
                if error.refused is not None:
                    lapse = Lapse(offer.offer_id, error.refused.binding.rule)
                    self.city.then_ask(task_id, lapse, now / 1000)
                continue
            if accepted.events:
                taken = next(one for one in self.city.tasks[task_id].taken if one.rider == offer.rider)
                stops = [stop.stop_id for stop in world.as_rider(row, now).stops]
                after = taken.terms.after_stop_id
                place = stops.index(after) + 1 if after else 0
                world.give(task, row, place, round(taken.terms.extra_s * 1000), now)
                self._reported[row] = world.seen(row)
                given.add(task)
        return given


def _name(task: int) -> str:
    return str(task)
