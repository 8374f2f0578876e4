"""Riders, tasks, offers and events: one contract for both databases."""

import dataclasses
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_rows import BLUE, GRID, PLANNER, YELLOW, event, offer, task

from api.store import SERVICE, Database, OutOfScopeError
from api.store.dispatch import events, offers, riders, tasks
from api.store.dispatch.riders import RiderUpdate
from api.store.rows import PageEnd


def _put(database: Database, *updates: tuple[str, float, int], tenant: str = "blue") -> riders.Written:
    bulk = [RiderUpdate(rider, at_s, {"n": number}) for rider, at_s, number in updates]
    with database.transaction() as connection:
        return riders.put(connection, SERVICE, tenant, bulk)


def _all(database: Database) -> dict[str, tuple[float, int]]:
    with database.reading() as connection:
        rows, _ = riders.read_all(connection, SERVICE)
    return {row.rider_id: (row.at_s, row.body["n"]) for row in rows if row.body is not None}


def test_an_older_update_is_ignored_and_counted(database: Database) -> None:
    first = _put(database, ("a", 10, 1), ("b", 10, 1))
    second = _put(database, ("a", 9, 2), ("b", 11, 2), ("c", 1, 2))
    assert (first.written, first.ignored) == (("a", "b"), ())
    assert (second.written, second.ignored) == (("b", "c"), ("a",))
    assert _all(database) == {"a": (10, 1), "b": (11, 2), "c": (1, 2)}


def test_a_rider_twice_in_one_bulk_counts_once(database: Database) -> None:
    written = _put(database, ("a", 3, 1), ("a", 5, 2), ("a", 4, 3), ("a", 5, 4))
    assert (written.written, written.ignored) == (("a",), ("a",) * 3)
    assert _all(database) == {"a": (5, 4)}


def test_a_deleted_rider_is_told_and_an_older_update_does_not_bring_him_back(database: Database) -> None:
    seq = _put(database, ("a", 10, 1), ("b", 10, 1)).seq
    with database.transaction() as connection:
        gone = riders.delete(connection, BLUE, "blue", ["a", "nobody"], 20.0)
        with pytest.raises(OutOfScopeError):
            riders.delete(connection, YELLOW, "blue", ["b"], 20.0)
    assert gone.written == ("a",)
    with database.reading() as connection:
        changed, at = riders.changed_since(connection, SERVICE, seq)
        assert [(row.rider_id, row.body) for row in changed] == [("a", None)]
        assert riders.changed_since(connection, SERVICE, at) == ([], at)
        # What a reader wrote it need not read again, what others wrote since it must.
        assert riders.changed_since(connection, SERVICE, 0, {gone.seq})[0][0].rider_id == "b"
        assert riders.changed_since(connection, SERVICE, 0, {seq, gone.seq}) == ([], at)
        assert riders.get(connection, BLUE, "blue", "a") is None
    assert _put(database, ("a", 15, 2)).ignored == ("a",)
    assert set(_all(database)) == {"b"}
    with database.transaction() as connection:
        assert riders.forget_deleted(connection, SERVICE, 20.0) == 0
        assert riders.forget_deleted(connection, SERVICE, 21.0) == 1
    assert _put(database, ("a", 15, 2)).written == ("a",)


def test_riders_come_in_pages(database: Database) -> None:
    _put(database, *((f"r{k}", 1, k) for k in range(7)))
    with database.reading() as connection:
        found: list[str] = []
        after: tuple[str, str] | None = None
        while part := riders.page(connection, BLUE, after, 3):
            found += [row.rider_id for row in part]
            after = part[-1].tenant_id, part[-1].rider_id
        assert found == [f"r{k}" for k in range(7)]
        assert riders.page(connection, YELLOW, None, 3) == []


STEPS = st.lists(
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 6), st.booleans()), min_size=1, max_size=4),
    max_size=8,
)


@settings(
    max_examples=15,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_whatever_comes_in_whatever_order_the_newest_stays(
    database: Database, steps: list[list[tuple[str, int, bool]]]
) -> None:
    with database.transaction() as connection:
        rows, seq = riders.read_all(connection, SERVICE)
        riders.delete(connection, SERVICE, "blue", [row.rider_id for row in rows], 1e6)
        riders.forget_deleted(connection, SERVICE, 1e7)
    plain: dict[str, tuple[float, int | None]] = {}
    follower: dict[str, tuple[float, int | None]] = {}
    for number, step in enumerate(steps):
        for rider, at_s, goes in step:
            with database.transaction() as connection:
                if goes:
                    riders.delete(connection, BLUE, "blue", [rider], at_s)
                else:
                    riders.put(connection, BLUE, "blue", [RiderUpdate(rider, at_s, {"n": number})])
            known = plain.get(rider)
            if known is None and goes:
                continue
            if known is not None and ((goes and known[1] is None) or at_s < known[0]):
                continue
            plain[rider] = (at_s, None if goes else number)
        with database.reading() as connection:
            changed, seq = riders.changed_since(connection, SERVICE, seq)
        for row in changed:
            follower[row.rider_id] = (row.at_s, None if row.body is None else row.body["n"])
        assert follower == plain
    assert _all(database) == {rider: one for rider, one in plain.items() if one[1] is not None}


def test_a_task_is_kept_and_its_label_is_unique_for_its_publisher(database: Database) -> None:
    with database.transaction() as connection:
        tasks.insert(connection, PLANNER, task("t1"))
        tasks.insert(connection, BLUE, task("t2", "blue", label="t1"))
    with pytest.raises(tasks.LabelTakenError), database.transaction() as connection:
        tasks.insert(connection, PLANNER, task("t3", label="t1"))
    with database.reading() as connection:
        assert tasks.get(connection, PLANNER, "t1") == task("t1")
        assert tasks.by_label(connection, BLUE, "blue", "t1") == task("t2", "blue", label="t1")
        assert tasks.get(connection, BLUE, "t1") is None


def test_a_stale_version_is_not_saved(database: Database) -> None:
    with database.transaction() as connection:
        tasks.insert(connection, PLANNER, task("t1"))
        read = tasks.load_for_update(connection, SERVICE, "t1")
        assert read is not None
        saved = tasks.save(connection, SERVICE, dataclasses.replace(read, status="offered", state={"n": 1}))
        assert (saved.version, tasks.get(connection, SERVICE, "t1")) == (2, saved)
        with pytest.raises(tasks.VersionConflictError):
            tasks.save(connection, SERVICE, read)
        with pytest.raises(tasks.VersionConflictError):
            tasks.save(connection, YELLOW, saved)


def test_many_rows_at_once_are_one_row_after_the_other(database: Database) -> None:
    with database.transaction() as connection:
        made = [task("t1"), task("t2", "blue"), task("t3")]
        tasks.insert_all(connection, SERVICE, made)
        offers.insert(connection, SERVICE, [offer("o1", "t1"), offer("o2", "t2")])
    # One of many is taken: none is written.
    with pytest.raises(tasks.LabelTakenError), database.transaction() as connection:
        tasks.insert_all(connection, SERVICE, [task("t4"), task("t5", label="t1"), task("t6")])
    with database.transaction() as connection:
        saved = tasks.save_all(
            connection, SERVICE, [dataclasses.replace(one, state={"n": 1}) for one in made]
        )
        offers.save_all(connection, SERVICE, [offer("o1", "t1", status="b"), offer("o2", "t2", status="c")])
    # One of many is stale, or not there: none is changed.
    with pytest.raises(tasks.VersionConflictError), database.transaction() as connection:
        tasks.save_all(connection, SERVICE, [saved[0], made[1], saved[2]])
    with pytest.raises(LookupError), database.transaction() as connection:
        offers.save_all(connection, SERVICE, [offer("o1", "t1", status="d"), offer("o9", "t2")])
    with database.reading() as connection:
        assert tasks.of_ids(connection, SERVICE, ["t1", "t2", "t3", "t4", "t6"]) == saved
        assert [one.version for one in saved] == [2, 2, 2]
        there = offers.of_task(connection, SERVICE, "t1") + offers.of_task(connection, SERVICE, "t2")
        assert [one.status for one in there] == ["b", "c"]


def test_two_who_change_one_task_wait_for_each_other(database: Database) -> None:
    with database.transaction() as connection:
        tasks.insert(connection, SERVICE, task("t1", state={"n": 0}))

    def count() -> None:
        for _ in range(10):
            with database.transaction() as connection:
                row = tasks.load_for_update(connection, SERVICE, "t1")
                assert row is not None
                tasks.save(connection, SERVICE, dataclasses.replace(row, state={"n": row.state["n"] + 1}))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as connection:
        row = tasks.get(connection, SERVICE, "t1")
    assert row is not None
    assert (row.state, row.version) == ({"n": 40}, 41)


def test_tasks_come_in_pages_by_time_and_id(database: Database) -> None:
    made = [task(f"t{k}", created_s=float(k // 3), status="done" if k % 2 else "published") for k in range(9)]
    with database.transaction() as connection:
        for one in reversed(made):
            tasks.insert(connection, SERVICE, one)
    with database.reading() as connection:
        found: list[str] = []
        position: PageEnd | None = None
        while part := tasks.page(connection, PLANNER, position, 2):
            found += [row.task_id for row in part]
            position = PageEnd(part[-1].created_s, part[-1].task_id)
        assert found == [f"t{k}" for k in range(9)]
        odd = tasks.page(connection, PLANNER, None, 9, ["done"])
        assert [row.task_id for row in odd] == ["t1", "t3", "t5", "t7"]
        assert odd == tasks.with_status(connection, SERVICE, ["done"])


def test_grid_staff_publish_only_in_their_own_grids(database: Database) -> None:
    with database.transaction() as connection:
        tasks.insert(connection, GRID, task("t1"))
        with pytest.raises(OutOfScopeError):
            tasks.insert(connection, GRID, task("t2", grid_code="G2"))
        with pytest.raises(OutOfScopeError):
            tasks.insert(connection, GRID, task("t2", "blue"))


def test_offers_are_found_by_task_and_rider(database: Database) -> None:
    made = [offer(f"o{k}", "t1", rider=f"r{k % 2}", made_s=float(k), expires_s=60.0 - k) for k in range(4)]
    made.append(offer("o9", "t1", "yellow", "r1", status="declined"))
    with database.transaction() as connection:
        tasks.insert(connection, SERVICE, task("t1"))
        offers.insert(connection, SERVICE, made)
        with pytest.raises(OutOfScopeError):
            offers.insert(connection, BLUE, [offer("o8", "t1")])
    with database.transaction() as connection:
        assert [one.offer_id for one in offers.of_rider(connection, BLUE, "blue", "r1", ["made"])] == [
            "o1",
            "o3",
        ]
        assert [one.offer_id for one in offers.of_task(connection, YELLOW, "t1")] == ["o9"]
        assert offers.page(connection, BLUE, PageEnd(1.0, "o1"), 9) == made[2:4]
        offers.save(connection, SERVICE, dataclasses.replace(made[0], status="accepted"))
        assert [one.offer_id for one in offers.with_status(connection, SERVICE, ["accepted"])] == ["o0"]
        with pytest.raises(LookupError):
            offers.save(connection, YELLOW, made[0])
        assert offers.get(connection, YELLOW, "o0") is None


def test_events_have_growing_numbers_and_the_publisher_learns_no_rider(database: Database) -> None:
    happened = [event(1), event(2, "office", "blue", "r1"), event(3, "yellow")]
    with database.transaction() as connection:
        first, second, third = events.append(connection, SERVICE, happened)
        with pytest.raises(OutOfScopeError):
            events.append(connection, BLUE, happened)
    assert first < second < third
    with database.reading() as connection:
        assert [row.event for row in events.after(connection, SERVICE, 0, 9)] == happened
        assert [row.event for row in events.after(connection, BLUE, 0, 9)] == [happened[1]]
        seen = events.after(connection, PLANNER, 0, 9)
        assert [row.seq for row in seen] == [first, second]
        assert seen[1].event == dataclasses.replace(
            happened[1], platform_tenant_id=None, rider_id=None, platform_body=None
        )
        assert events.after(connection, SERVICE, first, 1)[0].seq == second
        assert events.after(connection, SERVICE, 0, 9, ["task.published"]) == []
        assert events.last_seq(connection, SERVICE) == third
        assert events.last_seq(connection, BLUE) == second
        assert len(events.of_task(connection, SERVICE, "t1")) == 3


def test_a_change_that_fails_leaves_no_event(database: Database) -> None:
    def fail() -> None:
        with database.transaction() as connection:
            events.append(connection, SERVICE, [event(1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.reading() as connection:
        assert events.after(connection, SERVICE, 0, 9) == []


def test_a_reader_never_passes_a_number_that_is_not_committed_yet(database: Database) -> None:
    """The slow writer takes its number first and commits last; a reader in between waits for it."""
    if database.dialect == "sqlite":
        # One writer: numbers are committed in their order.
        return
    seen: list[int] = []

    def follow() -> None:
        with database.reading() as connection:
            rows = events.after(connection, SERVICE, 0, 9)[len(seen) :]
            seen.extend(row.event.body["number"] for row in rows)

    with database.transaction() as slow:
        events.append(slow, SERVICE, [event(1)])
        with database.transaction() as quick:
            events.append(quick, SERVICE, [event(2)])
        follow()
        assert seen == []
    follow()
    assert seen == [1, 2]


def test_readers_miss_no_event_of_many_writers(database: Database) -> None:
    writing = threading.Event()
    writing.set()

    def write(writer: int) -> None:
        for number in range(40):
            with database.transaction() as connection:
                events.append(connection, SERVICE, [event(writer * 1000 + number), event(-1)])

    got: list[tuple[int, int]] = []

    def read() -> None:
        more = True
        while more:
            more = writing.is_set()
            with database.reading() as connection:
                rows = events.after(connection, SERVICE, got[-1][0] if got else 0, 7)
            got.extend((row.seq, row.event.body["number"]) for row in rows)
            more = more or bool(rows)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    reader = threading.Thread(target=read)
    for thread in (*threads, reader):
        thread.start()
    for thread in threads:
        thread.join()
    writing.clear()
    reader.join()
    wanted = {writer * 1000 + number for writer in range(4) for number in range(40)}
    numbers = [number for _, number in got if number >= 0]
    assert len(numbers) == len(wanted)
    assert set(numbers) == wanted
    assert [seq for seq, _ in got] == sorted({seq for seq, _ in got})
    for writer in range(4):
        own = [number for number in numbers if number // 1000 == writer]
        assert own == sorted(own)
