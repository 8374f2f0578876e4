"""The desk on a real file: what is answered is kept, what fails is not told, a restart goes on."""

import concurrent.futures
import contextlib
import datetime
import threading
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import sqlalchemy as sa
from desks import BLUE, OFFICE, RED, TOWN, Clock, desk_on, do, put, put_up, rider_in, task
from towns import NOW, place_in

from api.dispatch import codec, laying
from api.dispatch import desk as live_desk
from api.dispatch.commands import accept, answer_offer, on_task
from api.dispatch.desk import Desk, MissingError
from api.dispatch.forms import RiderStateIn
from api.matching.forms import StopIn
from api.store import SERVICE, Database, Scope, StoreUnavailable
from api.store.dispatch import events as stored
from api.store.dispatch import riders as rider_rows
from api.store.dispatch import tasks as task_rows
from geo.errors import InputError
from routing.dispatch import (
    ConflictError,
    Decline,
    Finish,
    Return,
    RiderKey,
    Verify,
    Withdraw,
    fold,
)


def test_a_task_goes_from_publishing_to_verification_and_the_store_agrees(database: Database) -> None:
    rng, clock = np.random.default_rng(1), Clock()
    with desk_on(database, clock) as desk:
        assert put(desk, RED, *(rider_in(rng, f"r{n}") for n in range(4))).written == 4
        shown = put_up(desk, task(rng))
        assert shown.new
        (offer,) = shown.state.open
        assert do(desk, lambda turn: accept(turn, RED, offer.offer_id)).offer.status == "accepted"
        do(desk, lambda turn: answer_offer(turn, RED, Finish(offer.offer_id, "seen")))
        done = do(desk, lambda turn: on_task(turn, OFFICE, "T1", Verify("good")))
        assert done.state.status == "verified"
        assert "T1" not in desk.city.tasks
    with database.reading() as connection:
        row = task_rows.get(connection, SERVICE, "T1")
        events = codec.events_of(stored.of_task(connection, SERVICE, "T1"))
    assert row is not None
    assert row.status == "verified"
    assert fold(events) == codec.state_of(row.state)


@pytest.mark.parametrize("at_once", [1, 2, 2_500])
def test_a_restart_goes_on_where_it_was(
    database: Database, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(laying, "LAID_AT_ONCE", at_once)
    rng, clock = np.random.default_rng(2), Clock()
    with desk_on(database, clock) as desk:
        put(desk, RED, *(rider_in(rng, f"r{n}") for n in range(3)))
        for number in range(4):
            shown = put_up(desk, task(rng, f"T{number}"), f"our {number}")
            if number % 2:
                for offer in shown.state.open:
                    do(desk, partial(accept, who=RED, offer_id=offer.offer_id))
        before = dict(desk.city.tasks)
        plans = {key: desk.city.board.rider(key) for key in desk.memory.bodies}
    with desk_on(database, clock) as desk:
        assert desk.city.tasks == before
        for key, plan in plans.items():
            again = desk.city.board.rider(key)
            assert plan is not None
            assert again is not None
            assert [stop.stop_id for stop in again.stops] == [stop.stop_id for stop in plan.stops]
        open_ids = [offer.offer_id for state in before.values() for offer in state.open]
        for offer_id in open_ids:
            do(desk, partial(answer_offer, who=RED, command=Decline(offer_id)))


def test_a_yes_costs_few_statements(database: Database) -> None:
    """Each is a round trip to PostgreSQL while everybody waits."""
    rng, said = np.random.default_rng(3), list[str]()

    def heard(_: object, __: object, statement: str, *___: object) -> None:
        if threading.current_thread().name == "yilu-desk":
            said.append(statement)

    with desk_on(database, Clock()) as desk:
        put(desk, RED, rider_in(rng, "r0"))
        (offer,) = put_up(desk, task(rng)).state.open
        time.sleep(3 * live_desk.FOLLOW_S)
        do(desk, lambda _: None)
        sa.event.listen(database.engine, "before_cursor_execute", heard)
        sa.event.listen(database.engine, "commit", lambda _: said.append("COMMIT"))
        do(desk, lambda turn: accept(turn, RED, offer.offer_id))
    said = said[: said.index("COMMIT")]
    # The task, the offer, the event; on SQLite BEGIN is one too, on PostgreSQL the row locked, the order of
    # numbers and the notice to other processes.
    assert 3 <= len(said) <= {"sqlite": 4, "postgresql": 6}[database.dialect], said


def test_nobody_answers_for_another(database: Database) -> None:
    rng, clock = np.random.default_rng(3), Clock()
    with desk_on(database, clock) as desk:
        put(desk, RED, rider_in(rng, "r0"))
        (offer,) = put_up(desk, task(rng)).state.open
        others = [BLUE, OFFICE, Scope("red", "rider", (), "r9"), Scope("blue", "rider", (), "r0")]
        for who in others:
            with pytest.raises(MissingError):
                do(desk, partial(accept, who=who, offer_id=offer.offer_id))
        with pytest.raises(MissingError):
            do(desk, lambda turn: on_task(turn, RED, "T1", Verify()))
        own = Scope("red", "rider", (), "r0")
        assert do(desk, lambda turn: accept(turn, own, offer.offer_id)).offer.status == "accepted"


def test_one_offer_many_yeses(database: Database) -> None:
    """Whatever else is asked at the same time, a task has one winner, and a second yes changes nothing."""
    rng, clock = np.random.default_rng(4), Clock()
    with desk_on(database, clock) as desk:
        put(desk, RED, *(rider_in(rng, f"r{n}") for n in range(3)))
        (offer,) = put_up(desk, task(rng)).state.open
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            works = [
                pool.submit(desk.submit, lambda turn: accept(turn, RED, offer.offer_id)) for _ in range(40)
            ]
            answers = [work.result(20).result(20) for work in works]
        assert {answer.offer.status for answer in answers} == {"accepted"}
    with database.reading() as connection:
        kinds = [row.event.kind for row in stored.of_task(connection, SERVICE, "T1")]
    assert kinds.count("offer_accepted") == 1


def test_what_could_not_be_kept_is_not_told_and_not_remembered(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, clock = np.random.default_rng(5), Clock()
    with desk_on(database, clock) as desk:
        put(desk, RED, rider_in(rng, "r0"))
        (offer,) = put_up(desk, task(rng)).state.open
        with monkeypatch.context() as patch:

            def full(*_: object) -> list[int]:
                raise sa.exc.OperationalError("insert", {}, Exception("disk is full"))

            patch.setattr(stored, "append", full)
            with pytest.raises((StoreUnavailable, sa.exc.OperationalError)):
                do(desk, lambda turn: accept(turn, RED, offer.offer_id))
        again = do(desk, lambda turn: accept(turn, RED, offer.offer_id))
        assert again.offer.status == "accepted"
    with database.reading() as connection:
        kinds = [row.event.kind for row in stored.of_task(connection, SERVICE, "T1")]
    assert kinds.count("offer_accepted") == 1


def test_offers_run_out_without_anybody_asking(database: Database) -> None:
    rng, clock = np.random.default_rng(6), Clock()
    with desk_on(database, clock) as desk:
        put(desk, RED, *(rider_in(rng, f"r{n}") for n in range(2)))
        (first,) = put_up(desk, task(rng)).state.open
        clock.now_s += 61.0
        do(desk, lambda turn: None)
        (second,) = desk.city.tasks["T1"].open
        assert second.rider != first.rider
        with pytest.raises(ConflictError) as caught:
            do(desk, lambda turn: accept(turn, RED, first.offer_id))
        assert (caught.value.code, caught.value.status) == ("closed", "expired")


def test_an_older_report_is_ignored_and_a_position_keeps_the_plan(database: Database) -> None:
    rng, clock = np.random.default_rng(7), Clock()
    with desk_on(database, clock) as desk:
        put(desk, RED, rider_in(rng, "r0", NOW))
        old = put(desk, RED, rider_in(rng, "r0", NOW - 60.0))
        assert (old.written, old.ignored) == (0, ("r0",))
        lon, lat = place_in(TOWN, rng)
        at = datetime.datetime.fromtimestamp(NOW + 5, datetime.UTC)
        put(desk, RED, RiderStateIn(rider_id="r0", at=at, lon=lon, lat=lat))
        plan = desk.city.board.rider(RiderKey("red", "r0"))
        assert plan is not None
        assert plan.lonlat == pytest.approx((lon, lat))
        assert [stop.stop_id for stop in plan.stops] == ["s0"]


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


def names_of(desk: Desk, key: RiderKey) -> list[str]:
    plan = desk.city.board.rider(key)
    return [] if plan is None else [stop.stop_id for stop in plan.stops]


def test_two_processes_share_a_city_and_one_leads(shared: Database) -> None:
    """What one writes the other has, whoever answers; when the leader ends, the other one asks riders."""
    rng, clock = np.random.default_rng(8), Clock()
    other = Database(shared.url.render_as_string(hide_password=False))
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(desk_on(shared, clock))
        with desk_on(other, clock) as second:
            assert (first.memory.leading, second.memory.leading) == (True, False)
            put(second, RED, *(rider_in(rng, f"r{n}") for n in range(3)))
            # Published at the one that does not lead: the leader asks.
            shown = put_up(second, task(rng))
            assert not shown.state.open
            until(lambda: bool(second.city.tasks["T1"].open))
            (offer,) = second.city.tasks["T1"].open
            do(second, lambda turn: accept(turn, RED, offer.offer_id))
            until(lambda: first.city.tasks["T1"].status == "accepted")
            until(lambda: "T1" in names_of(first, offer.rider))
            assert names_of(first, offer.rider) == names_of(second, offer.rider)
            stack.close()
            put_up(second, task(rng, "T2"), "our 2")
            clock.now_s += 2.0
            until(lambda: second.memory.leading)
            until(lambda: bool(second.city.tasks["T2"].open))
    other.close()


def test_nobody_reads_again_what_they_have_written(shared: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it is so much that the list of it would grow; another process reads all of it."""
    rng, clock = np.random.default_rng(8), Clock()
    read: list[str] = []
    tasks_after, changed_since = stored.tasks_after, rider_rows.changed_since

    def tasks(*given: object) -> object:
        read.append(threading.current_thread().name)
        return tasks_after(*given)  # type: ignore[arg-type]

    def riders(*given: object) -> object:
        found = changed_since(*given)  # type: ignore[arg-type]
        read.extend(f"rider {one.rider_id}" for one in found[0])
        return found

    monkeypatch.setattr(stored, "tasks_after", tasks)
    monkeypatch.setattr(rider_rows, "changed_since", riders)
    with desk_on(shared, clock) as desk:
        put(desk, RED, *(rider_in(rng, f"r{n}") for n in range(3)))
        time.sleep(3 * live_desk.FOLLOW_S)
        put_up(desk, task(rng, "T0"), "our 0")
        time.sleep(3 * live_desk.FOLLOW_S)
        # What was there when listening began.
        read.clear()
        for number in range(1, 5):
            put_up(desk, task(rng, f"T{number}"), f"our {number}")
        time.sleep(6 * live_desk.FOLLOW_S)
        assert read == []
        monkeypatch.setattr(live_desk, "FOLLOWED_AT_ONCE", 5)
        put_up(desk, task(rng, "T5"), "our 5")
        put_up(desk, task(rng, "T6"), "our 6")
        assert set(read) == {"yilu-desk"}
        assert len(desk.memory.own) < 10
        # Who looks by themselves, too.
        put(desk, RED, rider_in(rng, "r1", NOW + 2.0))
        desk._look_from_s = 0.0
        until(lambda: not desk.memory.own_riders)
        assert not [one for one in read if one.startswith("rider")]
        other = Database(shared.url.render_as_string(hide_password=False))
        with desk_on(other, clock) as second:
            put(second, RED, rider_in(rng, "r9", NOW + 1.0))
            until(lambda: RiderKey("red", "r9") in desk.memory.bodies)
        other.close()


def test_two_processes_and_one_offer(shared: Database) -> None:
    """Yes and no at the same time in two processes: one of them counts, in both."""
    rng, clock = np.random.default_rng(9), Clock()
    other = Database(shared.url.render_as_string(hide_password=False))
    with desk_on(shared, clock) as first, desk_on(other, clock) as second:
        put(first, RED, *(rider_in(rng, f"r{n}") for n in range(3)))
        for number in range(10):
            name = f"T{number}"
            (offer,) = put_up(first, task(rng, name), f"our {number}").state.open
            until(lambda name=name: name in second.city.tasks)  # type: ignore[misc]
            works = [
                first.submit(partial(accept, who=RED, offer_id=offer.offer_id)),
                second.submit(partial(answer_offer, who=RED, command=Decline(offer.offer_id))),
            ]
            concurrent.futures.wait(works, 20)
            fates = [work.exception() for work in works]
            assert sum(fate is None for fate in fates) == 1, fates
            with shared.reading() as connection:
                kinds = [row.event.kind for row in stored.of_task(connection, SERVICE, name)]
                row = task_rows.get(connection, SERVICE, name)
            assert row is not None
            mine = codec.state_of(row.state).offer(offer.offer_id)
            assert mine is not None
            assert mine.status in ("accepted", "declined")
            assert kinds.count("offer_accepted") + kinds.count("offer_closed") >= 1
            do(first, partial(on_task, who=OFFICE, task_id=name, command=Withdraw()))
    other.close()


def test_who_gives_up_waiting_takes_nobody_with_them(database: Database) -> None:
    """A lost connection cancels its command; the desk goes on."""
    with desk_on(database, Clock()) as desk:
        gate = threading.Event()
        held = desk.submit(lambda turn: gate.wait(10))
        given_up = [desk.submit(lambda turn: None) for _ in range(3)]
        assert [one.cancel() for one in given_up] == [True] * 3
        gate.set()
        assert held.result(10)
        assert do(desk, lambda turn: "on") == "on"


def test_a_command_after_the_end_is_answered(database: Database) -> None:
    with desk_on(database, Clock()) as desk:
        pass
    with pytest.raises(StoreUnavailable):
        desk.submit(lambda turn: None).result(1)


def budgets(desk: Desk) -> dict[RiderKey, float]:
    plans = {key: desk.city.board.rider(key) for key in desk.memory.bodies}
    return {key: round(plan.extra_last_hour_s, 3) for key, plan in plans.items() if plan is not None}


def test_what_a_rider_has_done_is_missing_from_the_hour_after_a_restart_too(database: Database) -> None:
    rng, clock = np.random.default_rng(11), Clock()
    with desk_on(database, clock) as desk:
        put(desk, RED, *(rider_in(rng, f"r{n}") for n in range(3)))
        for number in range(6):
            clock.now_s += 1.0
            for offer in put_up(desk, task(rng, f"T{number}"), f"our {number}").state.open:
                do(desk, partial(accept, who=RED, offer_id=offer.offer_id))
                if number % 3:
                    do(desk, partial(answer_offer, who=RED, command=Finish(offer.offer_id)))
                    if number % 3 == 2:
                        do(desk, partial(on_task, who=OFFICE, task_id=f"T{number}", command=Verify()))
        before = budgets(desk)
        assert sum(before.values()) > 0
    with desk_on(database, clock) as desk:
        assert budgets(desk) == before
        clock.now_s += 3_600.0
        put(desk, RED, *(rider_in(rng, f"r{n}", clock.now_s) for n in range(3)))
        assert set(budgets(desk).values()) == {0.0}


def test_what_is_given_back_is_given_back_in_every_process(shared: Database) -> None:
    rng, clock = np.random.default_rng(12), Clock()
    other = Database(shared.url.render_as_string(hide_password=False))
    with desk_on(shared, clock) as first, desk_on(other, clock) as second:
        put(first, RED, rider_in(rng, "r0"))
        (offer,) = put_up(first, task(rng)).state.open
        do(first, partial(accept, who=RED, offer_id=offer.offer_id))
        spent = budgets(first)
        assert sum(spent.values()) > 0
        until(lambda: budgets(second) == spent)
        do(first, partial(answer_offer, who=RED, command=Return(offer.offer_id)))
        assert set(budgets(first).values()) == {0.0}
        until(lambda: budgets(second) == budgets(first))
    other.close()


def test_a_request_that_does_not_fit_together_does_not_cost_the_city_its_memory(database: Database) -> None:
    rng, clock = np.random.default_rng(3), Clock()
    with desk_on(database, clock) as desk:
        put(desk, RED, rider_in(rng, "r0"))
        city = desk.city
        at = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
        lon, lat = place_in(TOWN, rng)
        late = at + datetime.timedelta(seconds=60)
        stop = StopIn(stop_id="s", lon=lon, lat=lat, earliest=late, due=at)
        wrong = RiderStateIn(rider_id="r1", at=at, lon=lon, lat=lat, stops=(stop,))
        with pytest.raises(InputError):
            put(desk, RED, wrong)
        # Anything but a refusal makes the desk read all riders and tasks anew.
        assert put(desk, RED, rider_in(rng, "r0", NOW + 1)).written == 1
        assert desk.city is city


def test_a_rider_of_whom_nothing_is_heard_is_not_asked_until_the_next_report(database: Database) -> None:
    """A phone that was switched off is no rider on the way, whatever plan it had."""
    rng, clock = np.random.default_rng(3), Clock()
    with desk_on(database, clock) as desk:
        there = rider_in(rng, "r1")
        put(desk, RED, there)
        clock.now_s += 899.0
        assert len(put_up(desk, task(rng, "early"), "early").state.open) == 1
        clock.now_s += 60.0
        assert not put_up(desk, task(rng, "T1"), "T1").state.open
        assert RiderKey("red", "r1") in desk.memory.bodies
    # Whoever reads the city anew does not ask either.
    with desk_on(database, clock) as desk:
        do(desk, lambda turn: None)
        assert len(desk.city.board.fleet) == 0
        # A position alone brings the plan back.
        at = datetime.datetime.fromtimestamp(clock.now_s, datetime.UTC)
        moved = RiderStateIn(rider_id="r1", at=at, lon=there.lon, lat=there.lat)
        put(desk, RED, moved)
        (rider,) = (desk.city.board.rider(RiderKey("red", "r1")),)
        assert rider is not None
        assert [stop.stop_id for stop in rider.stops] == ["s0"]
        assert len(put_up(desk, task(rng, "T2"), "T2").state.open) == 1
