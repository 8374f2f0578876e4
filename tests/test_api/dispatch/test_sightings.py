"""What is kept of riders without a plan: where it lies, for how long, who sees it, and what comes of it."""

import datetime
import math
import time
from typing import Any

import numpy as np
import pytest
from desks import RED, Clock, desk_on, put_up
from towns import NOW

from api.dispatch.commands import put_riders
from api.dispatch.desk import Desk, Turn
from api.dispatch.forms import RidersIn, RiderStateIn
from api.dispatch.kept import sightings
from api.dispatch.kept.sightings import with_seen
from api.dispatch.translate import reports_of, rider_out
from api.matching.forms import StopIn
from api.store import SERVICE, Database
from api.store.dispatch import riders as rider_rows
from geo.earth import DEGREE_M
from routing.dispatch import RiderKey
from routing.model import Policy, Task, Visit

KEY = RiderKey("red", "r")


def at(column: int, row: int) -> tuple[float, float]:
    """About a junction of the town, whose streets are 120 m apart."""
    north = 120.0 / DEGREE_M
    return 116.3 + column * north / math.cos(math.radians(39.98)), 39.98 + row * north


def report(place: tuple[float, float], at_s: float, stops: tuple[StopIn, ...] | None = None) -> RiderStateIn:
    instant = datetime.datetime.fromtimestamp(at_s, datetime.UTC)
    return RiderStateIn(rider_id="r", at=instant, lon=place[0], lat=place[1], stops=stops)


def said(
    desk: Desk, clock: Clock, place: tuple[float, float], stops: tuple[StopIn, ...] | None = None
) -> None:
    def work(turn: Turn) -> None:
        known = {key.rider_id: body for key, body in desk.memory.bodies.items()}
        request = RidersIn(datum="wgs84", riders=(report(place, clock.now_s, stops),))
        put_riders(turn, RED, "red", reports_of(request, known, turn.now_s, datetime.UTC, desk.policy))

    desk.submit(work).result(20)


def a_task(place: tuple[float, float], name: str) -> Task:
    return Task(name, Visit(place, 30.0, NOW, NOW + 90_000.0))


def stored_body(database: Database) -> dict[str, object]:
    with database.reading() as connection:
        row = rider_rows.get(connection, SERVICE, "red", "r")
    assert row is not None
    assert row.body is not None
    return dict(row.body)


def test_positions_become_past_stops_and_outlive_a_restart(database: Database) -> None:
    clock = Clock()
    with desk_on(database, clock) as desk:
        for step in range(40):
            clock.now_s = NOW + 20.0 * step
            # Five minutes at one door, then three columns on.
            said(desk, clock, at(2, 3) if step < 16 else at(min(step - 13, 6), 3))
        kept = desk.memory.bodies[KEY]["seen"]
        assert [row[0] for row in kept["past"]] == [NOW, NOW + 20.0 * 19]
        assert kept["past"][0][1:] == pytest.approx(at(2, 3))
        assert len(kept["recent"]) == 40
        assert stored_body(database)["seen"] == kept
    with desk_on(database, clock) as desk:
        assert KEY.fleet_id in desk.city.board.untold
        (offer,) = put_up(desk, a_task(at(6, 3), "T1"), "near").state.open
        assert offer.rider == KEY
        assert put_up(desk, a_task(at(0, 9), "T2"), "far").state.open == ()


def test_whoever_tells_a_plan_is_no_longer_watched(database: Database) -> None:
    clock = Clock()
    with desk_on(database, clock) as desk:
        said(desk, clock, at(0, 0))
        assert put_up(desk, a_task(at(9, 9), "T1"), "far").state.open == ()
        clock.now_s += 20.0
        said(desk, clock, at(0, 0), ())
        assert "seen" not in stored_body(database)
        assert KEY.fleet_id not in desk.city.board.untold
        # Nothing to do is a plan, too.
        assert put_up(desk, a_task(at(5, 5), "T2"), "less far").state.open != ()


def test_no_answer_shows_what_is_kept(database: Database) -> None:
    clock = Clock()
    with desk_on(database, clock) as desk:
        said(desk, clock, at(0, 0))
        body, rider = desk.memory.bodies[KEY], desk.city.board.rider(KEY)
        assert rider is not None
        shown = rider_out(KEY, body, rider, "wgs84", datetime.UTC, Policy())
        assert "seen" not in shown.model_dump_json()
    assert "seen" in body


def test_what_is_old_is_forgotten_though_nothing_is_reported(database: Database) -> None:
    clock = Clock()
    with desk_on(database, clock) as desk:
        for step in range(20):
            clock.now_s = NOW + 20.0 * step
            said(desk, clock, at(2, 3))
        clock.now_s += 3_600.0
        desk.submit(sightings.forget_old).result(20)
        kept = desk.memory.bodies[KEY]["seen"]
        assert (len(kept["past"]), kept["recent"]) == (1, [])
        assert stored_body(database)["seen"] == kept
        clock.now_s += sightings.PAST_S
        desk.submit(sightings.forget_old).result(20)
        assert "seen" not in desk.memory.bodies[KEY]
        assert "seen" not in stored_body(database)
        # The next report begins anew.
        said(desk, clock, at(2, 3))
        assert len(desk.memory.bodies[KEY]["seen"]["recent"]) == 1


def test_another_process_asks_them_too(shared: Database) -> None:
    clock = Clock()
    other = Database(shared.url.render_as_string(hide_password=False))
    with desk_on(shared, clock) as first, desk_on(other, clock) as second:
        said(second, clock, at(0, 0))
        far = Task("T1", Visit(at(9, 9), 30.0, NOW, NOW + 3_600.0))
        until = time.monotonic() + 20.0
        while KEY.fleet_id not in first.city.board.untold and time.monotonic() < until:
            time.sleep(0.05)
        assert put_up(first, far, "far").state.open == ()
        near = Task("T2", Visit(at(1, 0), 30.0, NOW, NOW + 3_600.0))
        assert [offer.rider for offer in put_up(first, near, "near").state.open] == [KEY]
    other.close()


def test_what_is_kept_is_bounded() -> None:
    rng = np.random.default_rng(1)
    body: dict[str, Any] = {"lon": 116.3, "lat": 39.98, "at_s": NOW}
    for _ in range(400):
        lon, lat = rng.uniform([116.3, 39.98], [116.31, 39.99]).tolist()
        for stay_s in (5.0, 5.0, 130.0):
            body = with_seen({**body, "lon": lon, "lat": lat, "at_s": body["at_s"] + stay_s})
    kept = body["seen"]
    assert len(kept["past"]) == sightings.MOST_PAST
    assert kept["recent"][0][0] >= body["at_s"] - 900.0
    assert min(np.diff([row[0] for row in kept["recent"]])) >= sightings.APART_S


def test_positions_that_come_together_are_all_kept() -> None:
    """Phones without a net send a quarter of an hour at once; the plan in the first report holds, too."""
    stop = StopIn(stop_id="s", lon=116.3, lat=39.98)
    batch = tuple(report(at(step % 9, 0), NOW - 200.0 + 20.0 * step) for step in range(10))
    request = RidersIn(datum="wgs84", riders=batch)
    last = reports_of(request, {}, NOW, datetime.UTC, Policy())[-1]
    assert len(last.body["seen"]["recent"]) == 10
    planned = RidersIn(datum="wgs84", riders=(report(at(0, 0), NOW - 40.0, (stop,)), *batch[9:]))
    last = reports_of(planned, {}, NOW, datetime.UTC, Policy())[-1]
    assert [one["stop_id"] for one in last.body["stops"]] == ["s"]
    assert not last.moved_only
    # What is older than what stands before it is no news.
    back = RidersIn(datum="wgs84", riders=(batch[9], batch[8]))
    assert len(reports_of(back, {}, NOW, datetime.UTC, Policy())[0].body["seen"]["recent"]) == 1


def test_two_stops_one_after_the_other_and_a_report_that_is_sent_again() -> None:
    body: dict[str, Any] = {}
    for step in range(20):
        lon, lat = at(0, 0) if step < 10 else at(3, 0)
        for _ in range(2):
            body = with_seen({**body, "lon": lon, "lat": lat, "at_s": NOW + 20.0 * step})
    kept = body["seen"]
    assert [row[0] for row in kept["past"]] == [NOW, NOW + 200.0]
    assert len(kept["recent"]) == 20
