"""The tables come from migrations alone: from nothing, and from an older database with rows in it."""

import dataclasses

import alembic.autogenerate
import alembic.runtime.migration
import pytest
import sqlalchemy as sa

from api.store import SERVICE, Database, jobs
from api.store.civic import stations
from api.store.civic.stations import StationPlace
from api.store.dispatch import events, riders, tasks
from api.store.session import MIGRATIONS
from api.store.tables import metadata
from geo.errors import InputError

FILLED = [
    "INSERT INTO tenants VALUES ('blue', 'Blue', 'platform', 1), ('office', 'Office', 'office', 1)",
    "INSERT INTO riders VALUES ('blue', 'r1', 5, '{\"n\": 1}', 1)",
    "INSERT INTO tasks VALUES"
    " ('t1', 'office', 'A-1', 'published', 'G1', 116.3, 39.9, NULL, 1, 1, '{}', '{}')",
    "INSERT INTO offers VALUES ('o1', 't1', 'blue', 'r1', 'made', 1, 61, '{}')",
    "INSERT INTO events (at_s, kind, task_id, publisher_tenant_id, body)"
    " VALUES (1, 'k', 't1', 'office', '{}')",
    "INSERT INTO jobs (job_id, tenant_id, name, kind, state, params, created_s)"
    " VALUES ('j1', 'office', 'Study', 'study', 'queued', '{\"a\": 1}', 2)",
]


def _differences(database: Database) -> list[object]:
    with database.engine.connect() as connection:
        options = {"compare_type": True, "include_object": _ours}
        context = alembic.runtime.migration.MigrationContext.configure(connection, opts=options)
        return list(alembic.autogenerate.compare_metadata(context, metadata))


def _ours(thing: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
    """PostGIS brings a table of its own; `place` is added where it is there (`api.store.places`)."""
    return name not in {"spatial_ref_sys", "place", "ix_tasks_place"}


@pytest.mark.filterwarnings("ignore:Did not recognize type 'geography'")
def test_from_nothing_to_the_tables_of_today(empty_url: str) -> None:
    database = Database(empty_url)
    database.migrate()
    assert _differences(database) == []
    database.migrate()
    assert _differences(database) == []
    database.close()


def test_an_older_filled_database_keeps_its_rows(empty_url: str) -> None:
    database = Database(empty_url)
    database.migrate("0001")
    with database.transaction() as connection:
        for line in FILLED:
            connection.exec_driver_sql(line)
    database.migrate()
    with database.transaction() as connection:
        (row,) = events.after(connection, SERVICE, 0, 9)
        assert (row.event.kind, row.event.platform_body) == ("k", None)
        assert [one.rider_id for one in riders.read_all(connection, SERVICE)[0]] == ["r1"]
        assert [one.label for one in tasks.near(connection, SERVICE, 116.3, 39.9, 10.0, 9)] == ["A-1"]
        (seq,) = events.append(connection, SERVICE, [row.event])
        (job,) = jobs.page(connection, SERVICE, None, 9)
        assert (job.state, job.params, job.published, job.left_running) == ("queued", {"a": 1}, None, 0)
        waiting = dataclasses.replace(job, job_id="j2", state="registered")
        jobs.add(connection, SERVICE, waiting)
        with pytest.raises(sa.exc.IntegrityError), connection.begin_nested():
            jobs.add(connection, SERVICE, dataclasses.replace(job, job_id="j3", state="lost"))  # type: ignore[arg-type]
    assert seq > row.seq
    database.close()


BEFORE_PLACES = [
    "INSERT INTO tenants VALUES ('blue', 'Blue', 'platform', 1)",
    "INSERT INTO station_events (study, station_id, tenant_id, reporter, office, kind, at_s) VALUES"
    " ('', 'E01', 'blue', 'rider:r1', FALSE, 'check_in', 1),"
    " ('', 'E01', 'blue', 'rider:r2', FALSE, 'shut', 2),"
    " ('', 'E09', 'blue', 'rider:r1', FALSE, 'check_in', 3),"
    " ('x', 'E01', 'blue', 'rider:r1', FALSE, 'full', 4)",
]


def test_words_and_visits_of_an_older_database_get_their_places_once(empty_url: str) -> None:
    """By the number that a study had; rows that know their place keep it."""
    database = Database(empty_url)
    database.migrate("0011")
    with database.transaction() as connection:
        for line in BEFORE_PLACES:
            connection.exec_driver_sql(line)
    database.migrate()
    east, elsewhere = StationPlace("East", True, 116.3, 39.9), StationPlace("West", True, 116.4, 39.9)
    with database.transaction() as connection:
        assert stations.unplaced(connection, SERVICE) == [("", "E01"), ("", "E09"), ("x", "E01")]
        assert stations.counted_visits(connection, SERVICE, "", 0.0, 9.0) == {}
        assert stations.words_since(connection, SERVICE, "", 0.0) == []
        lost = StationPlace("E09", False, None, None)
        stations.fill_places(connection, SERVICE, "", {"E01": east, "E09": lost})
        stations.fill_places(connection, SERVICE, "", {"E01": elsewhere, "E09": elsewhere})
        assert stations.unplaced(connection, SERVICE) == [("x", "E01")]
        assert stations.counted_visits(connection, SERVICE, "", 0.0, 9.0) == {east: (1, 1), lost: (1, 1)}
        assert [one.place for one in stations.words_since(connection, SERVICE, "", 0.0)] == [east]
    database.close()


def test_a_database_of_a_newer_yilu_is_refused(empty_url: str) -> None:
    database = Database(empty_url)
    database.migrate()
    with database.transaction() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(InputError, match="written by a newer Yilu"):
        database.migrate()
    database.close()


def test_the_revisions_are_one_line() -> None:
    names = sorted(path.stem for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert [name[:4] for name in names] == [f"{k + 1:04d}" for k in range(len(names))]
    assert len(names) >= 2
