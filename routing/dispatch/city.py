"""All open tasks of a city on one board: commands go in, events come out, what is due is found.

The states are folds of the events that come out, the board follows them; whoever keeps the events can make
the same city again with `City.restore`. Not thread-safe; no clock, no I/O.
"""

import dataclasses
import heapq
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from geo.streets import StreetNetwork
from routing.dispatch import commands as co
from routing.dispatch import events as ev
from routing.dispatch.board import Board
from routing.dispatch.decide import ConflictError, decide
from routing.dispatch.rules import DispatchRules
from routing.dispatch.state import TAKEN, Offer, TaskState, evolve
from routing.dispatch.taken import Taken, beginning_at
from routing.match import task_order
from routing.model import Policy, Refused, Rider, Task

__all__ = ["City", "Happened"]

LEAST_KEPT = 1_000
"""So many dues may belong to tasks that are over before they are looked through."""


@dataclasses.dataclass(frozen=True, slots=True)
class Happened:
    """Events of one task, in order."""

    task_id: str
    events: tuple[ev.Event, ...]


class City:
    """The life of all tasks that are not over, and the fleet that they are offered to.

    Parameters
    ----------
    network : StreetNetwork
    policy : Policy
    rules : DispatchRules
    word : callable, optional
        Returns a word that nobody can guess, for the ids of offers; None: their numbers.
    """

    def __init__(
        self,
        network: StreetNetwork,
        policy: Policy,
        rules: DispatchRules,
        word: Callable[[], str] | None = None,
    ) -> None:
        self.board = Board(network, policy, rules.most_open)
        self.rules, self._word = rules, word
        self.tasks: dict[str, TaskState] = {}
        self._published_s: dict[str, float] = {}
        self._waiting: dict[str, float] = {}
        """When a task that wants riders is tried next."""
        self._tries: list[tuple[float, str]] = []
        """The same as a heap, with entries that no longer hold among them."""
        self._due: list[tuple[float, str]] = []
        """When something of a task runs out, as a heap; of tasks that are over too, for a while."""
        self._due_kept = LEAST_KEPT

    def restore(
        self,
        states: Mapping[str, TaskState],
        riders: Sequence[tuple[ev.RiderKey, Rider]],
        now_s: float,
    ) -> tuple[tuple[ev.RiderKey, float], ...]:
        """Take up tasks and riders as they were kept.

        Parameters
        ----------
        states : mapping of task id to TaskState
            Folds of the events of each task.
        riders : sequence of (RiderKey, Rider)
            As their platforms sent them last.
        now_s : float
            Epoch seconds.

        Returns
        -------
        tuple of (RiderKey, metres)
            Riders off the network.
        """
        for task_id, state in states.items():
            self.take_up(task_id, state, now_s)
        return self.board.put(riders, now_s)

    def take_up(self, task_id: str, state: TaskState, now_s: float) -> None:
        """Take up one task as it was kept; the plans of its riders follow when they are put."""
        self.tasks[task_id] = state
        self._published_s[task_id] = now_s
        self._watch(task_id, now_s)
        for offer in state.current:
            if offer.status == "open":
                timed = beginning_at(state.task, offer.terms.begins_s)
                self.board.hold(offer.rider, offer.offer_id, timed)
            elif offer.status in ("accepted", "started"):
                self.board.adopt(offer.rider, _taken(state.task, offer))
            elif offer.status == "done" and offer.accepted_s is not None:
                # It stays in the rider's hour.
                self.board.book(offer.rider, offer.offer_id, offer.terms.extra_s, offer.accepted_s, now_s)

    def replace(self, task_id: str, state: TaskState, now_s: float) -> None:
        """Bring a task to a state that was reached elsewhere; plans of the riders concerned follow.

        A task that wants riders is tried at the next `tick`.
        """
        before = self.tasks.pop(task_id, None)
        accepted = set()
        for offer in before.current if before is not None else ():
            if offer.status in ("open", "accepted", "started"):
                self.board.release(offer.rider, offer.offer_id)
            if offer.status in ("accepted", "started"):
                accepted.add(offer.rider)
                now = state.offer(offer.offer_id)
                if now is None or now.status not in TAKEN:
                    self.board.refund(offer.rider, offer.offer_id)
        self.take_up(task_id, state, now_s)
        if state.wanted:
            self._try_at(task_id, now_s)
        accepted |= {offer.rider for offer in state.current if offer.status in ("accepted", "started")}
        for key in sorted(accepted):
            rider = self.board.rider(key)
            if rider is not None:
                self.board.put([(key, rider)], now_s)

    def wake(self, now_s: float) -> None:
        """Try all tasks that want riders at the next `tick`."""
        for task_id in self._waiting:
            self._try_at(task_id, now_s)

    # -- commands
    # ---------------------------------------------------------------------------------------------

    def handle(self, task_id: str, command: co.Command, now_s: float) -> Happened:
        """Carry out a command; see `decide` for what it raises. `Accept` goes by `accept`."""
        events = decide(self.tasks.get(task_id), command, now_s)
        for event in events:
            self._apply(task_id, event, now_s)
        if events:
            self._watch(task_id, now_s)
        return Happened(task_id, events)

    def publish(
        self,
        task: Task,
        publisher: str,
        now_s: float,
        *,
        ask: bool = True,
        never: tuple[ev.RiderKey, ...] = (),
    ) -> Happened:
        """Put a task up and, where tasks are not collected, ask the best riders at once if so wanted.

        Riders in `never` are not asked.
        """
        put_up = self.handle(task.task_id, co.Publish(task, publisher, never), now_s)
        if not put_up.events:
            return put_up
        self._published_s[task.task_id] = now_s
        if self.rules.every_s or not ask:
            return put_up
        return Happened(task.task_id, (*put_up.events, *self.ask(task.task_id, now_s).events))

    def then_ask(self, task_id: str, command: co.Command, now_s: float) -> Happened:
        """Carry out a command after which others may have to be asked: a no, a change, a reopening."""
        done = self.handle(task_id, command, now_s)
        if not done.events or self.rules.every_s:
            return done
        return Happened(task_id, (*done.events, *self.ask(task_id, now_s).events))

    def accept(self, task_id: str, offer_id: str, now_s: float) -> Happened:
        """Accept an offer on the terms of the rider's plan as it is now.

        Raises
        ------
        ConflictError
            ``late`` where the plan no longer allows it: the offer stays open until it is told to lapse.
        """
        state = self.tasks.get(task_id)
        offer = None if state is None else state.offer(offer_id)
        verdict: ev.Terms | Refused
        if state is None or offer is None or offer.status != "open" or now_s > offer.expires_s:
            # Whatever is said here is not looked at.
            verdict = offer.terms if offer is not None else _NO_TERMS
        elif self.board.rider(offer.rider) is None:
            raise ConflictError("no_plan")
        else:
            verdict = self.board.judge(offer.rider, state.task, now_s, offer.terms.begins_s)
        return self.handle(task_id, co.Accept(offer_id, verdict), now_s)

    def ask(self, task_id: str, now_s: float) -> Happened:
        """Ask the best riders for what a task still needs."""
        state = self.tasks.get(task_id)
        if state is None or not state.wanted:
            self._waiting.pop(task_id, None)
            return Happened(task_id, ())
        agreed = {offer.terms.begins_s for offer in (*state.taken, *state.open)} - {None}
        found = self.board.propose(
            state.task,
            state.wanted,
            state.asked,
            now_s,
            min(agreed, default=None),  # type: ignore[type-var]
        )
        self._try_at(task_id, now_s + self.rules.retry_s)
        if isinstance(found, Refused):
            return self.handle(task_id, co.Unmatched(found.binding.rule), now_s)
        if not found:
            return self.handle(task_id, co.Unmatched("asked"), now_s)
        found = tuple(one for one in found if not self._too_dear(task_id, one, now_s))
        if state.task.people > 1 and len(found) < state.wanted:
            found = ()
        return self._offer(task_id, found, now_s)

    def _offer(self, task_id: str, proposals: tuple[co.Proposal, ...], now_s: float) -> Happened:
        words = () if self._word is None else tuple(self._word() for _ in proposals)
        return self.handle(task_id, co.MakeOffers(proposals, self.rules.offer_for_s, words), now_s)

    # -- time
    # ---------------------------------------------------------------------------------------------

    def tick(self, now_s: float) -> tuple[Happened, ...]:
        """Close what has run out and ask again for what waits; tasks in the order of `task_order`."""
        self.board.pass_time(now_s)
        happened: dict[str, list[ev.Event]] = {}
        while self._due and self._due[0][0] < now_s:
            _, task_id = heapq.heappop(self._due)
            if task_id in self.tasks:
                happened.setdefault(task_id, []).extend(self.handle(task_id, co.Elapse(), now_s).events)
        waiting = self._to_try(now_s, set(happened))
        for one in self._ask_together(waiting, now_s) if self.rules.every_s else ():
            happened.setdefault(one.task_id, []).extend(one.events)
        for task_id in waiting:
            happened.setdefault(task_id, []).extend(self.ask(task_id, now_s).events)
        return tuple(Happened(task_id, tuple(events)) for task_id, events in happened.items() if events)

    def due(self, now_s: float) -> tuple[str, ...]:
        """Return the tasks that the next `tick` may change."""
        over = set(_before(self._due, now_s))
        if self._next_try_s() <= now_s:
            over |= {task_id for task_id, at in self._waiting.items() if at <= now_s}
        return tuple(sorted(over & self.tasks.keys()))

    @property
    def next_due_s(self) -> float:
        """When `tick` has something to do next, in epoch seconds; inf: never."""
        return min(self._due[0][0] if self._due else math.inf, self._next_try_s())

    def _next_try_s(self) -> float:
        """When a task that wants riders is tried next; asked before every command, so it is looked up."""
        while self._tries and self._waiting.get(self._tries[0][1]) != self._tries[0][0]:
            heapq.heappop(self._tries)
        return self._tries[0][0] if self._tries else math.inf

    def _try_at(self, task_id: str, at_s: float) -> None:
        """Note when a task that wants riders is tried next."""
        self._waiting[task_id] = at_s
        heapq.heappush(self._tries, (at_s, task_id))

    def _ask_together(self, task_ids: Sequence[str], now_s: float) -> tuple[Happened, ...]:
        """Ask one rider for each task that wants one, so that all together cost least."""
        alone = [one for one in task_ids if self.tasks[one].wanted and self.tasks[one].task.people == 1]
        asked = [(self.tasks[one].task, self.tasks[one].asked) for one in alone]
        done = []
        for task_id, proposal in zip(alone, self.board.propose_each(asked, now_s), strict=True):
            if proposal is None or self._too_dear(task_id, proposal, now_s):
                continue
            done.append(self._offer(task_id, (proposal,), now_s))
        return tuple(done)

    def _too_dear(self, task_id: str, proposal: co.Proposal, now_s: float) -> bool:
        """Whether a task rather waits for a rider whom it costs less."""
        until_s = self._published_s.get(task_id, now_s) + self.rules.patient_for_s
        return now_s < until_s and proposal.terms.extra_s > self.rules.patient_extra_s

    def forget(self, task_id: str) -> None:
        """Drop a task that is over; it can still be read where events are kept."""
        if self.tasks[task_id].ended:
            del self.tasks[task_id]
            self._published_s.pop(task_id, None)
            self._waiting.pop(task_id, None)

    def _to_try(self, now_s: float, changed: set[str]) -> list[str]:
        if not changed and self._next_try_s() > now_s:
            return []
        due = [
            task_id
            for task_id, at in self._waiting.items()
            if (at <= now_s or task_id in changed) and task_id in self.tasks
        ]
        return sorted(due, key=lambda task_id: task_order(self.tasks[task_id].task))

    def _watch(self, task_id: str, now_s: float) -> None:
        """Remember when something of a task runs out, and whether it wants riders."""
        state = self.tasks[task_id]
        if state.ended:
            self._waiting.pop(task_id, None)
            return
        for due in {*(offer.expires_s for offer in state.open), state.task.place.latest_s}:
            if due < math.inf:
                heapq.heappush(self._due, (due, task_id))
        if len(self._due) > self._due_kept:
            # Most tasks are over long before they would have run out.
            self._due = sorted({one for one in self._due if one[1] in self.tasks})
            self._due_kept = max(2 * len(self._due), LEAST_KEPT)
        if state.wanted and task_id not in self._waiting:
            every = self.rules.every_s
            self._try_at(task_id, now_s - now_s % every + every if every else now_s + self.rules.retry_s)
        elif not state.wanted:
            self._waiting.pop(task_id, None)

    def _apply(self, task_id: str, event: ev.Event, now_s: float) -> None:
        before = self.tasks.get(task_id)
        state = self.tasks[task_id] = evolve(before, event)
        board = self.board
        match event:
            case ev.OfferMade():
                offer = state.offer(event.offer_id)
                if offer is not None:
                    board.hold(event.rider, event.offer_id, beginning_at(state.task, offer.terms.begins_s))
            case ev.OfferAccepted():
                board.accept(event.rider, event.offer_id, state.task, event.terms, now_s)
            case ev.OfferStarted():
                board.picked_up(event.rider, event.offer_id)
            case ev.OfferDone():
                board.release(event.rider, event.offer_id)
            case ev.OfferClosed():
                was = before.offer(event.offer_id) if before is not None else None
                board.release(event.rider, event.offer_id)
                if was is not None and was.status != "open":
                    board.refund(event.rider, event.offer_id)
            case _:
                pass


def _before(heap: Sequence[tuple[float, str]], now_s: float) -> Iterator[str]:
    """Yield what of a heap comes before an instant, without looking at the rest."""
    rows = [0]
    while rows:
        row = rows.pop()
        if row < len(heap) and heap[row][0] < now_s:
            yield heap[row][1]
            rows += (2 * row + 1, 2 * row + 2)


_NO_TERMS = ev.Terms(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def _taken(task: Task, offer: Offer) -> Taken:
    at_s = offer.made_s if offer.accepted_s is None else offer.accepted_s
    picked_up = offer.status == "started" and task.dropoff is not None
    return Taken(offer.offer_id, task, offer.terms, at_s, picked_up)
