"""Alerts in phases, by random command sequences."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from routing.dispatch.alerts import (
    AlertCommand,
    AlertEvent,
    AlertState,
    AnswerAlert,
    Arrive,
    CloseAlert,
    PassTime,
    PhaseOpened,
    RaiseAlert,
    Responder,
    decide_alert,
    evolve_alert,
    fold_alert,
)
from routing.dispatch.decide import ConflictError
from routing.dispatch.events import RiderKey
from routing.model import Task, Visit

NOW, WAIT_S = 1_000.0, 45.0
RIDERS = tuple(RiderKey("red", str(n)) for n in range(6))
TASK = Task("help", Visit((116.3, 39.98)), kind="first_response")


def responders(sizes: tuple[int, ...] = (1, 2, 3)) -> tuple[Responder, ...]:
    phases = [phase for phase, size in enumerate(sizes) for _ in range(size)]
    return tuple(Responder(RIDERS[n], phase, 60.0 * n) for n, phase in enumerate(phases))


def raised(people: int = 1) -> AlertState:
    task = Task("help", Visit((116.3, 39.98)), kind="first_response", people=people)
    state = fold_alert(decide_alert(None, RaiseAlert(task, "office", responders(), WAIT_S), NOW))
    assert state is not None
    return state


def after(state: AlertState, command: AlertCommand, now_s: float) -> AlertState:
    for event in decide_alert(state, command, now_s):
        state = evolve_alert(state, event)
    return state


def test_the_next_phase_opens_only_while_too_few_come() -> None:
    state = raised()
    assert [one.status for one in state.responders] == ["alerted"] + ["waiting"] * 5
    assert after(state, PassTime(), NOW + 44.0) == state
    state = after(state, PassTime(), NOW + 45.0)
    assert [one.status for one in state.responders] == ["alerted"] * 3 + ["waiting"] * 3
    state = after(state, AnswerAlert(RIDERS[1], accept=True), NOW + 50.0)
    assert [one.status for one in state.responders] == ["released", "accepted", "released"] + ["waiting"] * 3
    assert state.next_phase_s is None
    assert after(state, PassTime(), NOW + 9_000.0) == state
    state = after(state, Arrive(RIDERS[1]), NOW + 300.0)
    assert state.coming[0].arrived_s == NOW + 300.0


def test_a_clock_set_back_holds_nobody_up() -> None:
    """A phase that has opened "in the future" waits for nothing: the next one opens at once."""
    state = after(raised(), PassTime(), NOW - 2_700.0)
    assert (state.phase, state.phase_opened_s) == (1, NOW - 2_700.0)
    assert after(state, PassTime(), NOW - 2_700.0 + WAIT_S - 1.0) == state
    assert after(state, PassTime(), NOW - 2_700.0 + WAIT_S).phase == 2


def test_who_takes_back_a_yes_brings_the_next_phase() -> None:
    state = after(raised(), AnswerAlert(RIDERS[0], accept=True), NOW + 5.0)
    state = after(state, AnswerAlert(RIDERS[0], accept=False), NOW + 60.0)
    opened = decide_alert(state, PassTime(), NOW + 61.0)
    assert opened == (PhaseOpened(1, NOW + WAIT_S),)


def test_who_was_not_alerted_cannot_answer() -> None:
    with pytest.raises(ConflictError, match="unknown_offer"):
        decide_alert(raised(), AnswerAlert(RIDERS[4], accept=True), NOW)


def test_without_riders_nothing_opens() -> None:
    state = fold_alert(decide_alert(None, RaiseAlert(TASK, "office", (), WAIT_S), NOW))
    assert state is not None
    assert decide_alert(state, PassTime(), NOW + 1e6) == ()


class Emergency(RuleBasedStateMachine):
    @initialize(people=st.integers(1, 3))
    def begin(self, people: int) -> None:
        self.now_s, self.state = NOW, raised(people)
        self.log: list[AlertEvent] = list(
            decide_alert(None, RaiseAlert(self.state.task, "office", responders(), WAIT_S), NOW)
        )

    def do(self, command: AlertCommand) -> None:
        try:
            events = decide_alert(self.state, command, self.now_s)
        except ConflictError:
            return
        for event in events:
            self.state = evolve_alert(self.state, event)
        self.log += events
        assert decide_alert(self.state, command, self.now_s) == (), "the same again changes nothing"

    @rule(which=st.sampled_from(RIDERS), yes=st.booleans())
    def answer(self, which: RiderKey, yes: bool) -> None:
        self.do(AnswerAlert(which, yes))

    @rule(which=st.sampled_from(RIDERS))
    def arrive(self, which: RiderKey) -> None:
        self.do(Arrive(which))

    @rule(seconds=st.sampled_from([1.0, 45.0, 200.0]))
    def pass_time(self, seconds: float) -> None:
        self.now_s += seconds
        self.do(PassTime())

    @rule()
    def close(self) -> None:
        self.do(CloseAlert("over"))

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "state"):
            return
        state = self.state
        assert fold_alert(self.log) == state
        assert len(state.coming) <= state.task.people
        waiting = {one.phase for one in state.responders if one.status == "waiting"}
        assert all(phase > state.phase for phase in waiting)
        if state.closed or len(state.coming) >= state.task.people:
            assert not any(one.status == "alerted" for one in state.responders)
        due = state.next_phase_s
        assert due is None or due > self.now_s - 200.0 - WAIT_S


Emergency.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestEmergency = Emergency.TestCase
