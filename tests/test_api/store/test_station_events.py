"""What is said of stations: one word of each reporter, one visit a day, of one's own tenant only."""

import dataclasses

import pytest
import sqlalchemy as sa

from api.store import SERVICE, Database, OutOfScopeError, Scope
from api.store.civic import stations
from api.store.civic.stations import CHECK_IN, StationEvent, StationPlace

RIDER, OTHER = Scope("blue", "rider", rider_id="r1"), Scope("blue", "rider", rider_id="r2")
PLATFORM, STRANGER = Scope("blue", "platform"), Scope("yellow", "platform")
EAST, WEST = StationPlace("East", True, 116.3, 39.9), StationPlace("West", True, 116.4, 39.9)
WORD = StationEvent("", "E01", "blue", "rider:r1", False, "shut", 100.0, EAST)


def put(connection: sa.Connection, who: Scope, event: StationEvent, replaces_s: float = 0.0) -> None:
    stations.put(connection, who, event, replaces_s, event.place.__eq__)


def test_a_word_takes_the_place_of_the_last_one_and_of_no_others(database: Database) -> None:
    with database.transaction() as connection:
        put(connection, RIDER, WORD)
        put(connection, RIDER, dataclasses.replace(WORD, station_id="E02", place=WEST))
        put(connection, OTHER, dataclasses.replace(WORD, reporter="rider:r2"))
        put(connection, RIDER, dataclasses.replace(WORD, kind=CHECK_IN))
        put(connection, RIDER, dataclasses.replace(WORD, kind="fine", at_s=200.0))
        found = stations.words_since(connection, SERVICE, "", 0.0)
    assert [(one.station_id, one.reporter, one.kind) for one in found] == [
        ("E02", "rider:r1", "shut"),
        ("E01", "rider:r2", "shut"),
        ("E01", "rider:r1", "fine"),
    ]
    assert [one.place for one in found] == [WEST, EAST, EAST]


def test_a_word_takes_the_place_of_those_of_the_same_place_whatever_its_number(database: Database) -> None:
    with database.transaction() as connection:
        put(connection, RIDER, WORD)
        put(connection, RIDER, dataclasses.replace(WORD, place=WEST))
        put(connection, RIDER, dataclasses.replace(WORD, station_id="E07", kind="full", at_s=200.0))
        found = stations.words_since(connection, SERVICE, "", 0.0)
    assert [(one.station_id, one.place, one.kind) for one in found] == [
        ("E01", WEST, "shut"),
        ("E07", EAST, "full"),
    ]


def test_visits_are_counted_by_place(database: Database) -> None:
    visit = dataclasses.replace(WORD, kind=CHECK_IN)
    shared = dataclasses.replace(EAST, name_is_own=False)
    with database.transaction() as connection:
        for number, (name, place) in enumerate((("E01", EAST), ("E07", shared), ("E01", WEST))):
            event = dataclasses.replace(visit, station_id=name, place=place, reporter=f"rider:r{number}")
            put(connection, SERVICE, event)
        told = stations.counted_visits(connection, SERVICE, "", 0.0, 1e9)
    # A name that was shared for a while is nobody's own.
    assert told == {shared: (2, 2), WEST: (1, 1)}


def test_a_visit_a_day(database: Database) -> None:
    visit = dataclasses.replace(WORD, kind=CHECK_IN)
    with database.transaction() as connection:
        for at_s, day_s in ((100.0, 0.0), (200.0, 0.0), (86_500.0, 86_400.0)):
            put(connection, RIDER, dataclasses.replace(visit, at_s=at_s), day_s)
        put(connection, OTHER, dataclasses.replace(visit, reporter="rider:r2", at_s=300.0))
        told = [
            stations.counted_visits(connection, SERVICE, study, *span)
            for study, *span in (
                ("", 0.0, 1e6), ("", 0.0, 86_500.0), ("", 200.0, 300.0), ("", 200.5, 300.0), ("x", 0.0, 1e6)
            )
        ]  # fmt: skip
        assert told == [{EAST: (3, 2)}, {EAST: (2, 2)}, {EAST: (1, 1)}, {}, {}]
        assert stations.forget(connection, SERVICE, 1_000.0) == 2


def test_of_ones_own_tenant_only(database: Database) -> None:
    with database.transaction() as connection:
        put(connection, RIDER, WORD)
        with pytest.raises(OutOfScopeError):
            put(connection, STRANGER, dataclasses.replace(WORD, kind="fine"))
        assert [one.kind for one in stations.words_since(connection, PLATFORM, "", 0.0)] == ["shut"]
        for scope in (OTHER, STRANGER):
            assert stations.words_since(connection, scope, "", 0.0) == []
            assert stations.counted_visits(connection, scope, "", 0.0, 1e9) == {}
        assert stations.forget(connection, STRANGER, 1e9) == 0


def test_no_other_kind_is_kept(database: Database) -> None:
    with (
        database.transaction() as connection,
        pytest.raises(sa.exc.IntegrityError),
        connection.begin_nested(),
    ):
        put(connection, RIDER, dataclasses.replace(WORD, kind="ugly"))
