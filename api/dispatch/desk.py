"""One thread that carries out commands on the live city; each is kept before it counts.

A command is a function of a `Turn`; several go into one transaction. It changes the city in memory and notes
what happened; what is noted is written when the commands at hand are done, and only then is anybody answered.
Where writing fails, nobody is told that it succeeded, and the city is read anew from the store.

Several processes may share a city (PostgreSQL). Each holds the fleet and follows what the others wrote; a
command locks the row of its task, so two processes never decide on it at once; one of them leads, which means
that it alone asks riders and lets offers run out. When it dies, another one leads within a second.
"""

import collections
import contextlib
import dataclasses
import logging
import math
import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar

from api.dispatch import codec, emergencies, laying
from api.dispatch.kept.sightings import forget_old
from api.dispatch.turn import Follower, KeptTurn, Labelled, Memory, MissingError, Turn, offer_row
from api.store import SERVICE, Database, OutOfScopeError, StoreUnavailable, numbers
from api.store.access import idempotency
from api.store.dispatch import emergencies as emergency_rows
from api.store.dispatch import events as stored
from api.store.dispatch import offers as offer_rows
from api.store.dispatch import riders as rider_rows
from api.store.dispatch import tasks as task_rows
from api.store.processes import Leadership, Listener, notify
from geo.errors import InputError
from geo.localtime import DAY_S, HOUR_S
from geo.streets import StreetNetwork
from routing.civic import LedgerError, MatterConflictError
from routing.dispatch import City, ConflictError, DispatchRules, RiderKey
from routing.model import Policy, Rider

__all__ = ["LIVE_STATUSES", "Counts", "Desk", "MissingError", "Turn"]

LOG = logging.getLogger("yilu.dispatch")
T = TypeVar("T")
MOST_AT_ONCE = 64
"""Commands in one transaction: the disk is waited for once for all of them."""
IDLE_S = 0.2
"""How often what runs out, and who leads, is looked at when nobody asks for anything."""
LEAD_S = 1.0
FOLLOW_S = 0.05
"""What others write is taken up no more often: each time costs the database a look at all its locks."""
LOOK_S = 2.0
"""What others write is looked for so often without a word from them: theirs may have died on its way."""
SET_BACK_S = 1.0
"""From how much on a clock that runs backwards was set, rather than read on two processors."""
TIDY_S = 600.0
"""How often what is older than a day is forgotten."""
CHANNEL = "yilu_city"
FOLLOWED_AT_ONCE = 2_000
LIVE_STATUSES = ("published", "offered", "accepted", "under_way", "done")
REFUSALS = (
    ConflictError,
    MatterConflictError,
    LedgerError,
    MissingError,
    task_rows.VersionConflictError,
    OutOfScopeError,
)
"""A rule refused a command, which has changed nothing; anything else is a defect."""

_Work = Callable[[Turn], Any]


class _Waiting(NamedTuple):
    """A command, who waits for it, and what it is about."""

    work: _Work
    future: "Future[Any]"
    of: str | None = None
    called: Labelled | None = None


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
    word : callable
        Returns a word without a hyphen that nobody can guess, for the ids of offers and alerts.
    followers : tuple of Follower
        What else lives by this desk's clock and by what becomes of tasks.
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
        word: Callable[[], str] = lambda: secrets.token_hex(8),
        followers: tuple[Follower, ...] = (),
    ) -> None:
        self.database, self.policy = database, policy
        self.memory = Memory(
            shared=database.dialect == "postgresql", word=word, network=network, followers=followers
        )
        self._make: Callable[[], City] = lambda: City(self.memory.network, policy, rules, word)
        self._clock = clock
        self._rider_of = rider_of
        self.city, self._laid_on = self._make(), network
        self._numbers: numbers.Numbers | None = None
        self._followed = 0
        self._followed_riders = 0
        self._follow_from_s = self._look_from_s = 0.0
        self._name = secrets.token_hex(8)
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._heard: list[Callable[[KeptTurn], None]] = []
        self._stale = True
        self._news = threading.Event()
        self._closed, self._ended = threading.Event(), threading.Event()
        self._leadership = Leadership(database, "matching")
        self._lead_until_s = 0.0
        self._tidied_s = self._seen_s = -math.inf
        self._listener: Listener | None = None
        self._thread = threading.Thread(target=self._run, name="yilu-desk", daemon=True)

    @property
    def numbers(self) -> numbers.Numbers:
        """How events are named to their readers.

        Raises
        ------
        StoreUnavailable
            As long as the store has not been read.
        """
        if self._numbers is None:
            raise StoreUnavailable("the database cannot be reached yet", 5)
        return self._numbers

    # -- from other threads
    # ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Read the city from the store and begin.

        Raises
        ------
        StoreUnavailable
            When another process has this SQLite file.
        """
        self.memory.leading = self._leadership.try_lead()
        if not self.memory.shared and not self.memory.leading:
            raise StoreUnavailable(
                f"another process serves {self.database.shown}; several need PostgreSQL", 30
            )
        try:
            with laying.undisturbed():
                self._load()
        except StoreUnavailable:
            # It is read as soon as the store is there; until then every command is told to come again.
            LOG.warning("the database cannot be reached; the service waits for it")
        if self.memory.shared:
            self._listener = Listener(self.database, [CHANNEL], self._told, self._poke)
            self._listener.__enter__()
        self._thread.start()

    def submit(
        self, work: Callable[[Turn], T], of: str | None = None, called: Labelled | None = None
    ) -> "Future[T]":
        """Have a command carried out; the future is done when what it did is kept for good.

        `of` is the task that it is about: where processes share the city, the rows of the tasks at hand are
        locked in one order. `called` is what its publisher calls it: those at hand are looked up together.
        """
        future: Future[T] = Future()
        if self._closed.is_set():
            future.set_exception(StoreUnavailable("the service is stopping", 1))
        else:
            self._waiting.put(_Waiting(work, future, of, called))
            if self._ended.is_set():
                self._turn_away()
        return future

    def hear(self, heard: Callable[[KeptTurn], None]) -> None:
        """Call `heard` with what was kept after each transaction that brought events, or moved riders."""
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

    def _told(self, _: str, writer: str) -> None:
        # What this process has written it knows.
        if writer != self._name:
            self._poke()

    def _poke(self) -> None:
        if not self._news.is_set():
            self._news.set()
            self._waiting.put(_Waiting(lambda _: None, Future()))

    def _run(self) -> None:
        going_on = True
        while going_on:
            works: list[_Waiting] = []
            try:
                first = self._waiting.get(timeout=FOLLOW_S if self._news.is_set() else IDLE_S)
                while first is not None:
                    # Who has given up waiting (a lost connection) wants nothing any more.
                    if first.future.set_running_or_notify_cancel():
                        works.append(first)
                    if len(works) == MOST_AT_ONCE or self._waiting.empty():
                        break
                    first = self._waiting.get()
                going_on = first is not None
            except queue.Empty:
                pass
            if self.memory.shared and time.monotonic() >= self._look_from_s:
                self._news.set()
            try:
                self._see_who_leads()
                self._see_the_clock()
                due = self.memory.leading and self._next_due_s() <= self._clock()
                if works or self._stale or self._moved or due or self._news.is_set():
                    self._carry_out(works)
                elif self.memory.leading:
                    self._tidy()
            except Exception as error:
                # Whatever it was: this thread is the only one that carries anything out.
                LOG.exception("the desk goes on after an error")
                self._stale = True
                _fail(works, error)
        self._ended.set()
        self._turn_away()

    def _turn_away(self) -> None:
        """Answer those who came after the end."""
        with contextlib.suppress(queue.Empty):
            while True:
                late = self._waiting.get_nowait()
                if late is not None and late.future.set_running_or_notify_cancel():
                    late.future.set_exception(StoreUnavailable("the service is stopping", 1))

    def _tidy(self) -> None:
        """Forget what nobody asks for any more, when there is nothing else to do."""
        now_s = self._clock()
        if self._tidied_s <= now_s < self._tidied_s + TIDY_S:
            return
        self._tidied_s = now_s

        def forget(turn: Turn) -> None:
            idempotency.forget(turn.connection, SERVICE, now_s)
            rider_rows.forget_deleted(turn.connection, SERVICE, now_s - DAY_S)
            forget_old(turn)

        self._carry_out([_Waiting(forget, Future())])

    @property
    def _moved(self) -> bool:
        """Whether the streets have changed since the city was laid on them."""
        return self.memory.network is not self._laid_on

    def _lay_on(self) -> None:
        """Lay the city on streets that have changed: plans that lead over them are judged anew."""
        now_s, network = self._clock(), self.memory.network
        laying.lay_riders_on(self.memory, self.city, self._rider_of, now_s)
        self.city.wake(now_s)
        self._laid_on = network

    def _next_due_s(self) -> float:
        """When something runs out or opens by itself, in epoch seconds."""
        followed = (follower.next_due_s for follower in self.memory.followers)
        return min((self.city.next_due_s, *self.memory.phases.values(), *followed))

    def _see_who_leads(self) -> None:
        """Ask now and then: a leader whose connection is gone leads no more."""
        now_s = self._clock()
        if self.memory.shared and not self._lead_until_s - LEAD_S <= now_s < self._lead_until_s:
            led, self.memory.leading = self.memory.leading, self._leadership.try_lead()
            self._lead_until_s = now_s + LEAD_S
            if self.memory.leading and not led:
                LOG.info("this process leads the matching now")
                self.city.wake(now_s)

    def _see_the_clock(self) -> None:
        """Try at once what waits where the clock was set back: it would wait until it has caught up."""
        now_s = self._clock()
        if now_s < self._seen_s - SET_BACK_S:
            LOG.warning("the clock was set back by %d s", self._seen_s - now_s)
            self.city.wake(now_s)
            self.memory.phases = dict.fromkeys(self.memory.phases, now_s)
        self._seen_s = now_s

    def _carry_out(self, works: list[_Waiting]) -> None:
        """Carry out commands in one transaction; each gets its answer when it is kept."""
        done: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            if not self._stale and self._moved:
                self._lay_on()
            if self._stale:
                with laying.undisturbed():
                    self._load()
        except StoreUnavailable as error:
            _fail(works, error)
            return
        laying.set_silent_aside(self.memory, self.city, self._clock())
        before = self.memory.last_seq
        try:
            with self.database.transaction() as connection:
                turn = Turn(self.memory, self.city, self._clock(), connection)
                if self.memory.shared:
                    self._follow(turn)
                due = self.city.due(turn.now_s) if self.memory.leading else ()
                turn.lock({*due, *(one.of for one in works if one.of is not None)})
                turn.look_up({one.called for one in works if one.called is not None})
                if self.memory.leading:
                    turn.record(*self.city.tick(turn.now_s))
                    emergencies.open_phases(turn)
                    for follower in self.memory.followers:
                        follower.tick(turn)
                for work, future, *_ in works:
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
                    notify(connection, CHANNEL, self._name)
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
        events = self.memory.last_seq != before
        if events or turn.moved:
            kept = turn.kept(self._clock(), events=events)
            for heard in self._heard:
                heard(kept)

    def _again(self, works: list[_Waiting], error: Exception) -> None:
        """Carry commands out one by one that failed together: nobody has been told anything yet.

        What the city holds may be half of a command: it is read anew first.
        """
        self._stale = True
        if len(works) == 1:
            works[0].future.set_exception(error)
            return
        for work in works:
            self._carry_out([work])

    def _follow(self, turn: Turn) -> None:
        """Take up what other processes have written; events of this one are passed over, now and then."""
        news = self._news.is_set() and time.monotonic() >= self._follow_from_s
        if not news and len(self.memory.own) < FOLLOWED_AT_ONCE:
            return
        if news:
            self._news.clear()
            self._follow_from_s = time.monotonic() + FOLLOW_S
            self._look_from_s = time.monotonic() + LOOK_S
        rows = stored.tasks_after(turn.connection, SERVICE, self._followed, FOLLOWED_AT_ONCE)
        changed = {task_id: None for seq, task_id in rows if seq not in self.memory.own}
        for task_id in changed:
            row = None if task_id is None else task_rows.get(turn.connection, SERVICE, task_id)
            if row is not None:
                turn.take_up(row)
            elif task_id is not None:
                emergencies.follow(turn, task_id)
                for follower in self.memory.followers:
                    follower.follow(turn, task_id)
        if rows:
            self._followed = rows[-1][0]
            self.memory.own = {seq for seq in self.memory.own if seq > self._followed}
            self.memory.last_seq = max(self.memory.last_seq, self._followed)
            if news and len(rows) == FOLLOWED_AT_ONCE:
                self._news.set()
        if not news:
            return
        riders, self._followed_riders = rider_rows.changed_since(
            turn.connection, SERVICE, self._followed_riders, self.memory.own_riders
        )
        self.memory.own_riders = {seq for seq in self.memory.own_riders if seq > self._followed_riders}
        laying.take_up_riders(self.memory, self.city, riders, self._rider_of, turn.now_s)
        turn.moved = turn.moved or bool(riders)

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
        network, city = self.memory.network, self._make()
        if self._numbers is None:
            with self.database.transaction() as connection:
                self._numbers = numbers.load(connection)
        with self.database.reading() as connection:
            # What is written while we read is followed from here on, and taken up twice at worst.
            self.memory.last_seq = self._followed = stored.last_seq(connection, SERVICE)
            riders, self._followed_riders = rider_rows.read_all(connection, SERVICE)
            rows = task_rows.with_status(connection, SERVICE, LIVE_STATUSES)
            taken = offer_rows.maybe_accepted_since(connection, SERVICE, now_s - HOUR_S)
            alerted = emergency_rows.open_ones(connection, SERVICE)
        states = {row.task_id: codec.state_of(row.state) for row in rows}
        self.memory.offers = {
            offer.offer_id: offer_row(task_id, offer)
            for task_id, state in states.items()
            for offer in state.offers
        }
        self.memory.rows = {row.task_id: row for row in rows}
        alerts = {row.emergency_id: emergencies.alert_state_of(row.state) for row in alerted}
        due = {name: state.phase_due_s(now_s) for name, state in alerts.items()}
        self.memory.phases = {name: due_s for name, due_s in due.items() if due_s is not None}
        for name, state in alerts.items():
            city.board.call_away(name, emergencies.answering(state))
        self.memory.own.clear()
        self.memory.own_riders.clear()
        if self.memory.shared:
            self._news.set()
        self.memory.bodies = {
            RiderKey(row.tenant_id, row.rider_id): row.body for row in riders if row.body is not None
        }
        for offer in taken:
            # Of tasks that are over too: what they took is still missing from the riders' hour.
            key, at_s = RiderKey(offer.tenant_id, offer.rider_id), offer.body.get("accepted_s")
            extra_s = offer.body["terms"]["extra_s"]
            city.board.book(key, offer.offer_id, extra_s, at_s or offer.made_s, now_s)
        city.restore(states, (), now_s)
        laying.lay_riders(self.memory, city, self._rider_of, now_s)
        self.city, self._laid_on, self._stale = city, network, False


def _fail(works: Iterable[_Waiting], error: Exception) -> None:
    for one in works:
        if not one.future.done():
            one.future.set_exception(error)
