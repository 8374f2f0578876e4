"""When a matter is looked at by the clock: exactly when something is due, whatever has happened to it."""

import contextlib
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from api.civic.reports import codec
from api.civic.reports.matters import next_s
from api.civic.reports.offices import fitting
from api.store.civic.offices import OfficeRow
from api.store.dispatch import events as stored
from routing.civic import (
    AcceptMatter,
    AskForLook,
    AskHandover,
    Confirm,
    DeclineMatter,
    Dispute,
    Fix,
    Hide,
    MatterConflictError,
    MatterEvent,
    MatterState,
    OfficeHours,
    Open,
    Report,
    ReportLook,
    ReportRules,
    Show,
    StartWork,
    Tick,
    decide_matter,
    evolve_matter,
    fold_matter,
)

RULES = ReportRules(OfficeHours("Asia/Shanghai"))
NOW = 1_772_600_400.0
PLACE = (116.4, 39.9)
COMMANDS = st.one_of(
    st.sampled_from(
        [
            AcceptMatter("roads"), AcceptMatter("park"), AskHandover("roads", "park", "theirs"),
            StartWork("roads"), Fix("roads", "done"), DeclineMatter("roads", "no"), Confirm("p1"),
            Dispute("p1", "still there"), Hide("home"), Show("roads"), Tick(),
            ReportLook("m-look-1", "p9", there=True), ReportLook("m-look-1", "p9", there=False),
        ]
    ),
    st.builds(AskForLook, st.just("roads"), st.floats(NOW, NOW + 400_000)),
    st.builds(
        lambda n, private, late_s: Open(
            "m", Report(f"r{n}", f"p{n}", "roads", PLACE, NOW + late_s, private=private), "roads"
        ),
        st.integers(1, 4), st.sampled_from(["", "", "minor"]), st.floats(0, 80_000),
    ),
)  # fmt: skip


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.tuples(COMMANDS, st.floats(0, 200_000)), max_size=14), st.floats(0.5, 1_000_000))
def test_the_clock_looks_when_something_is_due_and_only_then(
    steps: list[tuple[object, float]], later_s: float
) -> None:
    now_s = NOW
    opened = Open("m", Report("r0", "p0", "roads", PLACE, NOW), "roads")
    events: list[MatterEvent] = list(decide_matter(None, opened, now_s, RULES))
    state = fold_matter(events)
    assert state is not None
    for command, spent_s in steps:
        now_s += spent_s
        with contextlib.suppress(MatterConflictError):
            for event in decide_matter(state, command, now_s, RULES):  # type: ignore[arg-type]
                events.append(event)
                state = evolve_matter(state, event)
    assert codec.state_of(codec.state_json(state)) == state
    _check_due(state, now_s + later_s)
    due_s = next_s(state, RULES)
    if due_s is not None:
        _check_due(state, due_s)
        _check_due(state, math.nextafter(due_s, math.inf))


def _check_due(state: MatterState, now_s: float) -> None:
    """What is due by the row's own word is what the rules find due; afterwards something later is."""
    due_s = next_s(state, RULES)
    found = decide_matter(state, Tick(), now_s, RULES)
    assert bool(found) == (due_s is not None and due_s < now_s)
    for event in found:
        state = evolve_matter(state, event)
    after_s = next_s(state, RULES)
    assert after_s is None or after_s >= now_s or decide_matter(state, Tick(), now_s, RULES)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(COMMANDS, st.floats(0, 100_000)), max_size=10))
def test_events_come_back_from_the_store_as_they_were(steps: list[tuple[object, float]]) -> None:
    state: MatterState | None = None
    kept = []
    happened: list[MatterEvent] = []
    now_s = NOW
    opened = Open("m", Report("r0", "p0", "roads", PLACE, NOW, "note", "photo"), "roads")
    for command, spent_s in [(opened, 0.0), *steps]:
        now_s += spent_s
        with contextlib.suppress(MatterConflictError):
            for event in decide_matter(state, command, now_s, RULES):  # type: ignore[arg-type]
                state = evolve_matter(state, event)
                happened.append(event)
                kept.append(codec.event_row("m", state.office, event, now_s))
    rows = [stored.EventRow(n, one) for n, one in enumerate(kept)]
    assert [event for _, event in codec.matter_events_of(rows)] == happened
    for one in kept:
        # What an office reads names no person.
        assert not {"reporter", "looker", "by"} & one.body.keys()
        assert "reporter" not in one.body.get("report", {})


def office(name: str, kinds: list[str], around: float | None) -> OfficeRow:
    area = None
    if around is not None:
        ring = [
            [-around, -around],
            [around, -around],
            [around, around],
            [-around, around],
            [-around, -around],
        ]
        area = {"type": "Polygon", "coordinates": [ring]}
    return OfficeRow(name, name, kinds, area, 0.0)


def test_who_names_the_place_and_the_kind_is_asked_first() -> None:
    everyone, park = office("all", [], None), office("park", ["greening"], None)
    street, gardens = office("street", [], 1.0), office("gardens", ["greening"], 1.0)
    offices = [everyone, park, street, gardens]
    asked = {
        (kind, place): fitting(offices, kind, (place, place))
        for kind in ("roads", "greening")
        for place in (0.5, 5.0)
    }
    assert asked["roads", 0.5] == street
    assert asked["greening", 0.5] == gardens
    assert asked["roads", 5.0] == everyone
    assert asked["greening", 5.0] == park
    assert fitting([park, gardens], "roads", (0.0, 0.0)) is None
    assert fitting([], "roads", (0.0, 0.0)) is None
