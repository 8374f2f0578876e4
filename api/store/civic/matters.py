"""Matters that were reported, and the reports themselves."""

import dataclasses
import math
from collections.abc import Sequence

import sqlalchemy as sa

from api.store import scope
from api.store.rows import Json, PageEnd, after, read
from api.store.scope import Scope
from api.store.tables import matters, reports

__all__ = [
    "BoardPlace",
    "Box",
    "MatterFilter",
    "MatterRow",
    "ReportRow",
    "add_report",
    "board_changes",
    "board_places",
    "by_token",
    "due",
    "get",
    "get_all",
    "insert",
    "latest_reports",
    "load_for_update",
    "lock_kind",
    "near",
    "next_due_s",
    "page",
    "page_of_board",
    "report",
    "reports_of",
    "reports_page",
    "save",
]


@dataclasses.dataclass(frozen=True, slots=True)
class MatterRow:
    """One matter. `version` is that of the row as read, 1 for a new one."""

    matter_id: str
    tenant_id: str
    """The responsible office."""
    asked_tenant_id: str | None
    """The office that was asked to take it on."""
    kind: str
    stage: str
    private: str | None
    """Why nobody may see it; None: it stands on the board."""
    grid_code: str | None
    lon: float
    lat: float
    opened_s: float
    updated_s: float
    next_s: float | None
    """When something of it runs out; None: nothing does."""
    version: int
    state: Json


@dataclasses.dataclass(frozen=True, slots=True)
class BoardPlace:
    """What of a matter on the public board is known without reading its state."""

    matter_id: str
    tenant_id: str
    kind: str
    stage: str
    lon: float
    lat: float
    opened_s: float
    updated_s: float


@dataclasses.dataclass(frozen=True, slots=True)
class ReportRow:
    """Who reported a matter, and through whom they are told."""

    report_id: str
    matter_id: str
    tenant_id: str | None
    rider_id: str | None
    """The rider's account; None: they are told by the report's token alone."""
    reporter: str
    """Pseudonym."""
    digest: str
    """Of the token."""
    made_s: float


@dataclasses.dataclass(frozen=True, slots=True)
class Box:
    """A part of the map in WGS-84 degrees."""

    west: float
    south: float
    east: float
    north: float


@dataclasses.dataclass(frozen=True, slots=True)
class MatterFilter:
    """Which matters are looked for; what is empty asks for nothing."""

    stages: Sequence[str] = ()
    kinds: Sequence[str] = ()
    box: Box | None = None
    opened_s: tuple[float, float] = (-math.inf, math.inf)
    """First and last epoch second of their first report, both inside."""
    ids: Sequence[str] = ()


def lock_kind(connection: sa.Connection, kind: str) -> None:
    """Let one process at a time open matters of a kind: two reports of one matter open it once."""
    if connection.dialect.name == "postgresql":
        words = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
        connection.execute(words, {"name": f"yilu matters {kind}"})


def insert(connection: sa.Connection, who: Scope, row: MatterRow) -> None:
    """Keep a new matter.

    Raises
    ------
    OutOfScopeError
        For everybody but the service.
    """
    connection.execute(scope.insert(matters, who, row.tenant_id), _values(row))


def _values(row: MatterRow) -> dict[str, object]:
    return {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}


def save(connection: sa.Connection, who: Scope, row: MatterRow) -> MatterRow:
    """Write a changed matter that was loaded for it; returns it with its new version."""
    changed = dataclasses.replace(row, version=row.version + 1)
    fixed = {"matter_id", "kind", "lon", "lat", "opened_s"}
    values = {name: value for name, value in _values(changed).items() if name not in fixed}
    statement = scope.update(matters, who).where(matters.c.matter_id == row.matter_id)
    connection.execute(statement.values(**values))
    return changed


def get(connection: sa.Connection, who: Scope, matter_id: str) -> MatterRow | None:
    """Return one matter; None where there is none in scope."""
    return _one(connection, scope.select(matters, who).where(matters.c.matter_id == matter_id))


def load_for_update(connection: sa.Connection, who: Scope, matter_id: str) -> MatterRow | None:
    """Return one matter for changing it: whoever else wants to waits until this transaction ends."""
    query = scope.select(matters, who).where(matters.c.matter_id == matter_id)
    return _one(connection, query.with_for_update())


def _one(connection: sa.Connection, query: sa.Select[tuple[object, ...]]) -> MatterRow | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else read(MatterRow, row)


def near(
    connection: sa.Connection, who: Scope, kind: str, box: Box, opened_s: tuple[float, float]
) -> list[MatterRow]:
    """Return matters of a kind in a box that were opened within a span of time (both ends included)."""
    query = scope.select(matters, who).where(
        matters.c.kind == kind, _inside(box), matters.c.opened_s.between(*opened_s)
    )
    return [read(MatterRow, row) for row in connection.execute(query.order_by(matters.c.matter_id))]


def _inside(box: Box) -> sa.ColumnElement[bool]:
    across: sa.ColumnElement[bool] = matters.c.lon.between(box.west, box.east)
    if box.west > box.east:
        # Over the date line.
        across = sa.or_(matters.c.lon >= box.west, matters.c.lon <= box.east)
    return sa.and_(matters.c.lat.between(box.south, box.north), across)


def page(
    connection: sa.Connection,
    who: Scope,
    position: PageEnd | None,
    limit: int,
    stages: Sequence[str] = (),
) -> list[MatterRow]:
    """Return matters in the order they were opened, after the last of the page before."""
    query = scope.select(matters, who).where(after(matters.c.opened_s, matters.c.matter_id, position))
    if stages:
        query = query.where(matters.c.stage.in_(stages))
    query = query.order_by(matters.c.opened_s, matters.c.matter_id).limit(limit)
    return [read(MatterRow, row) for row in connection.execute(query)]


def page_of_board(
    connection: sa.Connection,
    who: Scope,
    position: PageEnd | None,
    limit: int,
    only: MatterFilter = MatterFilter(),
    skip: int = 0,
) -> list[MatterRow]:
    """Return matters that everybody may see, the newest first, without the first `skip` of them."""
    query = scope.select(matters, who).where(matters.c.private.is_(None))
    for column, among in (
        (matters.c.stage, only.stages),
        (matters.c.kind, only.kinds),
        (matters.c.matter_id, only.ids),
    ):
        if among:
            query = query.where(column.in_(among))
    if only.box is not None:
        query = query.where(_inside(only.box))
    first_s, last_s = only.opened_s
    if not math.isinf(first_s):
        query = query.where(matters.c.opened_s >= first_s)
    if not math.isinf(last_s):
        query = query.where(matters.c.opened_s <= last_s)
    if position is not None:
        here = sa.tuple_(matters.c.opened_s, matters.c.matter_id)
        last = (sa.literal(position.created_s, sa.Double), sa.literal(position.row_id, sa.Text))
        query = query.where(here < sa.tuple_(*last))
    query = query.order_by(matters.c.opened_s.desc(), matters.c.matter_id.desc()).limit(limit).offset(skip)
    return [read(MatterRow, row) for row in connection.execute(query)]


def board_places(connection: sa.Connection, who: Scope) -> list[BoardPlace]:
    """Return where all matters lie that everybody may see, the newest first."""
    columns = (matters.c[field.name] for field in dataclasses.fields(BoardPlace))
    query = scope.select(matters, who, *columns).where(matters.c.private.is_(None))
    query = query.order_by(matters.c.opened_s.desc(), matters.c.matter_id.desc())
    return [read(BoardPlace, row) for row in connection.execute(query)]


def board_changes(
    connection: sa.Connection, who: Scope, updated_s: tuple[float, float], limit: int
) -> list[MatterRow]:
    """Return matters that everybody may see by when something last happened, the latest first."""
    query = scope.select(matters, who).where(matters.c.private.is_(None), matters.c.updated_s >= updated_s[0])
    query = query.where(matters.c.opened_s <= updated_s[1])
    query = query.order_by(matters.c.updated_s.desc(), matters.c.matter_id).limit(limit)
    return [read(MatterRow, row) for row in connection.execute(query)]


def get_all(connection: sa.Connection, who: Scope, matter_ids: Sequence[str]) -> dict[str, MatterRow]:
    """Return matters by their names, in one query; what is not in scope is left out."""
    query = scope.select(matters, who).where(matters.c.matter_id.in_(matter_ids))
    found = [read(MatterRow, row) for row in connection.execute(query)]
    return {row.matter_id: row for row in found}


def due(connection: sa.Connection, who: Scope, now_s: float, limit: int) -> list[MatterRow]:
    """Return matters of which something has run out, for changing them."""
    query = scope.select(matters, who).where(matters.c.next_s < now_s)
    query = query.order_by(matters.c.next_s, matters.c.matter_id).limit(limit).with_for_update()
    return [read(MatterRow, row) for row in connection.execute(query)]


def next_due_s(connection: sa.Connection, who: Scope) -> float:
    """Return when something runs out next, in epoch seconds; inf: nothing does."""
    found = connection.execute(scope.select(matters, who, sa.func.min(matters.c.next_s))).scalar_one()
    return math.inf if found is None else float(found)


def add_report(connection: sa.Connection, who: Scope, row: ReportRow) -> None:
    """Keep who reported a matter.

    Raises
    ------
    OutOfScopeError
        For everybody but the service.
    """
    connection.execute(scope.insert(reports, who, row.tenant_id), dataclasses.asdict(row))


def report(connection: sa.Connection, who: Scope, report_id: str) -> ReportRow | None:
    """Return one report; None where there is none in scope."""
    row = connection.execute(scope.select(reports, who).where(reports.c.report_id == report_id)).one_or_none()
    return None if row is None else read(ReportRow, row)


def by_token(connection: sa.Connection, who: Scope, digest: str) -> ReportRow | None:
    """Return the report whose token has that digest."""
    row = connection.execute(scope.select(reports, who).where(reports.c.digest == digest)).one_or_none()
    return None if row is None else read(ReportRow, row)


def reports_of(connection: sa.Connection, who: Scope, matter_id: str) -> list[ReportRow]:
    """Return the reports of a matter in the order they were made."""
    query = scope.select(reports, who).where(reports.c.matter_id == matter_id)
    query = query.order_by(reports.c.made_s, reports.c.report_id)
    return [read(ReportRow, row) for row in connection.execute(query)]


def latest_reports(connection: sa.Connection, who: Scope, limit: int) -> list[ReportRow]:
    """Return the newest reports, the newest first."""
    query = scope.select(reports, who).order_by(reports.c.made_s.desc(), reports.c.report_id.desc())
    return [read(ReportRow, row) for row in connection.execute(query.limit(limit))]


def reports_page(
    connection: sa.Connection, who: Scope, position: PageEnd | None, limit: int
) -> list[ReportRow]:
    """Return reports in the order they were made, after the last of the page before."""
    query = scope.select(reports, who).where(after(reports.c.made_s, reports.c.report_id, position))
    query = query.order_by(reports.c.made_s, reports.c.report_id).limit(limit)
    return [read(ReportRow, row) for row in connection.execute(query)]
