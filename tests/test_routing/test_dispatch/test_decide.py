"""The life of one task against a plain model, by random command sequences."""

import dataclasses
from typing import TypeAlias

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from routing.dispatch import commands as co
from routing.dispatch import events as ev
from routing.dispatch.decide import ConflictError, decide
from routing.dispatch.events import RiderKey, Terms
from routing.dispatch.state import LIVE, OFFER_STATUSES, TASK_STATUSES, TaskState, evolve, fold
from routing.model import Task, Visit
from routing.model.results import Binding, Refused, Said, SmallestChange

NOW = 1_000.0
RIDERS = [RiderKey("red", "7"), RiderKey("blue", "7"), RiderKey("red", "8"), RiderKey("blue", "9")]
TERMS = Terms(1_100.0, 1_100.0, 1_160.0, 90.0, 300.0, 0.9, 1.8)
LATE = Refused(
    "t", Binding("late", "d1", 30.0, Said("why.late")), "7", SmallestChange("none", None, "", None, Said("x"))
)


Step: TypeAlias = tuple[co.Command, float]


def a_task(people: int = 1, latest_s: float = 5_000.0) -> Task:
    return Task("t", Visit((116.3, 39.98), 60.0, NOW, latest_s), people=people)


def proposals(*riders: RiderKey) -> tuple[co.Proposal, ...]:
    return tuple(co.Proposal(rider, TERMS) for rider in riders)


def run(*commands: Step) -> TaskState:
    state: TaskState | None = None
    for command, now_s in commands:
        for event in decide(state, command, now_s):
            state = evolve(state, event)
    assert state is not None
    return state


PUBLISHED: Step = (co.Publish(a_task(), "office"), NOW)
OFFERED: Step = (co.MakeOffers(proposals(RIDERS[0]), 60.0), NOW)


def test_a_task_goes_its_way() -> None:
    steps: list[Step] = [PUBLISHED, OFFERED, (co.Accept("t-1", TERMS), NOW + 5), (co.Start("t-1"), NOW + 9)]
    steps += [(co.Finish("t-1", "seen"), NOW + 70), (co.Verify("good"), NOW + 80)]
    seen = [run(*steps[: n + 1]).status for n in range(len(steps))]
    assert seen == ["published", "offered", "accepted", "under_way", "done", "verified"]


@pytest.mark.parametrize(
    ("commands", "code"),
    [
        ([(co.Accept("t-1", TERMS), NOW + 61)], "closed"),
        ([(co.Accept("t-9", TERMS), NOW)], "unknown_offer"),
        ([(co.Accept("t-1", LATE), NOW)], "late"),
        ([(co.Decline("t-1"), NOW), (co.Accept("t-1", TERMS), NOW)], "closed"),
        ([(co.Finish("t-1"), NOW)], "not_accepted"),
        ([(co.Verify(), NOW)], "not_done"),
        ([(co.Accept("t-1", TERMS), NOW), (co.Change(a_task(2)), NOW)], "taken"),
        ([(co.Withdraw(), NOW), (co.Accept("t-1", TERMS), NOW)], "closed"),
        ([(co.Publish(a_task(3), "office"), NOW)], "exists"),
        ([(co.Publish(a_task(), "another"), NOW)], "exists"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(commands: list[Step], code: str) -> None:
    state = run(PUBLISHED, OFFERED, *commands[:-1])
    with pytest.raises(ConflictError) as caught:
        decide(state, *commands[-1])
    assert caught.value.code == code


def test_commands_may_be_sent_twice() -> None:
    steps: list[Step] = [PUBLISHED, OFFERED, (co.Accept("t-1", TERMS), NOW), (co.Start("t-1"), NOW)]
    steps += [(co.Finish("t-1"), NOW), (co.Verify(), NOW)]
    for n, (command, now_s) in enumerate(steps):
        state = run(*steps[: n + 1])
        if not isinstance(command, co.MakeOffers):
            assert decide(state, command, now_s + 1) == ()


def test_a_task_reopened_asks_others_and_forgets_refusals() -> None:
    steps: list[Step] = [
        PUBLISHED,
        OFFERED,
        (co.Decline("t-1"), NOW),
        (co.MakeOffers(proposals(RIDERS[1]), 60.0), NOW),
    ]
    steps += [(co.Accept("t-2", TERMS), NOW), (co.Finish("t-2"), NOW), (co.Reopen("still there", 9e3), NOW)]
    state = run(*steps)
    assert state.status == "published"
    assert state.asked == {RIDERS[1]}
    assert state.task.place.latest_s == 9_000.0
    again = decide(state, co.MakeOffers(proposals(RIDERS[1], RIDERS[0]), 60.0), NOW)
    assert [event.rider for event in again if isinstance(event, ev.OfferMade)] == [RIDERS[0]]


def test_too_few_by_the_end_of_the_window_releases_those_who_wait() -> None:
    state = run((co.Publish(a_task(2), "o"), NOW), (co.MakeOffers(proposals(*RIDERS[:2]), 60.0), NOW))
    state = fold((*_events(state), *decide(state, co.Accept("t-1", TERMS), NOW)))  # type: ignore[assignment]
    closed = decide(state, co.Elapse(), 5_001.0)
    outcomes = [(event.offer_id, event.outcome) for event in closed if isinstance(event, ev.OfferClosed)]
    assert outcomes == [("t-2", "expired"), ("t-1", "overtaken")]
    assert isinstance(closed[-1], ev.TaskExpired)


def _events(state: TaskState) -> tuple[ev.Event, ...]:
    made = (ev.OfferMade(o.offer_id, o.rider, o.terms, o.made_s, o.expires_s) for o in state.offers)
    return (ev.TaskPublished(state.task, state.publisher), *made)


class Life(RuleBasedStateMachine):
    """Any command at any time; the model keeps only who was asked and who said yes."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = NOW
        self.state: TaskState | None = None
        self.log: list[ev.Event] = []
        self.yes: set[RiderKey] = set()

    def do(self, command: co.Command) -> tuple[ev.Event, ...] | None:
        try:
            events = decide(self.state, command, self.now_s)
        except ConflictError:
            return None
        for event in events:
            self.state = evolve(self.state, event)
        self.log += events
        return events

    @rule(people=st.integers(1, 3))
    @precondition(lambda self: self.state is None)
    def publish(self, people: int) -> None:
        assert self.do(co.Publish(a_task(people, self.now_s + 4_000.0), "office"))

    @rule(seconds=st.sampled_from([1.0, 30.0, 61.0, 2_000.0]))
    def pass_time(self, seconds: float) -> None:
        self.now_s += seconds
        if self.state is not None:
            self.do(co.Elapse())
            for offer in self.state.open:
                assert offer.expires_s >= self.now_s
            if self.state.ended == "expired":
                self.yes = {o.rider for o in self.state.taken}

    @rule(riders=st.lists(st.sampled_from(RIDERS), min_size=1, max_size=4, unique=True))
    @precondition(lambda self: self.state is not None)
    def offer(self, riders: list[RiderKey]) -> None:
        assert self.state is not None
        wanted = self.state.wanted
        made = self.do(co.MakeOffers(proposals(*riders), 60.0))
        assert made is not None
        assert len(made) <= wanted

    @rule(number=st.integers(1, 6), good=st.booleans())
    @precondition(lambda self: self.state is not None)
    def accept(self, number: int, good: bool) -> None:
        events = self.do(co.Accept(f"t-{number}", TERMS if good else LATE))
        for event in events or ():
            if isinstance(event, ev.OfferAccepted):
                assert good
                self.yes.add(event.rider)

    @rule(number=st.integers(1, 6), how=st.sampled_from([co.Decline, co.Return, co.Start, co.Finish]))
    @precondition(lambda self: self.state is not None)
    def answer(self, number: int, how: type[co.Decline]) -> None:
        events = self.do(how(f"t-{number}"))
        for event in events or ():
            if isinstance(event, ev.OfferClosed) and event.outcome == "returned":
                self.yes.discard(event.rider)

    @rule(command=st.sampled_from([co.Verify(), co.Withdraw("no need"), co.Lapse("t-1", "late")]))
    @precondition(lambda self: self.state is not None)
    def end(self, command: co.Command) -> None:
        events = self.do(command)
        if events and isinstance(events[-1], ev.TaskWithdrawn):
            assert self.state is not None
            self.yes = {offer.rider for offer in self.state.taken}

    @rule(people=st.integers(1, 3))
    @precondition(lambda self: self.state is not None)
    def change(self, people: int) -> None:
        assert self.state is not None
        had = bool(self.state.taken) or bool(self.state.ended)
        events = self.do(co.Change(dataclasses.replace(self.state.task, people=people)))
        assert not (had and events)

    @rule()
    @precondition(lambda self: self.state is not None)
    def reopen(self) -> None:
        if self.do(co.Reopen("not done", self.now_s + 1_000.0)):
            self.yes = set()

    @invariant()
    def holds(self) -> None:
        if self.state is None:
            return
        state = self.state
        assert fold(self.log) == state
        assert state.status in TASK_STATUSES
        assert all(offer.status in OFFER_STATUSES for offer in state.offers)
        assert len(state.taken) <= state.task.people
        assert len(state.taken) + len(state.open) <= state.task.people
        assert {offer.rider for offer in state.taken} == self.yes
        asked = [offer.rider for offer in state.current]
        assert len(asked) == len(set(asked))
        if state.ended:
            assert not state.open
        assert len({offer.offer_id for offer in state.offers}) == len(state.offers)
        assert all(offer.status in LIVE or offer.reason is not None for offer in state.offers)


Life.TestCase.settings = settings(max_examples=120, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase
