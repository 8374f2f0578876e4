"""What riders and offices say of stations, and who was there: the last word of each, until forgotten."""

import dataclasses
from collections.abc import Sequence

import sqlalchemy as sa

from api.store import scope
from api.store.rows import read
from api.store.scope import Scope
from api.store.tables import station_events

__all__ = ["CHECK_IN", "StationEvent", "counted_visits", "forget", "put", "words_since"]

CHECK_IN = "check_in"


@dataclasses.dataclass(frozen=True, slots=True)
class StationEvent:
    """One word about a station, or one visit.

    Parameters
    ----------
    study : str
        Name under which the study is shown; empty for the one without.
    reporter : str
        Who of the tenant: ``rider:ID``, or a role.
    office : bool
        Whether an office says so.
    kind : str
        shut, dirty, full, fine or `CHECK_IN`.
    people, seats_free : int, optional
        What the reporter counted there.
    """

    study: str
    station_id: str
    tenant_id: str
    reporter: str
    office: bool
    kind: str
    at_s: float
    people: int | None = None
    seats_free: int | None = None


def put(connection: sa.Connection, who: Scope, event: StationEvent, replaces_s: float) -> None:
    """Keep a word or a visit in the place of what the reporter said of that station from `replaces_s` on.

    A word replaces words, a visit visits: of each reporter there is one word, and one visit a day.

    Raises
    ------
    OutOfScopeError
        When `who` may not write for that tenant.
    """
    columns = station_events.c
    is_visit = columns.kind == CHECK_IN
    connection.execute(
        scope.delete(station_events, who).where(
            columns.study == event.study,
            columns.station_id == event.station_id,
            columns.tenant_id == event.tenant_id,
            columns.reporter == event.reporter,
            is_visit if event.kind == CHECK_IN else sa.not_(is_visit),
            columns.at_s >= replaces_s,
        )
    )
    statement = scope.insert(station_events, who, event.tenant_id)
    connection.execute(statement, dataclasses.asdict(event))


def words_since(connection: sa.Connection, who: Scope, study: str, at_s: float) -> Sequence[StationEvent]:
    """Return words from an instant on, in the order in which they were said."""
    columns = station_events.c
    query = (
        scope.select(
            station_events, who, *(columns[field.name] for field in dataclasses.fields(StationEvent))
        )
        .where(columns.study == study, columns.at_s >= at_s, columns.kind != CHECK_IN)
        .order_by(columns.at_s, columns.seq)
    )
    return [read(StationEvent, row) for row in connection.execute(query)]


def counted_visits(
    connection: sa.Connection, who: Scope, study: str, start_s: float, end_s: float
) -> dict[str, tuple[int, int]]:
    """Return visits and different riders of each station from `start_s` to before `end_s`.

    The database counts, so that no visit of a city's weeks becomes an object here.
    """
    columns = station_events.c
    person = columns.tenant_id + "/" + columns.reporter
    query = (
        scope.select(
            station_events, who, columns.station_id, sa.func.count(), sa.func.count(sa.distinct(person))
        )
        .where(
            columns.study == study,
            columns.kind == CHECK_IN,
            columns.at_s >= start_s,
            columns.at_s < end_s,
        )
        .group_by(columns.station_id)
    )
    return {name: (int(visits), int(riders)) for name, visits, riders in connection.execute(query)}


def forget(connection: sa.Connection, who: Scope, before_s: float) -> int:
    """Remove what is older than an instant; returns how many rows there were."""
    statement = scope.delete(station_events, who).where(station_events.c.at_s < before_s)
    return connection.execute(statement).rowcount
