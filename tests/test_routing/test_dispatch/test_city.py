"""The life cycle on a real fleet: random days on a small town, held against rules that need no board."""

import contextlib
import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from lattice import lattice
from towns import NOW, place_in, some_riders

from routing.best_riders import candidates_for
from routing.dispatch import City, ConflictError, DispatchRules, Happened, RiderKey, TaskState, fold
from routing.dispatch import commands as co
from routing.dispatch import events as ev
from routing.dispatch.board import Board
from routing.dispatch.taken import Taken, rejoined
from routing.fleet.fleet import Fleet
from routing.foretelling import SeenRider
from routing.match import late_stops
from routing.model import Policy, Rider, Stop, Task, Visit

TOWN = lattice(10)
POLICY = Policy(max_extra_s=900.0, max_extra_per_hour_s=1800.0)
RULES = DispatchRules(offer_for_s=60.0, most_open=2, retry_s=10.0)


def riders_of(seed: int, count: int, *, everything: bool = False) -> list[tuple[RiderKey, Rider]]:
    rng = np.random.default_rng(seed)
    made = some_riders(TOWN, rng, count, everything=everything)
    return [(RiderKey(rider.platform or "red", rider.rider_id), rider) for rider in made]


def a_task(rng: np.random.Generator, number: int, people: int = 1, *, pair: bool = False) -> Task:
    latest_s = NOW + float(rng.choice([900.0, 3_600.0]))
    place = Visit(place_in(TOWN, rng), 30.0, NOW, latest_s)
    dropoff = Visit(place_in(TOWN, rng), 30.0, NOW, latest_s) if pair and people == 1 else None
    return Task(f"T{number}", place, dropoff, people=people)


def late_of(board: Board) -> dict[tuple[str, str], float]:
    """Stops that the platforms promised and that are late, by how much."""
    return {(one.rider_id, one.stop_id): one.late_s for one in late_stops(board.fleet)}


class CityLife(RuleBasedStateMachine):
    """Publishing, answers, plans and time in any order."""

    @initialize(seed=st.integers(0, 10**6), everything=st.booleans(), every=st.sampled_from([0.0, 30.0]))
    def begin(self, seed: int, everything: bool, every: float) -> None:
        self.rng = np.random.default_rng(seed)
        self.now_s = NOW
        # A narrow hour: what one acceptance takes from it is missing for the next.
        policy = dataclasses.replace(POLICY, max_extra_s=500.0, max_extra_per_hour_s=600.0)
        self.city = City(TOWN, policy, dataclasses.replace(RULES, every_s=every))
        self.sent = dict(riders_of(seed, 3, everything=everything))
        off = self.city.board.put(list(self.sent.items()), NOW)
        for key, _ in off:
            del self.sent[key]
        self.log: dict[str, list[ev.Event]] = {}
        self.number = 0
        self.disturbed: set[RiderKey] = set()

    def keep(self, *happened: Happened) -> None:
        for one in happened:
            self.log.setdefault(one.task_id, []).extend(one.events)

    def disturb(self) -> None:
        """Note the riders whose open offers were made for other plans, or another time, than those now."""
        self.disturbed |= {offer.rider for state in self.city.tasks.values() for offer in state.open}

    def open_offers(self) -> list[tuple[str, str]]:
        return [
            (task_id, offer.offer_id)
            for task_id, state in sorted(self.city.tasks.items())
            for offer in state.open
        ]

    @rule(people=st.sampled_from([1, 1, 1, 2]), pair=st.booleans())
    def publish(self, people: int, pair: bool) -> None:
        self.number += 1
        task = a_task(self.rng, self.number, people, pair=pair)
        if task.place.latest_s >= self.now_s:
            self.keep(self.city.publish(task, "office", self.now_s))

    @rule(which=st.integers(0, 50))
    def accept(self, which: int) -> None:
        offers = self.open_offers()
        if not offers:
            return
        task_id, offer_id = offers[which % len(offers)]
        before = late_of(self.city.board)
        offer = self.city.tasks[task_id].offer(offer_id)
        assert offer is not None
        # Where the rider's plan stands as it did when it was offered, or holds more yeses, no yes may fail.
        with contextlib.suppress(*([ConflictError] if offer.rider in self.disturbed else [])):
            self.keep(self.city.accept(task_id, offer_id, self.now_s))
            self.check_promises(offer.rider, before)
            if offer.rider.fleet_id in self.city.board.untold and offer.rider not in self.disturbed:
                plan = self.city.board.rider(offer.rider)
                assert plan is not None
                assert len(plan.stops) == 1

    def check_promises(self, key: RiderKey, before: dict[tuple[str, str], float]) -> None:
        after = late_of(self.city.board)
        promised = {stop.stop_id for stop in self.sent[key].stops}
        for (rider_id, stop_id), late_s in after.items():
            if stop_id in promised:
                assert late_s <= before.get((rider_id, stop_id), 0.0) + 1e-9

    @rule(which=st.integers(0, 50), returned=st.booleans())
    def refuse(self, which: int, returned: bool) -> None:
        offers = [
            (task_id, offer.offer_id)
            for task_id, state in sorted(self.city.tasks.items())
            for offer in state.current
            if offer.status == ("accepted" if returned else "open") and not state.ended
        ]
        if offers:
            task_id, offer_id = offers[which % len(offers)]
            command = co.Return(offer_id) if returned else co.Decline(offer_id)
            # Who gives back what others waited beside may leave a wait behind that another offer counted on.
            if returned:
                self.disturb()
            self.keep(self.city.then_ask(task_id, command, self.now_s))

    @rule(which=st.integers(0, 50))
    def finish(self, which: int) -> None:
        doing = [
            (task_id, offer.offer_id)
            for task_id, state in sorted(self.city.tasks.items())
            for offer in state.taken
            if offer.status != "done" and not state.ended
        ]
        if doing:
            task_id, offer_id = doing[which % len(doing)]
            self.disturb()
            command = co.Start(offer_id) if which % 2 else co.Finish(offer_id)
            self.keep(self.city.handle(task_id, command, self.now_s))

    @rule(which=st.integers(0, 50))
    def withdraw(self, which: int) -> None:
        going = sorted(
            task_id for task_id, s in self.city.tasks.items() if not s.ended and s.status != "done"
        )
        if going:
            self.disturb()
            self.keep(self.city.handle(going[which % len(going)], co.Withdraw(), self.now_s))

    @rule(seconds=st.sampled_from([5.0, 20.0, 61.0, 900.0]))
    def pass_time(self, seconds: float) -> None:
        self.now_s += seconds
        self.disturb()
        self.keep(*self.city.tick(self.now_s))
        for state in self.city.tasks.values():
            assert all(offer.expires_s >= self.now_s for offer in state.open)

    @rule(which=st.integers(0, 50), seed=st.integers(0, 10**6))
    def plan_changes(self, which: int, seed: int) -> None:
        if not self.sent:
            return
        self.disturb()
        key = sorted(self.sent)[which % len(self.sent)]
        new = dict(riders_of(seed, 1))
        self.sent[key] = dataclasses.replace(next(iter(new.values())), rider_id=key.rider_id)
        self.city.board.untold.note(key.fleet_id, None)
        if self.city.board.put([(key, self.sent[key])], self.now_s):
            del self.sent[key]

    @rule(which=st.integers(0, 50))
    def plan_is_told_no_more(self, which: int) -> None:
        if not self.sent:
            return
        self.disturb()
        key = sorted(self.sent)[which % len(self.sent)]
        self.sent[key] = dataclasses.replace(self.sent[key], stops=())
        here = np.array([self.sent[key].lonlat])
        seen = SeenRider(np.array([self.now_s]), here, np.empty(0), np.empty((0, 2)))
        self.city.board.put([(key, self.sent[key])], self.now_s)
        self.city.board.untold.note(key.fleet_id, seen)

    @rule(which=st.integers(0, 50))
    def plan_is_sent_again(self, which: int) -> None:
        if not self.sent:
            return
        key = sorted(self.sent)[which % len(self.sent)]
        before = self.city.board.rider(key)
        self.disturb()
        self.city.board.put([(key, self.sent[key])], self.now_s)
        after = self.city.board.rider(key)
        assert before is not None
        assert after is not None
        assert [stop.stop_id for stop in before.stops] == [stop.stop_id for stop in after.stops]

    @invariant()
    def states_are_folds(self) -> None:
        if not hasattr(self, "city"):
            return
        self.disturbed &= {offer.rider for state in self.city.tasks.values() for offer in state.open}
        assert {task_id: fold(events) for task_id, events in self.log.items()} == self.city.tasks

    @invariant()
    def nobody_has_too_many_offers(self) -> None:
        if not hasattr(self, "city"):
            return
        open_of: dict[RiderKey, int] = {}
        for state in self.city.tasks.values():
            assert len(state.taken) <= state.task.people
            for offer in state.open:
                open_of[offer.rider] = open_of.get(offer.rider, 0) + 1
        assert all(count <= RULES.most_open for count in open_of.values())

    @invariant()
    def plans_hold_what_was_accepted_and_nothing_else(self) -> None:
        if not hasattr(self, "city"):
            return
        for key, rider in self.sent.items():
            plan = self.city.board.rider(key)
            assert plan is not None
            names = [stop.stop_id for stop in plan.stops]
            promised = [stop.stop_id for stop in rider.stops]
            assert [name for name in names if name in promised] == promised
            extra = {name.split(":")[0] for name in names if name not in promised}
            mine = {
                task_id
                for task_id, state in self.city.tasks.items()
                for offer in state.offers
                if offer.rider == key and offer.status in ("accepted", "started")
            }
            assert extra == mine


CityLife.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestCityLife = CityLife.TestCase


def small_city(rules: DispatchRules = RULES, seed: int = 3, count: int = 6) -> City:
    city = City(TOWN, POLICY, rules)
    city.board.put(riders_of(seed, count), NOW)
    return city


def test_a_no_goes_to_the_next_best_at_once() -> None:
    city = small_city()
    task = a_task(np.random.default_rng(1), 1)
    first = city.publish(task, "office", NOW)
    offer = city.tasks["T1"].open[0]
    asked = [offer.rider]
    while city.tasks["T1"].open:
        offer = city.tasks["T1"].open[0]
        city.then_ask("T1", co.Decline(offer.offer_id), NOW)
        asked += [one.rider for one in city.tasks["T1"].open]
    fleet = Fleet(TOWN, POLICY)
    fleet.put([dataclasses.replace(r, rider_id=k.fleet_id, platform="red") for k, r in riders_of(3, 6)], NOW)
    best = fleet.best([task], 10, NOW)[0]
    assert [key.fleet_id for key in asked] == [one.rider_id for one in best]
    assert first.events
    assert city.tasks["T1"].unmatched


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10**6), hour_s=st.sampled_from([400.0, 700.0, 1800.0]), most_open=st.integers(2, 3)
)
def test_open_offers_can_be_accepted_in_any_order(seed: int, hour_s: float, most_open: int) -> None:
    """Whoever says yes first: every other open offer still holds, and no promised stop gets late."""
    rng = np.random.default_rng(seed)
    policy = dataclasses.replace(POLICY, max_extra_s=min(hour_s, 900.0), max_extra_per_hour_s=hour_s)
    city = City(TOWN, policy, dataclasses.replace(RULES, most_open=most_open))
    city.board.put(riders_of(seed, 2, everything=bool(rng.integers(2))), NOW)
    for number in range(6):
        city.publish(a_task(rng, number, pair=rng.random() < 0.3), "office", NOW)
    offers = [(task_id, offer) for task_id, state in city.tasks.items() for offer in state.open]
    before = late_of(city.board)
    for at in rng.permutation(len(offers))[: rng.integers(len(offers) + 1)].tolist():
        task_id, offer = offers[at]
        assert city.accept(task_id, offer.offer_id, NOW).events
    own = {task_id for task_id, _ in offers}
    for (rider_id, stop_id), late_s in late_of(city.board).items():
        assert stop_id.split(":")[0] in own or late_s <= before.get((rider_id, stop_id), 0.0) + 1e-9
        assert stop_id.split(":")[0] not in own


def test_an_offer_that_waits_blocks_nobody_and_breaks_nothing() -> None:
    """Of two tasks a rider's hour allows one alone: the second is not offered beside the first."""
    rng = np.random.default_rng(5)
    here = place_in(TOWN, rng)
    rider = Rider("7", here, stops=(Stop("d", place_in(TOWN, rng), 30.0),))
    policy = dataclasses.replace(POLICY, max_extra_per_hour_s=400.0)
    tasks = [Task(f"T{n}", Visit(here, 250.0, NOW, NOW + 3_600)) for n in (1, 2)]
    city = City(TOWN, policy, RULES)
    city.board.put([(RiderKey("red", "7"), rider)], NOW)
    city.publish(tasks[0], "office", NOW)
    assert len(city.tasks["T1"].open) == 1
    city.publish(tasks[1], "office", NOW)
    assert not city.tasks["T2"].open, "both acceptances would break the hour"
    # The first is ignored: the second comes to the same rider as soon as it has run out.
    city.tick(NOW + 61.0)
    assert city.tasks["T2"].open


def test_a_plan_that_changed_under_an_offer_says_which_stop_would_be_late() -> None:
    rng = np.random.default_rng(2)
    city = City(TOWN, POLICY, RULES)
    city.board.put([(RiderKey("red", "r0"), Rider("r0", place_in(TOWN, rng)))], NOW)
    city.publish(Task("T1", Visit(place_in(TOWN, rng), 240.0, NOW, NOW + 900)), "office", NOW)
    offer = city.tasks["T1"].open[0]
    rider = city.board.rider(offer.rider)
    assert rider is not None
    far = max((place_in(TOWN, rng) for _ in range(20)), key=lambda at: math.dist(at, rider.lonlat))
    fleet = Fleet(TOWN, POLICY)
    bare = dataclasses.replace(rider, stops=(Stop("soup", far, 30.0),), rider_id="x")
    fleet.put([bare], NOW)
    mode_fleet, row = fleet.row_of("x")
    soonest_s = float(mode_fleet.c.start[row * mode_fleet.width + 1]) / 1000
    # It takes so long that the task cannot come after it.
    due = Stop("soup", far, 1_800.0, latest_s=soonest_s + 5.0)
    tight = dataclasses.replace(bare, rider_id="r0", stops=(due,))
    city.board.put([(offer.rider, tight)], NOW)
    with pytest.raises(ConflictError) as caught:
        city.accept("T1", offer.offer_id, NOW)
    assert caught.value.code == "late"
    assert caught.value.refused is not None
    rules = [caught.value.refused.binding, *caught.value.refused.others]
    assert any(one.rule == "late" and one.subject == "soup" for one in rules)
    city.then_ask("T1", co.Lapse(offer.offer_id, "late"), NOW)
    assert not city.tasks["T1"].open


def test_a_city_restored_from_its_events_has_the_same_plans() -> None:
    city = small_city()
    rng = np.random.default_rng(8)
    log: dict[str, list[ev.Event]] = {}
    for number in range(6):
        task = a_task(rng, number, pair=number % 2 == 0)
        log[task.task_id] = list(city.publish(task, "office", NOW).events)
        for offer in city.tasks[task.task_id].open[: number % 3]:
            log[task.task_id] += city.accept(task.task_id, offer.offer_id, NOW).events
    states: dict[str, TaskState] = {}
    for task_id, events in log.items():
        state = fold(events)
        assert state is not None
        states[task_id] = state
    again = City(TOWN, POLICY, RULES)
    again.restore(states, riders_of(3, 6), NOW)
    assert any(state.taken for state in states.values())
    for key, _ in riders_of(3, 6):
        mine, theirs = city.board.rider(key), again.board.rider(key)
        assert mine is not None
        assert theirs is not None
        assert [s.stop_id for s in mine.stops] == [s.stop_id for s in theirs.stops]
        assert mine.extra_last_hour_s == pytest.approx(theirs.extra_last_hour_s)


def test_a_drop_off_keeps_its_place_when_its_pick_up_is_done() -> None:
    """It stood right behind the pick-up, after the last stop: sent again, the plan has it there."""
    stops = tuple(Stop(f"s{n}", (116.3, 39.98)) for n in range(3))
    task = Task("T", Visit((116.3, 39.98)), Visit((116.3, 39.98)))
    terms = ev.Terms(NOW, NOW, NOW, 0.0, 0.0, 0.0, 0.0, after_stop_id="s2")
    names = [s.stop_id for s in rejoined(stops, Taken("T-1", task, terms, NOW, picked_up=True))]
    assert names == ["s0", "s1", "s2", "T:dropoff"]
    names = [s.stop_id for s in rejoined(stops, Taken("T-1", task, terms, NOW))]
    assert names == ["s0", "s1", "s2", "T:pickup", "T:dropoff"]
    assert rejoined((), Taken("T-1", task, terms, NOW, picked_up=True))[0].stop_id == "T:dropoff"


def test_a_patient_task_waits_for_a_rider_whom_it_costs_little() -> None:
    rules = dataclasses.replace(RULES, patient_for_s=120.0, patient_extra_s=0.0)
    city = small_city(rules)
    city.publish(Task("T1", Visit(place_in(TOWN, np.random.default_rng(2)), 60.0, NOW, NOW + 3600)), "o", NOW)
    assert not city.tasks["T1"].open
    city.tick(NOW + 60.0)
    assert not city.tasks["T1"].open
    city.tick(NOW + 121.0)
    assert city.tasks["T1"].open


def test_a_trial_leaves_the_fleet_as_it_was() -> None:
    city = small_city()
    fleet = city.board.fleet
    before = {mode: [column.copy() for column in m.c] for mode, m in fleet.mode_fleets.items()}
    rng = np.random.default_rng(4)
    for number in range(5):
        city.board.propose(a_task(rng, number, pair=number % 2 == 0), 2, (), NOW)
    fleet.order()
    for mode, mode_fleet in fleet.mode_fleets.items():
        order = mode_fleet.c._fields.index("order")
        for at, (was, now) in enumerate(zip(before[mode], mode_fleet.c, strict=True)):
            if at != order:
                np.testing.assert_array_equal(was, now)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_tasks_collected_are_offered_at_the_least_cost_in_all(seed: int) -> None:
    """As many tasks as possible, then the least total: against all assignments of riders to tasks."""
    rng = np.random.default_rng(seed)
    city = City(TOWN, POLICY, dataclasses.replace(RULES, every_s=30.0))
    riders = riders_of(seed, 4)
    city.board.put(riders, NOW)
    tasks = [a_task(rng, number) for number in range(3)]
    for task in tasks:
        city.publish(task, "office", NOW)
        assert not city.tasks[task.task_id].open
    cost: dict[tuple[str, str], float] = {}
    for task in tasks:
        found = city.board.propose(task, 4, (), NOW + 31.0)
        if isinstance(found, tuple):
            cost.update({(task.task_id, one.rider.rider_id): one.terms.extra_s for one in found})
    city.tick(NOW + 31.0)
    # Before anybody is asked a second time, each rider has one offer at most: the first of each rider counts.
    made = [(state.task.task_id, state.open[0]) for state in city.tasks.values() if state.open]
    best = (0, 0.0)
    names: list[str | None] = [key.rider_id for key, _ in riders]
    for choice in itertools.product([None, *names], repeat=len(tasks)):
        pairs = [(task.task_id, name) for task, name in zip(tasks, choice, strict=True) if name is not None]
        taken = [name for _, name in pairs]
        if len(set(taken)) == len(taken) and all(pair in cost for pair in pairs):
            best = min(best, (-len(pairs), sum(cost[pair] for pair in pairs if pair[1] is not None)))
    assert -len(made) <= best[0]
    if -len(made) == best[0] and len({offer.rider for _, offer in made}) == len(made):
        assert sum(offer.terms.extra_s for _, offer in made) == pytest.approx(best[1], abs=0.01)


def test_a_yes_searches_the_plan_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    city = City(TOWN, POLICY, RULES)
    city.board.put(riders_of(3, 4), NOW)
    published = city.publish(a_task(rng, 1), "office", NOW)
    (offer,) = [event for event in published.events if isinstance(event, ev.OfferMade)]
    searched: list[str] = []

    def counted(fleet: Fleet, task: Task, k: int, now_s: float) -> object:
        searched.append(task.task_id)
        return candidates_for(fleet, task, k, now_s)

    monkeypatch.setattr("routing.dispatch.board.candidates_for", counted)
    city.accept("T1", offer.offer_id, NOW + 1)
    assert searched == ["T1"]


def test_a_plan_that_changes_after_the_verdict_is_searched_again() -> None:
    """The verdict of one plan is not carried out on another."""
    rng = np.random.default_rng(3)
    sent = riders_of(3, 1)
    board = Board(TOWN, POLICY)
    board.put(sent, NOW)
    (key, rider), task = sent[0], a_task(rng, 1)
    terms = board.judge(key, task, NOW)
    assert isinstance(terms, ev.Terms)
    board.put([(key, dataclasses.replace(rider, stops=()))], NOW)
    true = board.accept(key, "T1-1", task, terms, NOW)
    now = board.rider(key)
    assert now is not None
    assert [stop.stop_id for stop in now.stops] == ["T1"]
    assert true.after_stop_id == ""


def test_a_plan_apart_knows_the_windows_of_its_stops() -> None:
    # What is closed between windows lies in a table beside the plans: a trial that read its own, which is
    # empty, promised what the plan does not allow.
    rng = np.random.default_rng(4)
    key = RiderKey("red", "r1")
    closed = ((NOW + 200.0, NOW + 2_000.0),)
    stop = Stop("s1", place_in(TOWN, rng), 30.0, NOW, NOW + 7_200.0, closed_s=closed)
    last = Stop("s2", place_in(TOWN, rng), 30.0, NOW, NOW + 1_200.0)
    board = Board(TOWN, Policy(max_extra_s=3_600.0, max_extra_per_hour_s=3_600.0))
    board.put([(key, Rider("r1", place_in(TOWN, rng), stops=(stop, last)))], NOW)
    verdicts = []
    for number in range(12):
        # Whoever goes there first is at s1 when it is shut, and late at s2.
        task = Task(f"T{number}", Visit(place_in(TOWN, rng), 60.0, NOW, NOW + 300.0))
        found = candidates_for(board.fleet, task, 1, NOW)
        terms = board.judge(key, task, NOW)
        assert bool(found) == isinstance(terms, ev.Terms)
        if isinstance(terms, ev.Terms):
            assert terms.extra_s == found[0].extra_ms / 1000
        verdicts.append(bool(found))
    assert len(set(verdicts)) == 2
