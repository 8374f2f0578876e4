"""One thread that carries out commands on the live city; each is kept before it counts.

A command is a function of a `Turn`; several go into one transaction. It changes the city in memory and notes
what happened; what is noted is written when the commands at hand are done, and only then is anybody answered.
Where writing fails, nobody is told that it succeeded, and the city is read anew from the store.

Several processes may share a city (PostgreSQL). Each holds the fleet and follows what the others wrote; a
command locks the row of its task, so two processes never decide on it at once; one of them leads, which means
that it alone asks riders and lets offers run out. When it dies, another one leads within a second.
"""

import collections
import dataclasses
import logging
import queue
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from api.dispatch import codec
from api.dispatch.turn import Memory, MissingError, Turn, offer_row
from api.store import SERVICE, Database, OutOfScopeError, StoreUnavailable
from api.store import events as stored
from api.store import riders as rider_rows
from api.store import tasks as task_rows
from api.store.processes import Leadership, Listener, notify
from geo.errors import InputError
from geo.streets import StreetNetwork
from routing.dispatch import City, ConflictError, DispatchRules, RiderKey
from routing.model import Policy, Rider

__all__ = ["Counts", "Desk", "MissingError", "Turn"]

LOG = logging.getLogger("yilu.dispatch")
T = TypeVar("T")
MOST_AT_ONCE = 64
"""Commands in one transaction: the disk is waited for once for all of them."""
IDLE_S = 0.2
"""How often what runs out, and who leads, is looked at when nobody asks for anything."""
LEAD_S = 1.0
CHANNEL = "yilu_city"
FOLLOWED_AT_ONCE = 2_000
LIVE_STATUSES = ("published", "offered", "accepted", "under_way", "done")
REFUSALS = (ConflictError, MissingError, task_rows.VersionConflictError, OutOfScopeError)
"""A rule refused a command, which has changed nothing; anything else is a defect."""

_Work = Callable[[Turn], Any]
_Waiting = tuple[_Work, "Future[Any]"]


@dataclasses.dataclass(frozen=True, slots=True)
class Counts:
    """How much is live."""

    tasks: Mapping[str, int]
    offers: Mapping[str, int]
    riders: int


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
        self.memory = Memory(shared=database.dialect == "postgresql")
        self._make: Callable[[], City] = lambda: City(network, policy, rules)
        self._clock = clock
        self._rider_of = rider_of
        self.city = self._make()
        self._followed = 0
        self._followed_riders = 0
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._heard: list[Callable[[int], None]] = []
        self._stale = True
        self._news = threading.Event()
        self._closed = threading.Event()
        self._leadership = Leadership(database, "matching")
        self._lead_until_s = 0.0
        self._listener: Listener | None = None
        self._thread = threading.Thread(target=self._run, name="yilu-desk", daemon=True)

    # -- from other threads
    # ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Read the city from the store and begin.

        Raises
        ------
        StoreUnavailable
            When the store cannot be read, or another process has this SQLite file.
        """
        self.memory.leading = self._leadership.try_lead()
        if not self.memory.shared and not self.memory.leading:
            raise StoreUnavailable(
                f"another process serves {self.database.shown}; several need PostgreSQL", 30
            )
        self._load()
        if self.memory.shared:
            self._listener = Listener(self.database, [CHANNEL], lambda _, __: self._poke(), self._poke)
            self._listener.__enter__()
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
        """Call `heard` with the number of the last event after each transaction that brought some."""
        self._heard.append(heard)

    def counts(self) -> Counts:
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
        if self._listener is not None:
            self._listener.__exit__(None, None, None)
        self._leadership.release()

    # -- in the thread
    # ---------------------------------------------------------------------------------------------

    def _poke(self) -> None:
        self._news.set()
        self._waiting.put((lambda _: None, Future()))

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
            self._see_who_leads()
            if works or self._stale or (self.memory.leading and self.city.next_due_s <= self._clock()):
                self._carry_out(works)

    def _see_who_leads(self) -> None:
        """Ask now and then: a leader whose connection is gone leads no more."""
        now_s = self._clock()
        if self.memory.shared and not self._lead_until_s - LEAD_S <= now_s < self._lead_until_s:
            led, self.memory.leading = self.memory.leading, self._leadership.try_lead()
            self._lead_until_s = now_s + LEAD_S
            if self.memory.leading and not led:
                LOG.info("this process leads the matching now")
                self.city.wake(now_s)

    def _carry_out(self, works: list[_Waiting]) -> None:
        """Carry out commands in one transaction; each gets its answer when it is kept."""
        done: list[tuple[Future[Any], Any, BaseException | None]] = []
        before = self.memory.last_seq
        try:
            if self._stale:
                self._load()
            with self.database.transaction() as connection:
                turn = Turn(self.memory, self.city, self._clock(), connection)
                if self.memory.shared:
                    self._follow(turn)
                if self.memory.leading:
                    self._tick(turn)
                for work, future in works:
                    turn.now_s, turn.changing = self._clock(), False
                    try:
                        done.append((future, work(turn), None))
                    except REFUSALS as error:
                        done.append((future, None, error))
                    except InputError as error:
                        if turn.changing:
                            raise
                        done.append((future, None, error))
                turn.flush()
                if self.memory.shared and turn.wrote:
                    notify(connection, CHANNEL, str(self.memory.last_seq))
        except StoreUnavailable as error:
            self._again(works, error)
            return
        except Exception as error:
            LOG.exception("a command failed")
            self._again(works, error)
            return
        for future, value, refusal in done:
            if refusal is None:
                future.set_result(value)
            else:
                future.set_exception(refusal)
        self._forget(turn.looked_at | turn.changed.keys())
        if self.memory.last_seq != before:
            for heard in self._heard:
                heard(self.memory.last_seq)

    def _again(self, works: list[_Waiting], error: Exception) -> None:
        """Carry commands out one by one that failed together: nobody has been told anything yet.

        What the city holds may be half of a command: it is read anew first.
        """
        self._stale = True
        if len(works) == 1:
            works[0][1].set_exception(error)
            return
        for work in works:
            self._carry_out([work])

    def _tick(self, turn: Turn) -> None:
        """Let run out what is over, and ask for what waits."""
        for task_id in self.city.due(turn.now_s) if self.memory.shared else ():
            turn.state(task_id)
        turn.record(*self.city.tick(turn.now_s))

    def _follow(self, turn: Turn) -> None:
        """Take up what other processes have written."""
        if not self._news.is_set():
            return
        self._news.clear()
        rows = stored.after(turn.connection, SERVICE, self._followed, FOLLOWED_AT_ONCE)
        changed = {row.event.task_id: None for row in rows if row.seq not in self.memory.own}
        for task_id in changed:
            row = None if task_id is None else task_rows.get(turn.connection, SERVICE, task_id)
            if row is not None:
                turn.take_up(row)
        if rows:
            self._followed = rows[-1].seq
            self.memory.own = {seq for seq in self.memory.own if seq > self._followed}
            self.memory.last_seq = max(self.memory.last_seq, self._followed)
            if len(rows) == FOLLOWED_AT_ONCE:
                self._news.set()
        riders, self._followed_riders = rider_rows.changed_since(
            turn.connection, SERVICE, self._followed_riders
        )
        self._take_up_riders(riders, turn.now_s)

    def _take_up_riders(self, rows: Iterable[rider_rows.RiderRow], now_s: float) -> None:
        put, gone = [], []
        for row in rows:
            key = RiderKey(row.tenant_id, row.rider_id)
            if row.body is None:
                gone.append(key)
                self.memory.bodies.pop(key, None)
            elif self.memory.bodies.get(key) != row.body:
                self.memory.bodies[key] = row.body
                put.append((key, self._rider_of(row.rider_id, row.body)))
        self.city.board.remove(gone)
        self.city.board.put(put, now_s)

    def _forget(self, task_ids: Iterable[str]) -> None:
        """Drop tasks that are over; the store has them."""
        for task_id in task_ids:
            if task_id not in self.city.tasks or not self.city.tasks[task_id].ended:
                continue
            for offer in self.city.tasks[task_id].offers:
                self.memory.offers.pop(offer.offer_id, None)
            self.city.forget(task_id)
            self.memory.rows.pop(task_id, None)

    def _load(self) -> None:
        """Read the city from the store."""
        now_s = self._clock()
        city = self._make()
        with self.database.reading() as connection:
            # What is written while we read is followed from here on, and taken up twice at worst.
            self.memory.last_seq = self._followed = stored.last_seq(connection, SERVICE)
            riders, self._followed_riders = rider_rows.read_all(connection, SERVICE)
            rows = task_rows.with_status(connection, SERVICE, LIVE_STATUSES)
        states = {row.task_id: codec.state_of(row.state) for row in rows}
        self.memory.offers = {
            offer.offer_id: offer_row(task_id, offer)
            for task_id, state in states.items()
            for offer in state.offers
        }
        self.memory.rows = {row.task_id: row for row in rows}
        self.memory.own.clear()
        self._news.set()
        self.memory.bodies = {
            RiderKey(row.tenant_id, row.rider_id): row.body for row in riders if row.body is not None
        }
        known = [(key, self._rider_of(key.rider_id, body)) for key, body in self.memory.bodies.items()]
        city.restore(states, known, now_s)
        self.city, self._stale = city, False
