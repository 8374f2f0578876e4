"""Emergencies on the desk, on both databases; with two processes one of them opens the phases."""

import contextlib
import datetime
import time
from collections.abc import Callable

import numpy as np
from desks import OFFICE, RED, TOWN, Clock, desk_on, do
from towns import NOW, place_in

from api.dispatch.commands import put_riders
from api.dispatch.desk import Desk
from api.dispatch.emergencies import (
    Raised,
    alert_events_of,
    alert_id,
    alert_state_of,
    answer_alert,
    close,
    raise_emergency,
)
from api.dispatch.forms import RidersIn, RiderStateIn
from api.dispatch.translate import reports_of
from api.store import SERVICE, Database
from api.store.dispatch import emergencies as rows
from api.store.dispatch import events as stored
from routing.dispatch import AlertState, ConflictError, fold_alert
from routing.model import EmergencyPolicy, Policy, Task, Visit

RULES = EmergencyPolicy(phase_riders=(1, 2, 1), phase_wait_s=45.0)


def put(desk: Desk, rng: np.random.Generator, count: int) -> None:
    at = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
    riders = []
    for number in range(count):
        lon, lat = place_in(TOWN, rng)
        riders.append(RiderStateIn(rider_id=f"r{number}", at=at, lon=lon, lat=lat, stops=()))
    reports = reports_of(RidersIn(datum="wgs84", riders=tuple(riders)), {}, NOW, datetime.UTC, desk.policy)
    do(desk, lambda turn: put_riders(turn, RED, "red", reports))


def call(desk: Desk, rng: np.random.Generator, name: str = "E1") -> Raised:
    task = Task(name, Visit(place_in(TOWN, rng), 60.0), kind="first_response")
    return do(
        desk,
        lambda turn: raise_emergency(
            turn, OFFICE, task, RULES, label=name, grid_code=None, drill=False, body={"name": name}
        ),
    )


def now(database: Database, name: str = "E1") -> AlertState:
    """The state as kept, which is the fold of the events."""
    with database.reading() as connection:
        while True:
            row = rows.get(connection, SERVICE, name)
            events = stored.of_task(connection, SERVICE, name)
            # Another process may write between two readings.
            if row == rows.get(connection, SERVICE, name):
                break
    assert row is not None
    state = alert_state_of(row.state)
    assert fold_alert(alert_events_of(events)) == state
    return state


def until(true: Callable[[], bool], within_s: float = 20.0) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_phases_open_by_the_clock_and_after_a_restart(database: Database) -> None:
    rng, clock = np.random.default_rng(1), Clock()
    with desk_on(database, clock, Policy()) as desk:
        put(desk, rng, 4)
        assert call(desk, rng).state.phase == 0
        assert call(desk, np.random.default_rng(1), "E2").new
        clock.now_s += 46.0
        until(lambda: now(database).phase == 1)
    clock.now_s += 45.0
    with desk_on(database, clock, Policy()) as desk:
        until(lambda: now(database).phase == 2)
        until(lambda: now(database, "E2").phase == 2)
        assert desk.memory.phases == {}
        done = do(desk, lambda turn: close(turn, OFFICE, "E1", "over"))
        assert done.row.status == "closed"
        again = do(desk, lambda turn: close(turn, OFFICE, "E1", "other"))
        assert again.state.closed == "over"
    assert {one.status for one in now(database).responders} == {"released"}


def test_a_clock_set_back_keeps_no_phase_waiting(database: Database) -> None:
    rng, clock = np.random.default_rng(1), Clock()
    with desk_on(database, clock, Policy()) as desk:
        put(desk, rng, 4)
        assert call(desk, rng).state.phase == 0
        clock.now_s -= 2_700.0
        until(lambda: now(database).phase == 1)


def test_two_processes_one_yes_too_many(shared: Database) -> None:
    """Raised where nobody leads, phases opened by the leader; of two answers at once one is enough."""
    rng, clock = np.random.default_rng(2), Clock()
    other = Database(shared.url.render_as_string(hide_password=False))
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(desk_on(shared, clock, Policy()))
        with desk_on(other, clock, Policy()) as second:
            put(second, rng, 4)
            raised = call(second, rng)
            assert not second.memory.leading
            until(lambda: "E1" in first.memory.phases)
            clock.now_s += 46.0
            until(lambda: now(shared).phase == 1)
            sent = [one for one in now(shared).responders if one.status == "alerted"]
            names = [alert_id(raised.row, raised.state, one.rider) for one in sent]
            works = [
                desk.submit(lambda turn, name=name: answer_alert(turn, RED, name, "yes"))  # type: ignore[misc]
                for desk, name in zip((first, second), names, strict=False)
            ]
            fates = [work.exception(20) for work in works]
            assert sum(fate is None for fate in fates) == 1
            assert all(fate is None or isinstance(fate, ConflictError) for fate in fates)
            assert len(now(shared).coming) == 1
            # The leader dies; another one goes on with what is due.
            call(second, rng, "E2")
            stack.close()
            clock.now_s += 46.0
            until(lambda: second.memory.leading)
            until(lambda: now(shared, "E2").phase == 1)
    other.close()
