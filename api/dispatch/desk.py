"""One thread that carries out commands on the live city; each is kept before it counts.

A command is a function of a `Turn`; several go into one transaction. It changes the city in memory and notes
what happened; what is noted is written when the commands at hand are done, and only then is anybody answered.
Where writing fails, nobody is told that it succeeded, and the city is read anew from the store.
"""

import collections
import dataclasses
import logging
import queue
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

import sqlalchemy as sa

from api.dispatch import codec
from api.store import SERVICE, Database, OutOfScopeError, StoreUnavailable
from api.store import events as stored
from api.store import offers as offer_rows
from api.store import riders as rider_rows
from api.store import tasks as task_rows
from geo.errors import YiluError
from geo.streets import StreetNetwork
from routing.dispatch import City, ConflictError, DispatchRules, Happened, Offer, RiderKey, TaskState
from routing.model import Policy, Rider

__all__ = ["Counts", "Desk", "MissingError", "Turn"]

LOG = logging.getLogger("yilu.dispatch")
T = TypeVar("T")
MOST_AT_ONCE = 64
"""Commands in one transaction: the disk is waited for once for all of them."""
IDLE_S = 0.2
"""How often what runs out is looked at when nobody asks for anything."""

_Work = Callable[["Turn"], Any]
_Waiting = tuple[_Work, "Future[Any]"]


class MissingError(YiluError):
    """There is no such object for this caller."""


@dataclasses.dataclass(eq=False)
class Turn:
    """What a command may use: the city, the moment, the transaction."""

    desk: "Desk"
    city: City
    now_s: float
    connection: sa.Connection
    happened: list[stored.Event] = dataclasses.field(default_factory=list)
    changed: dict[str, task_rows.TaskRow] = dataclasses.field(default_factory=dict)
    offers: dict[str, offer_rows.OfferRow] = dataclasses.field(default_factory=dict)
    made: set[str] = dataclasses.field(default_factory=set)
    new: dict[str, task_rows.TaskRow] = dataclasses.field(default_factory=dict)
    looked_at: set[str] = dataclasses.field(default_factory=set)

    def state(self, task_id: str) -> TaskState | None:
        """Return a task's state, from the store where it is not among the live ones."""
        if task_id not in self.city.tasks:
            row = task_rows.get(self.connection, SERVICE, task_id)
            if row is None:
                return None
            self.desk.rows[task_id] = row
            self.city.take_up(task_id, codec.state_of(row.state), self.now_s)
        self.looked_at.add(task_id)
        return self.city.tasks[task_id]

    def row(self, task_id: str) -> task_rows.TaskRow:
        """Return a live task's row as it will be written."""
        return self.changed.get(task_id) or self.desk.rows[task_id]

    def add(self, row: task_rows.TaskRow) -> None:
        """Note a new task."""
        self.new[row.task_id] = row
        self.desk.rows[row.task_id] = row

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
            known = self.desk.offers.get(offer.offer_id)
            if known is None:
                self.made.add(offer.offer_id)
            elif known.status == offer.status:
                continue
            self.offers[offer.offer_id] = _offer_row(task_id, offer)
            self.desk.offers[offer.offer_id] = self.offers[offer.offer_id]

    def flush(self) -> None:
        """Write what has been noted."""
        who = SERVICE
        for task_id, row in self.changed.items():
            if task_id in self.new:
                task_rows.insert(self.connection, who, row)
                self.desk.rows[task_id] = row
            else:
                self.desk.rows[task_id] = task_rows.save(self.connection, who, row)
        offer_rows.insert(self.connection, who, [self.offers[one] for one in sorted(self.made)])
        for offer_id, offer in self.offers.items():
            if offer_id not in self.made:
                offer_rows.save(self.connection, who, offer)
        if self.happened:
            self.desk.last_seq = stored.append(self.connection, who, self.happened)[-1]


def _offer_row(task_id: str, offer: Offer) -> offer_rows.OfferRow:
    body = {"terms": dataclasses.asdict(offer.terms), "reason": offer.reason, "round": offer.round}
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


class Desk:
    """The live city of one process.

    Parameters
    ----------
    database : Database
        Migrated.
    network : StreetNetwork
    policy : Policy
    rules : DispatchRules
    clock : callable
        Returns the present moment in epoch seconds.
    rider_of : callable
        Makes a `Rider` of what the store holds of one.
    """

    def __init__(
        self,
        database: Database,
        network: StreetNetwork,
        policy: Policy,
        rules: DispatchRules,
        *,
        clock: Callable[[], float],
        rider_of: Callable[[str, Mapping[str, Any]], Rider],
    ) -> None:
        self.database = database
        self._make: Callable[[], City] = lambda: City(network, policy, rules)
        self._clock = clock
        self._rider_of = rider_of
        self.city = self._make()
        self.bodies: dict[RiderKey, Mapping[str, Any]] = {}
        """Riders as the store has them."""
        self.rows: dict[str, task_rows.TaskRow] = {}
        self.offers: dict[str, offer_rows.OfferRow] = {}
        self.last_seq = 0
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._heard: list[Callable[[int], None]] = []
        self._stale = True
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="yilu-desk", daemon=True)

    # -- from other threads
    # ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Read the city from the store and begin.

        Raises
        ------
        StoreUnavailable
            When the store cannot be read.
        """
        self._load()
        self._thread.start()

    def submit(self, work: Callable[[Turn], T]) -> "Future[T]":
        """Have a command carried out; the future is done when what it did is kept for good."""
        future: Future[T] = Future()
        if self._closed.is_set():
            future.set_exception(StoreUnavailable("the service is stopping", 1))
        else:
            self._waiting.put((work, future))
        return future

    def hear(self, heard: Callable[[int], None]) -> None:
        """Call `heard` with the number of the last event after each transaction that wrote some."""
        self._heard.append(heard)

    def counts(self) -> "Counts":
        """Return how much is live, for whoever watches; taken without waiting for the commands at hand."""
        states = list(self.city.tasks.values())
        offers = [offer.status for state in states for offer in state.offers]
        return Counts(
            collections.Counter(state.status for state in states),
            collections.Counter(offers),
            len(self.city.board.fleet),
        )

    def stop(self, timeout_s: float = 10.0) -> None:
        """Finish what has been asked for, then end. Open offers stay open, in the store."""
        self._closed.set()
        self._waiting.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    # -- in the thread
    # ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        going_on = True
        while going_on:
            works: list[_Waiting] = []
            try:
                first = self._waiting.get(timeout=IDLE_S)
                while first is not None:
                    works.append(first)
                    if len(works) == MOST_AT_ONCE or self._waiting.empty():
                        break
                    first = self._waiting.get()
                going_on = first is not None
            except queue.Empty:
                pass
            if works or self.city.next_due_s <= self._clock():
                self._carry_out(works)

    def _carry_out(self, works: list[_Waiting]) -> None:
        """Carry out commands in one transaction; each gets its answer when it is kept."""
        done: list[tuple[Future[Any], Any, BaseException | None]] = []
        before = self.last_seq
        try:
            if self._stale:
                self._load()
            with self.database.transaction() as connection:
                turn = Turn(self, self.city, self._clock(), connection)
                turn.record(*self.city.tick(turn.now_s))
                for work, future in works:
                    turn.now_s = self._clock()
                    try:
                        done.append((future, work(turn), None))
                    except REFUSALS as error:
                        done.append((future, None, error))
                turn.flush()
        except StoreUnavailable as error:
            self._stale = True
            for _, future in works:
                future.set_exception(error)
            return
        except Exception as error:
            # What the city holds may be half of a command: it is read anew before the next one.
            self._stale = True
            LOG.exception("a command failed")
            for _, future in works:
                future.set_exception(error)
            return
        for future, value, refusal in done:
            if refusal is None:
                future.set_result(value)
            else:
                future.set_exception(refusal)
        self._forget(turn.looked_at | turn.changed.keys())
        if self.last_seq != before:
            for heard in self._heard:
                heard(self.last_seq)

    def _forget(self, task_ids: Iterable[str]) -> None:
        """Drop tasks that are over; the store has them."""
        for task_id in task_ids:
            if task_id not in self.city.tasks or not self.city.tasks[task_id].ended:
                continue
            for offer in self.city.tasks[task_id].offers:
                self.offers.pop(offer.offer_id, None)
            self.city.forget(task_id)
            self.rows.pop(task_id, None)

    def _load(self) -> None:
        """Read the city from the store."""
        now_s = self._clock()
        city = self._make()
        with self.database.reading() as connection:
            rows = task_rows.with_status(connection, SERVICE, LIVE_STATUSES)
            riders, _ = rider_rows.read_all(connection, SERVICE)
            self.last_seq = stored.last_seq(connection, SERVICE)
        states = {row.task_id: codec.state_of(row.state) for row in rows}
        self.offers = {
            offer.offer_id: _offer_row(task_id, offer)
            for task_id, state in states.items()
            for offer in state.offers
        }
        self.rows = {row.task_id: row for row in rows}
        self.bodies = {
            RiderKey(row.tenant_id, row.rider_id): row.body for row in riders if row.body is not None
        }
        known = [(key, self._rider_of(key.rider_id, body)) for key, body in self.bodies.items()]
        city.restore(states, known, now_s)
        self.city, self._stale = city, False


@dataclasses.dataclass(frozen=True, slots=True)
class Counts:
    """How much is live."""

    tasks: Mapping[str, int]
    offers: Mapping[str, int]
    riders: int


LIVE_STATUSES = ("published", "offered", "accepted", "under_way", "done")


REFUSALS = (ConflictError, MissingError, task_rows.VersionConflictError, OutOfScopeError)
"""A rule refused a command, which has changed nothing; anything else is a defect."""
