"""Commands that wait together, and processes that share a city with one that fails."""

import concurrent.futures
import threading
import time
from functools import partial

import numpy as np
import pytest
import sqlalchemy as sa
from desks import OFFICE, RED, Clock, desk_on, do, put, put_up, rider_in, task

from api.dispatch.commands import Published, on_task, publish
from api.dispatch.turn import Labelled, Turn
from api.store import SERVICE, Database, StoreUnavailable
from api.store.dispatch import tasks as task_rows
from routing.dispatch import Withdraw


def test_a_process_that_stands_still_holds_up_nobody_else(shared: Database) -> None:
    rng = np.random.default_rng(8)
    with desk_on(shared, Clock()) as desk:
        put(desk, RED, *(rider_in(rng, f"r{n}") for n in range(4)))
        put_up(desk, task(rng, "T1"), "one")
        put_up(desk, task(rng, "T2"), "two")
        with shared.transaction() as stuck:
            assert task_rows.load_for_update(stuck, SERVICE, "T1") is not None
            waiting = [
                desk.submit(partial(on_task, who=OFFICE, task_id=name, command=Withdraw()), name)
                for name in ("T1", "T2")
            ]
            with pytest.raises(StoreUnavailable):
                waiting[0].result(20)
            assert waiting[1].result(20).state.status == "withdrawn"
        done = do(desk, partial(on_task, who=OFFICE, task_id="T1", command=Withdraw()))
        assert done.state.status == "withdrawn"


def test_what_nobody_was_told_of_is_found_all_the_same(
    shared: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, other = np.random.default_rng(6), Database(shared.url.render_as_string(hide_password=False))
    # The process dies after it has written and before it has told.
    monkeypatch.setattr(shared, "deliver", lambda _: None)
    with desk_on(shared, Clock()) as first, desk_on(other, Clock()) as second:
        put(first, RED, rider_in(rng, "r0"))
        until_s = time.monotonic() + 20
        while second.counts().riders < 1:
            assert time.monotonic() < until_s
            time.sleep(0.05)
    other.close()


def test_tasks_that_wait_together_are_looked_up_together(database: Database) -> None:
    rng = np.random.default_rng(4)
    read: list[str] = []

    def before(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("SELECT tasks.") and "label" in statement.partition("WHERE")[2]:
            read.append(statement)

    with desk_on(database, Clock()) as desk:
        put_up(desk, task(rng, "T0"), "our 0")
        entered, gate = threading.Event(), threading.Event()

        def hold(_: Turn) -> None:
            entered.set()
            gate.wait(20)

        desk.submit(hold)
        assert entered.wait(20)
        sa.event.listen(database.engine, "before_cursor_execute", before)

        def later(n: int, label: str) -> "concurrent.futures.Future[Published]":
            one = task(rng, f"N{n}")
            work = partial(publish, who=OFFICE, task=one, label=label, grid_code=None, body={})
            return desk.submit(work, called=Labelled(OFFICE, "office", label))

        waiting = [later(n, f"our {n % 4}") for n in range(6)]
        gate.set()
        told = [one.result(20) for one in waiting]
        assert [one.new for one in told] == [False, True, True, True, False, False]
        assert [one.row.task_id for one in told] == ["T0", "N1", "N2", "N3", "T0", "N1"]
        assert len(read) == 1
