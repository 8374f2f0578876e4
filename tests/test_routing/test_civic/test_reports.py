"""The life of a reported matter against a plain model, by random command sequences."""

import dataclasses
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from geo.earth import DEGREE_M
from geo.errors import InputError
from routing.civic.report_kinds import REPORT_KINDS
from routing.civic.reports import commands as co
from routing.civic.reports import events as ev
from routing.civic.reports.decide import MatterConflictError, decide
from routing.civic.reports.events import Report
from routing.civic.reports.merging import distance_m, same_matter
from routing.civic.reports.rules import ReportRules
from routing.civic.reports.state import STAGES, MatterState, evolve, fold
from routing.civic.reports.telling import board_entry, look_task, notices
from routing.civic.working_hours import OfficeHours

NOW = 1_790_560_800.0
"""2026-09-28 10:00 in Shanghai, a Monday."""
HOUR_S = 3_600.0
PLACE = (116.3, 39.98)
RULES = ReportRules(OfficeHours("Asia/Shanghai"))
OFFICES = ["roads", "greens", "police"]
PEOPLE = ["p1", "p2", "p3"]
people, offices = st.sampled_from(PEOPLE), st.sampled_from(OFFICES)

Step = tuple[co.Command, float]


def report(number: int = 1, reporter: str = "p1", made_s: float = NOW, **changes: object) -> Report:
    made = Report(f"r{number}", reporter, "appearance", PLACE, made_s, "bags", "one.jpg")
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def north(metres: float) -> tuple[float, float]:
    return (PLACE[0], PLACE[1] + metres / DEGREE_M)


def run(*steps: Step) -> MatterState:
    state: MatterState | None = None
    for command, now_s in steps:
        for event in decide(state, command, now_s, RULES):
            state = evolve(state, event)
    assert state is not None
    return state


OPENED: Step = (co.Open("m", report(), "roads"), NOW)


def test_every_class_has_a_limit_with_its_source() -> None:
    groups = [kind.group for kind in REPORT_KINDS.values()]
    assert (groups.count("component"), groups.count("event")) == (5, 6)
    assert all(kind.act_within_s > 0 and kind.source for kind in REPORT_KINDS.values())
    # DOMAIN: rubbish, 4 working hours.
    assert RULES.due_s("appearance", NOW) == NOW + 4 * HOUR_S
    assert RULES.due_s("appearance", NOW + 5 * HOUR_S) == NOW + 25 * HOUR_S


def test_a_matter_goes_its_way() -> None:
    steps: list[Step] = [OPENED, (co.AcceptMatter("roads"), NOW + 60)]
    steps += [(co.AskForLook("roads", NOW + 900), NOW + 70)]
    steps += [(co.ReportLook("m-look-1", "p9", there=True), NOW + 600), (co.StartWork("roads"), NOW + 700)]
    steps += [(co.Fix("roads", "bags taken away"), NOW + 900), (co.Confirm("p1"), NOW + 999)]
    seen = [run(*steps[: n + 1]).stage for n in range(len(steps))]
    assert seen == ["reported", "accepted", "looking", "accepted", "working", "fixed", "closed"]
    for n, (command, now_s) in enumerate(steps):
        assert decide(run(*steps[: n + 1]), command, now_s + 1, RULES) == ()


def test_the_first_office_asked_is_responsible_until_another_accepts() -> None:
    asked = run(OPENED, (co.AskHandover("roads", "greens", "a tree"), NOW))
    assert (asked.office, asked.asked) == ("roads", "greens")
    refused = run(
        OPENED, (co.AskHandover("roads", "greens", "a tree"), NOW), (co.RefuseHandover("greens", "no"), NOW)
    )
    assert (refused.office, refused.asked) == ("roads", "")
    taken = run(OPENED, (co.AskHandover("roads", "greens", "a tree"), NOW), (co.AcceptMatter("greens"), NOW))
    assert (taken.office, taken.asked, taken.due_s) == ("greens", "", asked.due_s)
    with pytest.raises(MatterConflictError, match="not_yours"):
        decide(asked, co.Fix("greens", "done"), NOW, RULES)
    with pytest.raises(MatterConflictError, match="not_yours"):
        decide(taken, co.AcceptMatter("roads"), NOW, RULES)


def test_who_is_overdue_is_told_on_level_by_level() -> None:
    due_s = NOW + 4 * HOUR_S
    state = run(OPENED)
    assert decide(state, co.Tick(), due_s, RULES) == ()
    day = RULES.level_every_s
    first = decide(state, co.Tick(), due_s + 1, RULES)
    assert first == (ev.MatterEscalated(1, "street office", due_s + day),)
    late = decide(state, co.Tick(), due_s + 9 * day, RULES)
    assert [(e.level, e.to) for e in late if isinstance(e, ev.MatterEscalated)] == [
        (1, "street office"), (2, "district"), (3, "city")
    ]  # fmt: skip
    assert run(OPENED, (co.Tick(), due_s + 9 * day)).next_level_s == math.inf


def test_said_to_be_done_and_is_not() -> None:
    fixed = run(OPENED, (co.Fix("roads", "done"), NOW + 60))
    with pytest.raises(MatterConflictError, match="not_reporter"):
        decide(fixed, co.Dispute("p2", "no"), NOW + 70, RULES)
    again = run(OPENED, (co.Fix("roads", "done"), NOW + 60), (co.Dispute("p1", "still there"), NOW + HOUR_S))
    assert (again.stage, again.round, again.due_s) == ("accepted", 2, NOW + 5 * HOUR_S)
    by_report = run(
        OPENED, (co.Fix("roads", "done"), NOW + 60), (co.Open("m", report(2, "p2", NOW + 90), "x"), NOW + 95)
    )
    assert (by_report.stage, by_report.reporters) == ("accepted", ("p1", "p2"))
    by_look = run(
        OPENED,
        (co.Fix("roads", "done"), NOW + 60),
        (co.AskForLook("roads", NOW + 900), NOW + 70),
        (co.ReportLook("m-look-1", "p9", there=True), NOW + 80),
    )
    assert (by_look.stage, by_look.round) == ("accepted", 2)
    assert run(OPENED, (co.Fix("roads", "done"), NOW), (co.Tick(), NOW + 4 * 86_400)).closed == "unopposed"
    with pytest.raises(MatterConflictError, match="past"):
        decide(fixed, co.Dispute("p1", "no"), NOW + 61 + RULES.dispute_within_s, RULES)


@pytest.mark.parametrize("private", ["home", "minor", "person"])
def test_what_nobody_may_see_is_kept_off_the_board_and_sends_nobody(private: str) -> None:
    assert board_entry(run(OPENED), NOW) is not None
    steps: list[Step] = [OPENED, (co.AskForLook("roads", NOW + 900), NOW)]
    assert look_task(run(*steps), RULES) is not None
    for last in (co.Hide(private), co.Open("m", report(2, "p2", private=private), "roads")):
        state = run(*steps, (last, NOW + 1))
        assert board_entry(state, NOW) is None
        assert state.open_look is None
        assert look_task(state, RULES) is None
        with pytest.raises(MatterConflictError, match="private"):
            decide(state, co.AskForLook("roads", NOW + 900), NOW, RULES)
    shown = run(*steps, (co.Hide(private), NOW), (co.Show("roads"), NOW))
    assert board_entry(shown, NOW) is not None


def test_nobody_hides_what_the_office_has_shown() -> None:
    """Or anybody could take any matter off the board by reporting it once more as somebody's home."""
    marked = (co.Open("m", report(2, "p2", private="home"), "roads"), NOW + 1)
    again = (co.Open("m", report(3, "p3", private="minor"), "roads"), NOW + 3)
    shown = run(OPENED, marked, (co.Show("roads"), NOW + 2), again)
    assert board_entry(shown, NOW) is not None
    # A look goes on, and the office may change its mind.
    sent = run(
        OPENED, marked, (co.Show("roads"), NOW + 2), (co.AskForLook("roads", NOW + 900), NOW + 2), again
    )
    assert sent.open_look is not None
    hidden = run(OPENED, marked, (co.Show("roads"), NOW + 2), (co.Hide("home"), NOW + 3))
    assert board_entry(hidden, NOW) is None
    # What nobody has hidden the first mark hides, until the office has looked at it.
    assert board_entry(run(OPENED, marked), NOW) is None


def test_no_person_and_no_words_of_reporters_stand_on_the_board() -> None:
    state = run((co.Open("m", report(note="call 13812345678", reporter="secret"), "roads"), NOW))
    entry = board_entry(state, NOW)
    assert entry is not None
    assert entry.left_s == 4 * HOUR_S
    assert "secret" not in repr(entry)
    assert "138" not in repr(entry)
    assert "one.jpg" not in repr(entry)


def test_who_reported_it_does_not_look() -> None:
    looking = run(OPENED, (co.AskForLook("roads", NOW + 900), NOW))
    with pytest.raises(MatterConflictError, match="own_report"):
        decide(looking, co.ReportLook("m-look-1", "p1", there=True), NOW, RULES)
    with pytest.raises(MatterConflictError, match="unknown_look"):
        decide(looking, co.ReportLook("m-look-2", "p9", there=True), NOW, RULES)
    missed = run(OPENED, (co.AskForLook("roads", NOW + 900), NOW), (co.Tick(), NOW + 901))
    assert (missed.stage, missed.looks[0].missed) == ("reported", True)


def test_word_of_a_look_that_comes_late_counts_until_somebody_else_is_sent() -> None:
    steps: list[Step] = [OPENED, (co.AskForLook("roads", NOW + 900), NOW), (co.Tick(), NOW + 901)]
    late = (co.ReportLook("m-look-1", "p9", there=True), NOW + 902)
    seen = run(*steps, late)
    assert (seen.looks[0].there, seen.looks[0].missed) == (True, False)
    with pytest.raises(MatterConflictError, match="look_over"):
        decide(seen, co.ReportLook("m-look-1", "p8", there=False), NOW + 903, RULES)
    again = run(*steps, (co.AskForLook("roads", NOW + 1_800), NOW + 902))
    with pytest.raises(MatterConflictError, match="look_over"):
        decide(again, late[0], NOW + 903, RULES)


def test_the_look_is_a_task_for_the_matcher() -> None:
    task = look_task(run(OPENED, (co.AskForLook("roads", NOW + 900), NOW)), RULES)
    assert task is not None
    assert (task.task_id, task.kind, task.place.lonlat) == ("m-look-1", "rubbish", PLACE)
    assert task.place.latest_s == NOW + 900


def test_a_kind_that_nobody_knows_is_refused_with_the_list() -> None:
    with pytest.raises(InputError, match=r"'graffiti'; allowed are utilities, .*other_event"):
        decide(None, co.Open("m", report(kind="graffiti"), "roads"), NOW, RULES)


@settings(derandomize=True, deadline=None)
@given(
    places=st.lists(st.tuples(st.integers(0, 120), st.integers(-100_000, 100_000)), min_size=1, max_size=5),
    metres=st.integers(0, 120),
    made_s=st.integers(-100_000, 100_000),
    kind=st.sampled_from(["appearance", "roads"]),
)
def test_a_report_goes_to_the_nearest_matter_within_50_m_and_a_day(
    places: list[tuple[int, int]], metres: int, made_s: int, kind: str
) -> None:
    matters = [
        run((co.Open(f"m{n}", report(n, lonlat=north(at), made_s=NOW + s), "roads"), NOW))
        for n, (at, s) in enumerate(places)
    ]
    found = same_matter(matters, report(99, lonlat=north(metres), made_s=NOW + made_s, kind=kind), RULES)
    fits = [n for n, (at, s) in enumerate(places) if abs(at - metres) <= 49.9 and abs(s - made_s) <= 86_400]
    border = [n for n, (at, s) in enumerate(places) if abs(abs(at - metres) - 50) <= 0.1]
    if kind != "appearance" or not (fits or border):
        assert found is None
    elif not border:
        nearest = min(abs(places[n][0] - metres) for n in fits)
        assert found is not None
        assert abs(places[int(found.matter_id[1:])][0] - metres) == nearest
    assert distance_m(north(metres), PLACE) == pytest.approx(metres, abs=1e-3)


class Life(RuleBasedStateMachine):
    """Any command at any time; the model is a handful of plain variables."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = NOW
        self.state: MatterState | None = None
        self.log: list[ev.Event] = []
        self.told: dict[str, int] = {}
        self.number = 0
        self.office, self.asked = "", ""
        self.reporters: list[str] = []
        self.said, self.over = "", False
        self.hidden = self.shown = False
        self.due_s = 0.0

    def do(self, command: co.Command) -> tuple[ev.Event, ...] | None:
        try:
            events = decide(self.state, command, self.now_s, RULES)
        except MatterConflictError:
            return None
        for event in events:
            self.state = evolve(self.state, event)
            for notice in notices(self.state, event):
                assert notice.reporter in self.state.reporters
                others = set(self.state.reporters) - {notice.reporter}
                assert not others & {fact for _, fact in notice.said.facts if isinstance(fact, str)}
                self.told[notice.reporter] = self.told.get(notice.reporter, 0) + 1
        self.log += events
        # Sent twice, it does nothing more (or no longer fits).
        try:
            again = decide(self.state, command, self.now_s, RULES)
        except MatterConflictError:
            again = ()
        assert again == ()
        return events

    def reopen(self) -> None:
        self.said, self.over = "", False
        self.due_s = RULES.due_s("appearance", self.now_s)

    @rule(
        who=st.sampled_from(PEOPLE),
        office=st.sampled_from(OFFICES),
        private=st.sampled_from(["", "", "home"]),
    )
    def someone_reports(self, who: str, office: str, private: str) -> None:
        self.number += 1
        made = report(self.number, who, self.now_s, private=private)
        first_s = self.state.first.made_s if self.state else self.now_s
        events = self.do(co.Open("m", made, office))
        if abs(self.now_s - first_s) > RULES.same_within_s:
            assert events is None
            return
        assert events
        if not self.reporters:
            self.office = office
            self.due_s = RULES.due_s("appearance", self.now_s)
        if who not in self.reporters:
            self.reporters.append(who)
        self.hidden = self.hidden or (bool(private) and not self.shown)
        if isinstance(events[-1], ev.MatterReopened):
            self.reopen()

    @rule(seconds=st.sampled_from([1.0, 600.0, 4 * HOUR_S, 30 * HOUR_S, 100 * HOUR_S]))
    @precondition(lambda self: self.state is not None)
    def pass_time(self, seconds: float) -> None:
        self.now_s += seconds
        self.do(co.Tick())
        assert self.state is not None
        if not self.said:
            overdue_s = self.now_s - self.due_s
            steps = math.ceil(overdue_s / RULES.level_every_s) if overdue_s > 0 else 0
            assert self.state.level == min(steps, len(RULES.levels))
        self.over = self.over or self.state.closed == "unopposed"

    @rule(office=st.sampled_from(OFFICES), to=st.sampled_from(OFFICES))
    @precondition(lambda self: self.state is not None)
    def pass_on(self, office: str, to: str) -> None:
        events = self.do(co.AskHandover(office, to, "not ours"))
        assert (events is None) == (bool(self.said) or office != self.office)
        if events:
            self.asked = to

    @rule(office=st.sampled_from(OFFICES), yes=st.booleans())
    @precondition(lambda self: self.state is not None)
    def answer(self, office: str, yes: bool) -> None:
        events = self.do(co.AcceptMatter(office) if yes else co.RefuseHandover(office, "no"))
        if events:
            assert office in (self.office, self.asked)
            self.asked = ""
            self.office = office if yes else self.office

    @rule(office=st.sampled_from(OFFICES), how=st.sampled_from(["work", "fix", "decline", "show", "look"]))
    @precondition(lambda self: self.state is not None)
    def act(self, office: str, how: str) -> None:
        commands: dict[str, co.Command] = {
            "work": co.StartWork(office),
            "fix": co.Fix(office, "done"),
            "decline": co.DeclineMatter(office, "nothing there"),
            "show": co.Show(office),
        }
        assert self.state is not None
        if how == "look":
            office = self.office
            wanted = not self.hidden and not self.over and self.state.open_look is None
            try:
                found = decide(self.state, co.AskForLook(office, self.now_s + 900), self.now_s, RULES)
                assert wanted == bool(found)
            except MatterConflictError:
                return
            command: co.Command = co.AskForLook(office, self.now_s + 900)
        else:
            command = commands[how]
        events = self.do(command)
        assert office == self.office or not events
        if events and how in ("fix", "decline"):
            self.said = "fixed" if how == "fix" else "declined"
            self.asked = ""
        if events and how == "show":
            self.hidden, self.shown = False, True

    @rule(there=st.booleans(), number=st.integers(1, 3), who=st.sampled_from([*PEOPLE, "p9"]))
    @precondition(lambda self: self.state is not None)
    def look(self, there: bool, number: int, who: str) -> None:
        events = self.do(co.ReportLook(f"m-look-{number}", who, there))
        if not events:
            return
        assert who not in self.reporters
        if self.said == "fixed" and there:
            self.reopen()
        elif self.said == "fixed":
            self.over = True

    @rule(who=st.sampled_from([*PEOPLE, "p9"]), yes=st.booleans())
    @precondition(lambda self: self.state is not None)
    def reporter_says(self, who: str, yes: bool) -> None:
        events = self.do(co.Confirm(who) if yes else co.Dispute(who, "it is not"))
        if who not in self.reporters:
            assert events is None
        elif events and yes:
            assert self.said == "fixed"
            self.over = True
        elif events:
            assert self.said
            self.reopen()

    @rule(reason=st.sampled_from(ev.PRIVATE_REASONS))
    @precondition(lambda self: self.state is not None)
    def hide(self, reason: str) -> None:
        assert self.do(co.Hide(reason)) is not None
        self.hidden, self.shown = True, False

    @invariant()
    def holds(self) -> None:
        if self.state is None:
            return
        state = self.state
        assert fold(self.log) == state
        assert state.stage in STAGES
        assert (state.office, state.asked) == (self.office, self.asked)
        assert list(state.reporters) == self.reporters
        assert (state.said, bool(state.closed)) == (self.said, self.over)
        assert state.due_s == self.due_s
        assert (board_entry(state, self.now_s) is None) == bool(state.private) == self.hidden
        assert (look_task(state, RULES) is None) == (state.open_look is None)
        assert (state.left_s(self.now_s) is None) == bool(self.said)
        assert set(self.told) == set(self.reporters)


Life.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None, derandomize=True)
TestLife = Life.TestCase
