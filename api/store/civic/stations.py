"""What riders and offices say of stations, and who was there: the last word of each, until forgotten."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import sqlalchemy as sa

from api.store import scope
from api.store.scope import Scope
from api.store.tables import station_events

__all__ = [
    "CHECK_IN",
    "StationEvent",
    "StationPlace",
    "counted_visits",
    "fill_places",
    "forget",
    "put",
    "unplaced",
    "words_since",
]

CHECK_IN = "check_in"


@dataclasses.dataclass(frozen=True, slots=True)
class StationPlace:
    """What a station is known again by when its number has changed; position in WGS-84 degrees.

    Parameters
    ----------
    station_name : str
    name_is_own : bool
        Whether no other station of its study bore the name.
    lon, lat : float, optional
        None: of an older database, and no study said where it stood.
    """

    station_name: str
    name_is_own: bool
    lon: float | None
    lat: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class StationEvent:
    """One word about a station, or one visit.

    Parameters
    ----------
    study : str
        Name under which the study is shown; empty for the one without.
    station_id : str
        Its number in the study of that day.
    reporter : str
        Who of the tenant: ``rider:ID``, or a role.
    office : bool
        Whether an office says so.
    kind : str
        shut, dirty, full, fine or `CHECK_IN`.
    place : StationPlace
        Where the station stood.
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
    place: StationPlace
    people: int | None = None
    seats_free: int | None = None


_PLACE = tuple(field.name for field in dataclasses.fields(StationPlace))
_OWN = tuple(field.name for field in dataclasses.fields(StationEvent) if field.name != "place")


def put(
    connection: sa.Connection,
    who: Scope,
    event: StationEvent,
    replaces_s: float,
    same: Callable[[StationPlace], bool],
) -> None:
    """Keep a word or a visit in the place of what the reporter said of that station from `replaces_s` on.

    A word replaces words, a visit visits: of each reporter there is one word, and one visit a day.

    Parameters
    ----------
    connection : Connection
    who : Scope
    event : StationEvent
    replaces_s : float
    same : callable
        Whether what stood at a place is the station of the event.

    Raises
    ------
    OutOfScopeError
        When `who` may not write for that tenant.
    """
    columns = station_events.c
    is_visit = columns.kind == CHECK_IN
    query = scope.select(station_events, who, columns.seq, *(columns[name] for name in _PLACE)).where(
        columns.study == event.study,
        columns.tenant_id == event.tenant_id,
        columns.reporter == event.reporter,
        is_visit if event.kind == CHECK_IN else sa.not_(is_visit),
        columns.at_s >= replaces_s,
        columns.station_name.is_not(None),
    )
    before = [seq for seq, *place in connection.execute(query) if same(StationPlace(*place))]
    if before:
        connection.execute(scope.delete(station_events, who).where(columns.seq.in_(before)))
    values = {name: getattr(event, name) for name in _OWN} | dataclasses.asdict(event.place)
    connection.execute(scope.insert(station_events, who, event.tenant_id), values)


def words_since(connection: sa.Connection, who: Scope, study: str, at_s: float) -> Sequence[StationEvent]:
    """Return words from an instant on, in the order in which they were said."""
    columns = station_events.c
    names = (*_OWN, *_PLACE)
    query = (
        scope.select(station_events, who, *(columns[name] for name in names))
        .where(columns.study == study, columns.at_s >= at_s, columns.kind != CHECK_IN)
        .where(columns.station_name.is_not(None))
        .order_by(columns.at_s, columns.seq)
    )
    return [_event(row) for row in connection.execute(query).mappings()]


def _event(row: sa.RowMapping) -> StationEvent:
    place = StationPlace(*(row[name] for name in _PLACE))
    return StationEvent(**{name: row[name] for name in _OWN}, place=place)


def counted_visits(
    connection: sa.Connection, who: Scope, study: str, start_s: float, end_s: float
) -> dict[StationPlace, tuple[int, int]]:
    """Return visits and different riders at each place from `start_s` to before `end_s`.

    The database counts, so that no visit of a city's weeks becomes an object here.
    """
    columns = station_events.c
    person = columns.tenant_id + "/" + columns.reporter
    place = columns.station_name, columns.lon, columns.lat
    own = sa.func.min(sa.cast(columns.name_is_own, sa.Integer))
    query = (
        scope.select(station_events, who, *place, own, sa.func.count(), sa.func.count(sa.distinct(person)))
        .where(
            columns.study == study,
            columns.kind == CHECK_IN,
            columns.at_s >= start_s,
            columns.at_s < end_s,
            columns.station_name.is_not(None),
        )
        .group_by(*place)
    )
    return {
        StationPlace(name, bool(is_own), lon, lat): (int(visits), int(riders))
        for name, lon, lat, is_own, visits, riders in connection.execute(query)
    }


def unplaced(connection: sa.Connection, who: Scope) -> list[tuple[str, str]]:
    """Return study and number of each station of which rows of an older database speak."""
    columns = station_events.c
    query = scope.select(station_events, who, columns.study, columns.station_id)
    query = query.where(columns.station_name.is_(None)).distinct().order_by(*query.selected_columns)
    return [(study, number) for study, number in connection.execute(query)]


def fill_places(
    connection: sa.Connection, who: Scope, study: str, places: Mapping[str, StationPlace]
) -> None:
    """Write where the stations of one study stood into rows of an older database, by their numbers."""
    columns = station_events.c
    for number, place in places.items():
        statement = scope.update(station_events, who).where(
            columns.study == study, columns.station_id == number, columns.station_name.is_(None)
        )
        connection.execute(statement.values(dataclasses.asdict(place)))


def forget(connection: sa.Connection, who: Scope, before_s: float) -> int:
    """Remove what is older than an instant; returns how many rows there were."""
    statement = scope.delete(station_events, who).where(station_events.c.at_s < before_s)
    return connection.execute(statement).rowcount
