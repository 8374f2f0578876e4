"""The live fleet with its open offers: who may be asked, on which terms, and whether a yes still holds.

Plans in the fleet hold what has been accepted, nothing else. An open offer is a tentative insertion that
another task sees both ways: a rider with open offers is proposed only where all of them and the new one can
be accepted, in every order, each put in at its best place. So no two acceptances can break each other, and a
rider who ignores an offer is not blocked by it.
"""

import bisect
import collections
import dataclasses
import itertools
import math
from collections.abc import Callable, Iterable, Sequence

from geo.arrays import FloatArray
from geo.errors import InputError
from geo.localtime import HOUR_S
from geo.streets import StreetNetwork
from routing.assign import LISTED, assign_lists
from routing.best_riders import candidates_for
from routing.dispatch.commands import Proposal
from routing.dispatch.events import RiderKey, Terms
from routing.dispatch.taken import Taken, beginning_at, rejoined, terms_of
from routing.dispatch.untold import Untold
from routing.fleet.fleet import Candidate, Fleet
from routing.fleet.relaid import lay_on
from routing.fleet.trial import Trial
from routing.match import put_in_plan, put_priced
from routing.model import PlannedRiders, Policy, Refused, Rider, Task
from routing.refusal.explain import refusal, why_not
from routing.several_people import meet

__all__ = ["Board"]

JUDGED = 64
"""Riders of a mode who are looked at to say why nobody can do a task: those whose way passes nearest."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Judged:
    """The place in a plan that was found for a task, good as long as that plan stands."""

    rider: Rider
    task: Task
    now_s: float
    found: Candidate
    terms: Terms


class Board:
    """Plans, open offers and accepted tasks of one city. Not thread-safe; no clock, no I/O.

    Parameters
    ----------
    network : StreetNetwork
    policy : Policy
    most_open : int
        Open offers that one rider may have at a time; each doubles the plans looked at.
    """

    def __init__(self, network: StreetNetwork, policy: Policy, most_open: int = 2) -> None:
        if not 1 <= most_open <= 4:
            raise InputError(f"most_open is {most_open}; allowed is 1 to 4.")
        self.fleet = Fleet(network, policy)
        self.most_open = most_open
        self.untold = Untold()
        self._trial = Trial(self.fleet)
        self._held: dict[str, dict[str, Task]] = {}
        self._full: set[str] = set()
        """Who holds as many open offers as a rider may: every task asks, and most riders hold none."""
        self._taken: dict[str, dict[str, Taken]] = {}
        self._spent: dict[str, dict[str, float]] = {}
        """Of each rider: the extra seconds of what was accepted within the hour, by offer."""
        self._spent_at: collections.deque[tuple[float, str, str]] = collections.deque()
        self._judged: _Judged | None = None
        self._called: dict[str, frozenset[RiderKey]] = {}

    # -- riders
    # ---------------------------------------------------------------------------------------------
    def put(
        self, riders: Sequence[tuple[RiderKey, Rider]], now_s: float
    ) -> tuple[tuple[RiderKey, float], ...]:
        """Set riders with the plans that their platforms send; accepted tasks are put in again.

        An accepted task that the platform has put into its plan itself (a stop named as the task's stop)
        stays where it is. Any other comes after the stop that it followed when it was accepted, or first
        where that stop is done.

        Returns
        -------
        tuple of (RiderKey, metres)
            Riders left out, as `Fleet.put`; who was known before is taken out too.
        """
        self.pass_time(now_s)
        whole = []
        for key, rider in riders:
            extra_s = max(rider.extra_last_hour_s, self._extra_last_hour_s(key.fleet_id))
            stops = rider.stops
            for taken in self._taken.get(key.fleet_id, {}).values():
                stops = rejoined(stops, taken)
            whole.append(
                dataclasses.replace(
                    rider,
                    rider_id=key.fleet_id,
                    platform=key.platform,
                    stops=stops,
                    extra_last_hour_s=extra_s,
                )
            )
        off = self.fleet.put(whole, now_s)
        return tuple((RiderKey.of(fleet_id), metres) for fleet_id, metres in off)

    def lay(self, table: PlannedRiders, now_s: float) -> None:
        """Set many riders of whom nothing is known here (see `knows`), as `put` does, but from columns.

        Parameters
        ----------
        table : PlannedRiders
            Under their fleet ids.
        now_s : float
            Epoch seconds.
        """
        self.pass_time(now_s)
        self.fleet.put(table, now_s)

    def knows(self, key: RiderKey) -> bool:
        """Say whether tasks were accepted that belong into a rider's plan, or into the rider's hour."""
        return key.fleet_id in self._taken or key.fleet_id in self._spent

    def lay_on(self, network: StreetNetwork, now_s: float) -> None:
        """Go on where streets are shut, open again or slower; plans that this concerns are judged anew."""
        lay_on(self.fleet, network, now_s)
        self.untold.forget_ways()
        self._trial, self._judged = Trial(self.fleet), None

    def move(self, keys: Sequence[RiderKey], lonlat: FloatArray, at_s: float) -> tuple[RiderKey, ...]:
        """Set positions, as `Fleet.move`; return those whose position is off the network or leads nowhere."""
        fine = self.fleet.move([key.fleet_id for key in keys], lonlat, at_s)
        return tuple(key for key, one in zip(keys, fine.tolist(), strict=True) if not one)

    def remove(self, keys: Iterable[RiderKey]) -> None:
        """Take riders out; accepted tasks and open offers stay theirs until the life cycle ends them."""
        gone = self.untold.forget(key.fleet_id for key in keys)
        self.fleet.remove(fleet_id for fleet_id in gone if fleet_id in self.fleet)

    def call_away(self, call: str, keys: frozenset[RiderKey]) -> None:
        """Note who answers a call, such as an emergency; they are asked for no task until nobody does."""
        if keys:
            self._called[call] = keys
        else:
            self._called.pop(call, None)

    def is_called(self, key: RiderKey) -> bool:
        """Say whether a rider answers a call."""
        return any(key in keys for keys in self._called.values())

    def __contains__(self, key: RiderKey) -> bool:
        """Say whether a rider is on the board."""
        return key.fleet_id in self.fleet

    def rider(self, key: RiderKey) -> Rider | None:
        """Return a rider with all accepted tasks in the plan; None where the rider is not on the board."""
        return self.fleet.rider(key.fleet_id) if key.fleet_id in self.fleet else None

    def hold(self, key: RiderKey, offer_id: str, task: Task) -> None:
        """Note that an offer is open from now on."""
        held = self._held.setdefault(key.fleet_id, {})
        held[offer_id] = task
        if len(held) >= self.most_open:
            self._full.add(key.fleet_id)

    def release(self, key: RiderKey, offer_id: str) -> None:
        """Forget an open offer, or take what was accepted out of the plan: it is done, or given back."""
        self._let_go(key.fleet_id, offer_id)
        taken = self._taken.get(key.fleet_id, {}).pop(offer_id, None)
        if taken is not None:
            self._take_out(key.fleet_id, {stop.stop_id for stop in taken.stops})
            if not self._taken[key.fleet_id]:
                del self._taken[key.fleet_id]

    def refund(self, key: RiderKey, offer_id: str) -> None:
        """Give the extra time of an offer back to the rider's hour: it was not done."""
        self._give_back(key.fleet_id, offer_id)

    def picked_up(self, key: RiderKey, offer_id: str) -> None:
        """Note that the pick-up of a pair is behind the rider."""
        mine = self._taken.get(key.fleet_id, {})
        taken = mine.get(offer_id)
        if taken is None or taken.picked_up or taken.task.dropoff is None:
            return
        gone = {stop.stop_id for stop in taken.stops}
        mine[offer_id] = dataclasses.replace(taken, picked_up=True)
        self._take_out(key.fleet_id, gone - {stop.stop_id for stop in mine[offer_id].stops})

    def adopt(self, key: RiderKey, taken: Taken) -> None:
        """Note a task that the rider had accepted before; its stops come in with the next `put`."""
        self._taken.setdefault(key.fleet_id, {})[taken.offer_id] = taken
        self._spend(key.fleet_id, taken.offer_id, taken.terms.extra_s, taken.accepted_s)

    def book(self, key: RiderKey, offer_id: str, extra_s: float, at_s: float, now_s: float) -> None:
        """Note the extra time of what was accepted elsewhere, or before a restart; known or old: nothing."""
        if at_s <= now_s - HOUR_S or offer_id in self._spent.get(key.fleet_id, {}):
            return
        self._spend(key.fleet_id, offer_id, extra_s, at_s)
        if key.fleet_id in self.fleet:
            self.fleet.spend(key.fleet_id, extra_s)

    def judge(
        self, key: RiderKey, task: Task, now_s: float, begins_s: float | None = None
    ) -> Terms | Refused:
        """Say on which terms a rider can do a task, as their plan is now, or why not.

        Parameters
        ----------
        key : RiderKey
            A rider on the board.
        task : Task
        now_s : float
            Epoch seconds.
        begins_s : float, optional
            Of a task for several people: when all of them begin.
        """
        timed = beginning_at(task, begins_s)
        if key.fleet_id in self.untold:
            return self.untold.judge(self.fleet, key.fleet_id, timed, now_s)
        with self.fleet.at_hand([timed]), self._trial.of(key.fleet_id) as trial:
            found = candidates_for(trial, timed, 1, now_s)
            if found:
                terms = terms_of(put_priced(trial, timed, found[0], now_s), task)
                self._judged = _Judged(self.fleet.rider(key.fleet_id), timed, now_s, found[0], terms)
                return terms
            one = dataclasses.replace(timed, people=1)
            why = why_not(trial, one, key.fleet_id, now_s)
            return why if why is not None else refusal(trial, one, now_s)

    def accept(self, key: RiderKey, offer_id: str, task: Task, terms: Terms, now_s: float) -> Terms:
        """Put a task into the rider's plan for good; return the terms that came true.

        The caller has judged it at the same instant; `terms` is that verdict.

        Raises
        ------
        InputError
            When the plan does not allow it: the caller has not judged it, or has waited.
        """
        timed = beginning_at(task, terms.begins_s)
        fleet_id = key.fleet_id
        if fleet_id in self.untold:
            self._let_go(fleet_id, offer_id)
            self.adopt(key, Taken(offer_id, task, terms, now_s))
            self.put([(key, self.fleet.rider(fleet_id))], now_s)
            return terms
        with self.fleet.at_hand([timed]):
            judged = self._verdict(fleet_id, timed, now_s)
            if judged is not None:
                # It is the same plan: what was told then comes true.
                put_in_plan(self.fleet, timed, judged.found, now_s, judged.terms.points)
                true = judged.terms
            else:
                match = put_priced(self.fleet, timed, self._place(fleet_id, timed, now_s), now_s)
                true = terms_of(match, task)
        self._let_go(fleet_id, offer_id)
        self._taken.setdefault(fleet_id, {})[offer_id] = Taken(offer_id, task, true, now_s)
        self._spend(fleet_id, offer_id, true.extra_s, now_s)
        return true

    def _verdict(self, fleet_id: str, timed: Task, now_s: float) -> _Judged | None:
        """Return what was found when the plan was judged, if nothing has changed since."""
        judged, self._judged = self._judged, None
        # A rider is a new object after whatever changes the plan.
        if (
            judged is not None
            and judged.rider is self.fleet.rider(fleet_id)
            and (judged.task, judged.now_s) == (timed, now_s)
        ):
            return judged
        return None

    def _place(self, fleet_id: str, timed: Task, now_s: float) -> Candidate:
        """Return where a task goes in a plan."""
        with self._trial.of(fleet_id) as trial:
            found = candidates_for(trial, timed, 1, now_s)
        if not found:
            raise InputError(f"Task {timed.task_id} no longer fits the plan of the rider.")
        return found[0]

    def broken(self, key: RiderKey, now_s: float) -> tuple[tuple[str, Refused], ...]:
        """Return the rider's open offers that their plan no longer allows: (offer id, why)."""
        out = []
        for offer_id, task in self._held.get(key.fleet_id, {}).items():
            if key.fleet_id not in self.fleet:
                continue
            verdict = self.judge(key, task, now_s)
            if isinstance(verdict, Refused):
                out.append((offer_id, verdict))
        return tuple(out)

    def pass_time(self, now_s: float) -> None:
        """Let the extra time of what was accepted more than an hour ago leave the riders' budgets."""
        while self._spent_at and self._spent_at[0][0] <= now_s - HOUR_S:
            _, fleet_id, offer_id = self._spent_at.popleft()
            self._give_back(fleet_id, offer_id)

    def propose(
        self,
        task: Task,
        count: int,
        barred: Iterable[RiderKey],
        now_s: float,
        begins_s: float | None = None,
    ) -> tuple[Proposal, ...] | Refused:
        """Return the best riders to ask, best first.

        Parameters
        ----------
        task : Task
        count : int
            How many at most, from 1 on. Of a task for several people of whom nobody has accepted: all of
            them, or nobody.
        barred : iterable of RiderKey
            Riders who are not asked: they have been.
        now_s : float
            Epoch seconds.
        begins_s : float, optional
            When those who have accepted begin: others must begin then too.

        Returns
        -------
        tuple of Proposal
            By rank, then rider; empty where everybody who could do it has been asked or waits with offers.
        Refused
            Where nobody could do it, and why.
        """
        with self.fleet.at_hand([task]):
            return self._propose(task, count, {key.fleet_id for key in barred}, now_s, begins_s)

    def _propose(
        self, task: Task, count: int, left_out: set[str], now_s: float, begins_s: float | None
    ) -> tuple[Proposal, ...] | Refused:
        left_out |= self._occupied()
        if task.people > 1 and begins_s is None:
            return self._together(task, left_out, now_s)
        timed = beginning_at(task, begins_s)
        found = self._fitting(timed, count, left_out, now_s)
        if not found:
            likely = self.untold.proposal(self.fleet, timed, left_out | self._held.keys(), now_s)
            if likely is not None:
                return (likely,)
            if not candidates_for(self.fleet, timed, 1, now_s):
                return refusal(self.fleet, dataclasses.replace(timed, people=1), now_s, JUDGED)
            return self._all_asked(timed, now_s)
        return tuple(self._proposal(one, timed, task, now_s) for one in found)

    def _all_asked(self, timed: Task, now_s: float) -> tuple[Proposal, ...] | Refused:
        """Say that all who could have been asked, or that they told no plan."""
        with self.fleet.without(self.untold.ids):
            told = not len(self.untold) or candidates_for(self.fleet, timed, 1, now_s)
        return () if told else self.untold.refused(timed)

    def propose_each(
        self, asked: Sequence[tuple[Task, frozenset[RiderKey]]], now_s: float
    ) -> tuple[Proposal | None, ...]:
        """Return for each of many tasks one rider to ask, at the least total rank, at most one task a rider.

        Parameters
        ----------
        asked : sequence of (Task, riders who are not asked)
            Tasks for one person.
        now_s : float
            Epoch seconds.

        Returns
        -------
        tuple of Proposal, optional
            None for tasks that are left over: as few as possible, those of lower priority first.
        """
        full = self._occupied()
        tasks = [task for task, _ in asked]

        def best(at: int, size: int) -> tuple[Candidate, ...]:
            task, barred = asked[at]
            left_out = full | {key.fleet_id for key in barred}
            return tuple(self._fitting(task, size, left_out, now_s))

        lists = [best(at, LISTED) for at in range(len(tasks))]
        chosen = assign_lists(tasks, lists, best, LISTED)
        return tuple(
            None if found is None else self._proposal(found, task, task, now_s)
            for found, task in zip(chosen, tasks, strict=True)
        )

    def _occupied(self) -> set[str]:
        """Riders who have as many open offers as they may have, or answer a call."""
        return self._full.union(*({key.fleet_id for key in keys} for keys in self._called.values()))

    def _fitting(self, timed: Task, count: int, left_out: set[str], now_s: float) -> list[Candidate]:
        """Return the best riders whose open offers the task does not break, whatever becomes of them."""
        asked = count + 3
        with self.fleet.without(itertools.chain(left_out, self.untold.ids)):
            while True:
                listed = candidates_for(self.fleet, timed, asked, now_s)
                fits = self._fits(timed, now_s)
                found = list(itertools.islice(filter(fits, listed), count))
                if len(found) == count or len(listed) < asked:
                    return found
                asked *= 4

    def _fits(self, timed: Task, now_s: float) -> Callable[[Candidate], bool]:
        def fits(found: Candidate) -> bool:
            held = tuple(self._held.get(found.rider_id, {}).values())
            if not held:
                return True
            for order in itertools.permutations((*held, timed)):
                failing = self._failing(found.rider_id, order, now_s)
                # An offer that would fail without the new one too (the plan has changed under it) is passed
                # over; mostly none fails, and nothing more is to be asked.
                if failing and not failing <= self._failing(
                    found.rider_id, [one for one in order if one is not timed], now_s
                ):
                    return False
            return True

        return fits

    def _failing(self, fleet_id: str, order: Sequence[Task], now_s: float) -> frozenset[str]:
        failing = set()
        with self._trial.of(fleet_id) as trial:
            for number, one in enumerate(order, 1):
                found = candidates_for(trial, one, 1, now_s)
                if not found:
                    failing.add(one.task_id)
                elif number < len(order):
                    put_in_plan(trial, one, found[0], now_s)
        return frozenset(failing)

    def _together(self, task: Task, left_out: set[str], now_s: float) -> tuple[Proposal, ...] | Refused:
        """Return riders who begin together and whose open offers that does not break."""
        left_out = left_out.union(self.untold.ids)
        while True:
            with self.fleet.without(left_out):
                # Where nobody is left, why somebody who is left out may not do it cannot be told.
                left = candidates_for(self.fleet, task, 1, now_s)
                met = meet(self.fleet, task, now_s, JUDGED) if left else None
            if met is None or isinstance(met, Refused):
                whole = meet(self.fleet, task, now_s, JUDGED)
                return whole if isinstance(whole, Refused) else self._all_asked(task, now_s)
            timed, candidates = met
            fits = self._fits(timed, now_s)
            misfits = {one.rider_id for one in candidates if not fits(one)}
            chosen = [one for one in candidates if one.rider_id not in misfits][: task.people]
            if len(chosen) == task.people:
                return tuple(self._proposal(one, timed, task, now_s) for one in chosen)
            left_out = left_out | misfits

    def _proposal(self, found: Candidate, timed: Task, task: Task, now_s: float) -> Proposal:
        with self._trial.of(found.rider_id) as trial:
            match = put_priced(trial, timed, found, now_s)
        return Proposal(RiderKey.of(found.rider_id), terms_of(match, task))

    def _let_go(self, fleet_id: str, offer_id: str) -> None:
        held = self._held.get(fleet_id, {})
        held.pop(offer_id, None)
        if len(held) < self.most_open:
            self._full.discard(fleet_id)
        if not held:
            self._held.pop(fleet_id, None)

    def _take_out(self, fleet_id: str, stop_ids: set[str]) -> None:
        if fleet_id not in self.fleet:
            return
        for place in reversed(range(len(self.fleet.rider(fleet_id).stops))):
            if self.fleet.rider(fleet_id).stops[place].stop_id in stop_ids:
                self.fleet.take_out(fleet_id, place)

    def _spend(self, fleet_id: str, offer_id: str, extra_s: float, at_s: float) -> None:
        spent = self._spent.setdefault(fleet_id, {})
        if offer_id in spent:
            return
        spent[offer_id] = extra_s
        # Clocks go back, and what others have accepted is heard of late.
        bisect.insort(self._spent_at, (at_s, fleet_id, offer_id))

    def _give_back(self, fleet_id: str, offer_id: str) -> None:
        spent = self._spent.get(fleet_id, {})
        extra_s = spent.pop(offer_id, None)
        if extra_s is None:
            return
        if not spent:
            del self._spent[fleet_id]
        if fleet_id in self.fleet:
            self.fleet.spend(fleet_id, -extra_s)

    def _extra_last_hour_s(self, fleet_id: str) -> float:
        return math.fsum(self._spent.get(fleet_id, {}).values())
