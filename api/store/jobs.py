"""Jobs, such as studies: asked for, taken by one worker, and what became of them."""

import dataclasses
from typing import Literal

import sqlalchemy as sa

from api.store import scope
from api.store.rows import Json, Position, after, read
from api.store.scope import Scope
from api.store.tables import jobs

__all__ = ["Job", "add", "cancel", "end", "get", "give_back", "page", "progress", "take_next"]


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """One job."""

    job_id: str
    tenant_id: str
    name: str
    kind: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    progress: Json | None
    params: Json
    created_s: float
    started_s: float | None = None
    ended_s: float | None = None
    folder: str | None = None
    error: str | None = None


def add(connection: sa.Connection, who: Scope, job: Job) -> None:
    """Queue a job.

    Raises
    ------
    OutOfScopeError
        When `who` may have none, or for another tenant.
    """
    values = {field.name: getattr(job, field.name) for field in dataclasses.fields(job)}
    connection.execute(scope.insert(jobs, who, job.tenant_id), values)


def get(connection: sa.Connection, who: Scope, job_id: str) -> Job | None:
    """Return one job; None where there is none in scope."""
    row = connection.execute(scope.select(jobs, who).where(jobs.c.job_id == job_id)).one_or_none()
    return None if row is None else read(Job, row)


def page(connection: sa.Connection, who: Scope, position: Position | None, limit: int) -> list[Job]:
    """Return jobs in the order they were asked for, after the last of the page before."""
    query = scope.select(jobs, who).where(after(jobs.c.created_s, jobs.c.job_id, position))
    query = query.order_by(jobs.c.created_s, jobs.c.job_id).limit(limit)
    return [read(Job, row) for row in connection.execute(query)]


def take_next(connection: sa.Connection, who: Scope, kind: str, now_s: float) -> Job | None:
    """Take the oldest queued job for this worker; two workers never take the same one."""
    waiting = scope.select(jobs, who, jobs.c.job_id).where(jobs.c.state == "queued", jobs.c.kind == kind)
    first = waiting.order_by(jobs.c.created_s, jobs.c.job_id).limit(1).with_for_update(skip_locked=True)
    job_id = connection.execute(first).scalar_one_or_none()
    if job_id is None:
        return None
    statement = scope.update(jobs, who).where(jobs.c.job_id == job_id)
    connection.execute(statement.values(state="running", started_s=now_s))
    return get(connection, who, job_id)


def progress(connection: sa.Connection, who: Scope, job_id: str, done: Json) -> bool:
    """Say how far a job is; False where it runs no more, so that its worker stops."""
    running = sa.and_(jobs.c.job_id == job_id, jobs.c.state == "running")
    return connection.execute(scope.update(jobs, who).where(running).values(progress=done)).rowcount == 1


def end(
    connection: sa.Connection,
    who: Scope,
    job_id: str,
    now_s: float,
    *,
    folder: str | None = None,
    error: str | None = None,
) -> bool:
    """End a running job, as failed where there is an error; False where it was cancelled meanwhile."""
    running = sa.and_(jobs.c.job_id == job_id, jobs.c.state == "running")
    state = "done" if error is None else "failed"
    statement = scope.update(jobs, who).where(running)
    values = {"state": state, "ended_s": now_s, "folder": folder, "error": error}
    return connection.execute(statement.values(**values)).rowcount == 1


def cancel(connection: sa.Connection, who: Scope, job_id: str, now_s: float) -> bool:
    """Cancel a job that has not ended; False where there is none such in scope."""
    open_one = sa.and_(jobs.c.job_id == job_id, jobs.c.state.in_(["queued", "running"]))
    statement = scope.update(jobs, who).where(open_one).values(state="cancelled", ended_s=now_s)
    return connection.execute(statement).rowcount == 1


def give_back(connection: sa.Connection, who: Scope, kind: str) -> int:
    """Queue what was running when its worker died, at the start of the service; returns how many."""
    statement = scope.update(jobs, who).where(jobs.c.state == "running", jobs.c.kind == kind)
    return connection.execute(statement.values(state="queued", started_s=None, progress=None)).rowcount
