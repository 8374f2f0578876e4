"""A task's state: the fold of its events. Its status is read off its offers, so the two cannot disagree."""

import dataclasses
from collections.abc import Iterable

from routing.dispatch import events as ev
from routing.model import Task

__all__ = ["LIVE", "OFFER_STATUSES", "TAKEN", "TASK_STATUSES", "Offer", "TaskState", "evolve", "fold"]

TASK_STATUSES = (
    "published", "offered", "accepted", "under_way", "done", "verified", "withdrawn", "expired"
)  # fmt: skip
OFFER_STATUSES = (
    "open", "accepted", "started", "done", "declined", "expired", "overtaken", "lapsed", "returned"
)  # fmt: skip
TAKEN = ("accepted", "started", "done")
"""The rider does it, or has done it."""
LIVE = ("open", *TAKEN)
"""Offers that count for the task as it is."""


@dataclasses.dataclass(frozen=True, slots=True)
class Offer:
    """One rider asked for one task."""

    offer_id: str
    rider: ev.RiderKey
    terms: ev.Terms
    """As offered; once accepted, as accepted."""
    made_s: float
    expires_s: float
    round: int
    """Offers of earlier rounds (before the task was reopened) are history."""
    status: str = "open"
    """One of `OFFER_STATUSES`."""
    reason: str = ""
    note: str = ""
    photo: str = ""
    there: bool | None = None
    accepted_s: float | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class TaskState:
    """One task and everybody who was asked for it."""

    task: Task
    publisher: str
    offers: tuple[Offer, ...] = ()
    """In the order in which they were made."""
    ended: str = ""
    """``verified``, ``withdrawn`` or ``expired``; empty: it goes on."""
    round: int = 1
    unmatched: str = ""
    """The rule that stood in everybody's way when it was last tried."""
    note: str = ""
    never: tuple[ev.RiderKey, ...] = ()
    """Riders who are not asked."""

    @property
    def status(self) -> str:
        """One of `TASK_STATUSES`."""
        if self.ended:
            return self.ended
        now = [offer.status for offer in self.current if offer.status in LIVE]
        taken = [status for status in now if status in TAKEN]
        if len(taken) >= self.task.people:
            if all(status == "done" for status in taken):
                return "done"
            return "under_way" if any(status != "accepted" for status in taken) else "accepted"
        return "offered" if now else "published"

    @property
    def current(self) -> tuple[Offer, ...]:
        """Offers of this round."""
        return tuple(offer for offer in self.offers if offer.round == self.round)

    @property
    def open(self) -> tuple[Offer, ...]:
        """Offers that wait for an answer."""
        return tuple(offer for offer in self.current if offer.status == "open")

    @property
    def taken(self) -> tuple[Offer, ...]:
        """Offers whose riders do it, or have done it."""
        return tuple(offer for offer in self.current if offer.status in TAKEN)

    @property
    def wanted(self) -> int:
        """How many more riders may be asked now: no more are asked than are still needed."""
        if self.ended:
            return 0
        return max(self.task.people - len(self.taken) - len(self.open), 0)

    @property
    def asked(self) -> frozenset[ev.RiderKey]:
        """Riders who are not asked (again): those of this round, and of earlier ones who had taken it."""
        return frozenset(self.never).union(
            offer.rider
            for offer in self.offers
            if offer.round == self.round or offer.status in (*TAKEN, "returned")
        )

    def offer(self, offer_id: str) -> Offer | None:
        """Return an offer by its id, None where there is none."""
        return next((offer for offer in self.offers if offer.offer_id == offer_id), None)


def _with_offer(state: TaskState, offer_id: str, **changes: object) -> TaskState:
    offers = tuple(
        dataclasses.replace(offer, **changes) if offer.offer_id == offer_id else offer  # type: ignore[arg-type]
        for offer in state.offers
    )
    return dataclasses.replace(state, offers=offers)


def evolve(state: TaskState | None, event: ev.Event) -> TaskState:
    """Return the state after an event.

    Parameters
    ----------
    state : TaskState, optional
        None before the task was published.
    event : Event

    Returns
    -------
    TaskState

    Raises
    ------
    ValueError
        When the first event is not that of publishing: the store has lost one.
    """
    if isinstance(event, ev.TaskPublished):
        return TaskState(event.task, event.publisher, never=event.never)
    if state is None:
        raise ValueError(f"{event.kind} comes before the task was published")
    match event:
        case ev.TaskChanged():
            return dataclasses.replace(state, task=event.task, unmatched="")
        case ev.TaskUnmatched():
            return dataclasses.replace(state, unmatched=event.rule)
        case ev.OfferMade():
            offer = Offer(
                event.offer_id, event.rider, event.terms, event.made_s, event.expires_s, state.round
            )
            return dataclasses.replace(state, offers=(*state.offers, offer), unmatched="")
        case ev.OfferAccepted():
            return _with_offer(
                state, event.offer_id, status="accepted", terms=event.terms, accepted_s=event.accepted_s
            )
        case ev.OfferClosed():
            return _with_offer(state, event.offer_id, status=event.outcome, reason=event.reason)
        case ev.OfferStarted():
            return _with_offer(state, event.offer_id, status="started")
        case ev.OfferDone():
            return _with_offer(
                state, event.offer_id, status="done", note=event.note, photo=event.photo, there=event.there
            )
        case ev.TaskVerified():
            return dataclasses.replace(state, ended="verified", note=event.note)
        case ev.TaskReopened():
            place = dataclasses.replace(state.task.place, latest_s=event.latest_s)
            dropoff = state.task.dropoff
            if dropoff is not None and dropoff.latest_s < event.latest_s:
                dropoff = dataclasses.replace(dropoff, latest_s=event.latest_s)
            task = dataclasses.replace(state.task, place=place, dropoff=dropoff)
            return dataclasses.replace(
                state, task=task, round=state.round + 1, ended="", unmatched="", note=event.reason
            )
        case ev.TaskWithdrawn():
            return dataclasses.replace(state, ended="withdrawn", note=event.reason)
        case ev.TaskExpired():
            return dataclasses.replace(state, ended="expired")


def fold(events: Iterable[ev.Event]) -> TaskState | None:
    """Return the state after all events of one task, None where there are none."""
    state: TaskState | None = None
    for event in events:
        state = evolve(state, event)
    return state
