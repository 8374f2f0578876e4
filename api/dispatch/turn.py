"""What one command may use and note: the city, the moment, the transaction."""

import collections
import dataclasses
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import sqlalchemy as sa

from api.dispatch import codec
from api.store import SERVICE, Scope
from api.store.access import audit
from api.store.dispatch import events as stored
from api.store.dispatch import offers as offer_rows
from api.store.dispatch import riders as rider_rows
from api.store.dispatch import tasks as task_rows
from api.store.rows import values_of
from geo.errors import YiluError
from geo.streets import StreetNetwork
from routing.dispatch import City, Happened, Offer, RiderKey, TaskState

__all__ = ["Follower", "KeptTurn", "Labelled", "Memory", "MissingError", "Turn", "offer_row"]


class Labelled(NamedTuple):
    """A task by its publisher's name for it, as somebody sees it."""

    who: Scope
    tenant_id: str
    label: str


_REACHED = {
    "offer_made": "open", "offer_accepted": "accepted", "offer_started": "started", "offer_done": "done"
}  # fmt: skip
"""The status that an event brings an offer into; what is closed says it itself."""


class MissingError(YiluError):
    """There is no such object for this caller."""


class Follower(Protocol):
    """What else lives by the desk's clock and by what becomes of tasks; written in the same transaction."""

    @property
    def next_due_s(self) -> float:
        """When something of it runs out next, in epoch seconds; inf: never."""

    def tick(self, turn: "Turn") -> None:
        """Carry out what is due; for the process that leads."""

    def heard(self, turn: "Turn", happened: Happened) -> None:
        """Draw the consequences of what has happened to a task; nothing is refused any more."""

    def drilled(self, turn: "Turn", emergency_id: str, rider: RiderKey) -> None:
        """Draw the consequences of a rider's coming to a drill."""

    def follow(self, turn: "Turn", object_id: str) -> None:
        """Take up what another process has written of an object that is no task."""


@dataclasses.dataclass(frozen=True, slots=True)
class KeptTurn:
    """What a transaction of this process has kept for good, for whoever watches."""

    last_seq: int
    """Number of the last event that this process wrote or followed."""
    kinds: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """How many events of each kind were written."""
    outcomes: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """How many offers came into each status, one of `routing.dispatch.OFFER_STATUSES`."""
    events: bool = True
    """Whether there are events, of this process or of others; else riders were reported, or taken off."""
    waited_s: tuple[tuple[str, float], ...] = ()
    """Of each task that was ``offered``, or ``accepted`` by all it needs, for the first time: the seconds
    since it was published."""


@dataclasses.dataclass(eq=False)
class Memory:
    """What a process holds of the store, beside the city."""

    shared: bool
    """Whether other processes may write too."""
    word: Callable[[], str]
    """Returns a word that nobody can guess."""
    network: StreetNetwork
    """The streets as they are now; where it is another one than before, the city is read anew."""
    leading: bool = False
    """Whether this process asks riders and lets offers run out."""
    bodies: dict[RiderKey, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    """Riders as the store has them."""
    rows: dict[str, task_rows.TaskRow] = dataclasses.field(default_factory=dict)
    """Of live tasks."""
    offers: dict[str, offer_rows.OfferRow] = dataclasses.field(default_factory=dict)
    """Of live tasks."""
    phases: dict[str, float] = dataclasses.field(default_factory=dict)
    """When the next phase of an emergency's alerts opens, in epoch seconds."""
    looked_s: float = -math.inf
    """When riders were looked for of whom nothing was heard, in epoch seconds."""
    last_seq: int = 0
    """Number of the last event that this process wrote or followed."""
    followers: tuple[Follower, ...] = ()
    own: set[int] = dataclasses.field(default_factory=set)
    """Events that this process has written and not met again while following."""

    own_riders: set[int] = dataclasses.field(default_factory=set)
    """Numbers of bulks of riders that this process has written and not yet passed while following."""

    def wrote(self, seqs: Sequence[int]) -> None:
        """Note the numbers of events that a turn has written."""
        self.last_seq = seqs[-1]
        if self.shared:
            self.own.update(seqs)


@dataclasses.dataclass(eq=False)
class Turn:
    """What a command may use: the city, the moment, the transaction."""

    memory: Memory
    city: City
    now_s: float
    connection: sa.Connection
    happened: list[stored.Event] = dataclasses.field(default_factory=list)
    changed: dict[str, task_rows.TaskRow] = dataclasses.field(default_factory=dict)
    offers: dict[str, offer_rows.OfferRow] = dataclasses.field(default_factory=dict)
    made: set[str] = dataclasses.field(default_factory=set)
    new: dict[str, task_rows.TaskRow] = dataclasses.field(default_factory=dict)
    looked_at: set[str] = dataclasses.field(default_factory=set)
    acts: list[audit.AuditEntry] = dataclasses.field(default_factory=list)
    """Who did what, or tried to; kept with what was done."""
    outcomes: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    """How many offers came into each status."""
    reached: list[tuple[str, float]] = dataclasses.field(default_factory=list)
    """Tasks that were offered or accepted for the first time, and when they had been published."""
    _called: dict[Labelled, task_rows.TaskRow | None] = dataclasses.field(default_factory=dict)
    moved: bool = False
    """Whether riders were reported, or taken off."""
    wrote: bool = False
    """Whether other processes have something to follow."""
    changing: bool = False
    """Whether the command at hand has begun to change something: until then, what it refuses is no defect."""

    def state(self, task_id: str) -> TaskState | None:
        """Return a task's state, from the store where it is not among the live ones.

        Where other processes write too, its row is locked until this turn is kept, and read anew.
        """
        if task_id in self.looked_at or task_id in self.new:
            return self.city.tasks[task_id]
        if self.memory.shared or task_id not in self.city.tasks:
            read = task_rows.load_for_update if self.memory.shared else task_rows.get
            row = read(self.connection, SERVICE, task_id)
            if row is None:
                return None
            self.take_up(row)
        self.looked_at.add(task_id)
        return self.city.tasks[task_id]

    def look_up(self, called: Collection[Labelled]) -> None:
        """Read tasks that commands at hand name as their publishers do, those of one caller at once."""
        by_caller: dict[tuple[Scope, str], list[str]] = {}
        for who, tenant_id, label in called:
            by_caller.setdefault((who, tenant_id), []).append(label)
        self._called.update(dict.fromkeys(called))
        for (who, tenant_id), labels in by_caller.items():
            for row in task_rows.by_labels(self.connection, who, tenant_id, labels):
                self._called[Labelled(who, tenant_id, row.label)] = row

    def called(self, one: Labelled) -> task_rows.TaskRow | None:
        """Return the task under its publisher's name, one of this turn too; None where there is none."""
        if one not in self._called:
            self.look_up([one])
        mine = (row for row in self.new.values() if (row.tenant_id, row.label) == one[1:])
        return self._called[one] or next(mine, None)

    def lock(self, task_ids: Collection[str]) -> None:
        """Lock the rows of tasks and read them anew, where other processes write too."""
        if not self.memory.shared or not task_ids:
            return
        for row in task_rows.lock_all(self.connection, SERVICE, sorted(task_ids)):
            self.take_up(row)
            self.looked_at.add(row.task_id)

    def take_up(self, row: task_rows.TaskRow) -> None:
        """Bring a task to what the store has of it, where that is news."""
        known = self.memory.rows.get(row.task_id)
        if known is not None and row.task_id in self.city.tasks and known.version == row.version:
            return
        state = codec.state_of(row.state)
        self.memory.rows[row.task_id] = row
        for offer in state.offers:
            self.memory.offers[offer.offer_id] = offer_row(row.task_id, offer)
        self.city.replace(row.task_id, state, self.now_s)

    def wrote_riders(self, written: rider_rows.Written) -> None:
        """Note riders that were written: others read them, this process need not."""
        self.wrote = self.moved = True
        if self.memory.shared:
            self.memory.own_riders.add(written.seq)

    def row(self, task_id: str) -> task_rows.TaskRow:
        """Return a live task's row with what this turn has changed, under the version that it was read as."""
        return self.changed.get(task_id) or self.memory.rows[task_id]

    def version(self, task_id: str) -> int:
        """Return the version that a live task will have when this turn is kept."""
        return self.row(task_id).version + (task_id in self.changed and task_id not in self.new)

    def add(self, row: task_rows.TaskRow) -> None:
        """Note a new task."""
        self.new[row.task_id] = row
        self.memory.rows[row.task_id] = row

    def rewrite(self, task_id: str, body: Mapping[str, Any]) -> None:
        """Note another request for a task."""
        self.changed[task_id] = dataclasses.replace(self.row(task_id), body=body)

    def record(self, *happened: Happened) -> None:
        """Note events, for the store."""
        for one in happened:
            if not one.events:
                continue
            state = self.city.tasks[one.task_id]
            for event in one.events:
                self.happened.append(codec.event_row(one.task_id, state, event, self.now_s))
            self._touch(one.task_id, state)
            self._count(one, state)
            for follower in self.memory.followers:
                follower.heard(self, one)

    def _touch(self, task_id: str, state: TaskState) -> None:
        row = self.row(task_id)
        latest_s = state.task.place.latest_s
        self.changed[task_id] = dataclasses.replace(
            row,
            status=state.status,
            lon=state.task.place.lonlat[0],
            lat=state.task.place.lonlat[1],
            due_s=latest_s if latest_s < float("inf") else None,
            state=codec.state_json(state),
        )
        for offer in state.offers:
            known = self.memory.offers.get(offer.offer_id)
            if known is None:
                self.made.add(offer.offer_id)
            elif known.status == offer.status:
                continue
            self.offers[offer.offer_id] = offer_row(task_id, offer)
            self.memory.offers[offer.offer_id] = self.offers[offer.offer_id]

    def _count(self, one: Happened, state: TaskState) -> None:
        """Note what is told to whoever watches, once it is kept."""
        published_s = self.row(one.task_id).created_s
        # What was given back or opened again has been accepted before.
        again = state.round > 1 or any(offer.status == "returned" for offer in state.offers)
        for event in one.events:
            if event.kind == "offer_closed":
                self.outcomes[event.outcome] += 1
            elif event.kind in _REACHED:
                self.outcomes[_REACHED[event.kind]] += 1
            if event.kind == "offer_made" and event.offer_id == state.offers[0].offer_id:
                self.reached.append(("offered", published_s))
            if event.kind == "offer_accepted" and len(state.taken) == state.task.people and not again:
                self.reached.append(("accepted", published_s))

    def kept(self, now_s: float, *, events: bool) -> KeptTurn:
        """Return what this turn has kept, at the instant when it was."""
        return KeptTurn(
            self.memory.last_seq,
            collections.Counter(event.kind for event in self.happened),
            self.outcomes,
            events,
            tuple((stage, max(now_s - published_s, 0.0)) for stage, published_s in self.reached),
        )

    def flush(self) -> None:
        """Write what has been noted."""
        who = SERVICE
        self.wrote = self.wrote or bool(self.happened)
        new = [row for task_id, row in self.changed.items() if task_id in self.new]
        task_rows.insert_all(self.connection, who, new)
        old = [row for task_id, row in self.changed.items() if task_id not in self.new]
        for row in (*new, *task_rows.save_all(self.connection, who, old)):
            self.memory.rows[row.task_id] = row
        offer_rows.insert(self.connection, who, [self.offers[one] for one in sorted(self.made)])
        changed = [offer for offer_id, offer in self.offers.items() if offer_id not in self.made]
        offer_rows.save_all(self.connection, who, changed)
        if self.happened:
            self.memory.wrote(stored.append(self.connection, who, self.happened))
        audit.record_all(self.connection, self.acts)


def offer_row(task_id: str, offer: Offer) -> offer_rows.OfferRow:
    """Return an offer as the store keeps it."""
    body = {
        "terms": values_of(offer.terms),
        "reason": offer.reason,
        "round": offer.round,
        "accepted_s": offer.accepted_s,
    }
    return offer_rows.OfferRow(
        offer.offer_id,
        task_id,
        offer.rider.platform,
        offer.rider.rider_id,
        offer.status,
        offer.made_s,
        offer.expires_s,
        body,
    )
