"""Jobs, such as studies: registered, queued, taken by one worker, and what became of them."""

import dataclasses
from collections.abc import Sequence
from typing import Literal

import sqlalchemy as sa

from api.store import scope
from api.store.rows import Json, PageEnd, after, read
from api.store.scope import SERVICE, Scope
from api.store.tables import jobs

__all__ = [
    "Job",
    "JobState",
    "Left",
    "add",
    "any_queued",
    "cancel",
    "count",
    "end",
    "get",
    "hand_back",
    "named",
    "page",
    "progress",
    "publish",
    "published",
    "queue",
    "remove",
    "take_next",
    "take_up_left",
]

JobState = Literal["registered", "queued", "running", "done", "failed", "cancelled"]
OPEN = ("queued", "running")


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """One job."""

    job_id: str
    tenant_id: str
    name: str
    kind: str
    state: JobState
    progress: Json | None
    params: Json
    created_s: float
    started_s: float | None = None
    ended_s: float | None = None
    folder: str | None = None
    error: str | None = None
    published: str | None = None
    left_running: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Left:
    """What became of jobs that a service which stopped has left running."""

    queued: int
    failed: int


def add(connection: sa.Connection, who: Scope, job: Job) -> None:
    """Keep a new job.

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


def page(connection: sa.Connection, who: Scope, position: PageEnd | None, limit: int) -> list[Job]:
    """Return jobs in the order they were asked for, after the last of the page before."""
    query = scope.select(jobs, who).where(after(jobs.c.created_s, jobs.c.job_id, position))
    query = query.order_by(jobs.c.created_s, jobs.c.job_id).limit(limit)
    return [read(Job, row) for row in connection.execute(query)]


def any_queued(connection: sa.Connection, who: Scope, kind: str) -> bool:
    """Say whether a job waits; a look that takes no lock."""
    waiting = scope.select(jobs, who, jobs.c.job_id).where(jobs.c.state == "queued", jobs.c.kind == kind)
    return connection.execute(waiting.limit(1)).first() is not None


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


def hand_back(connection: sa.Connection, who: Scope, job_ids: Sequence[str]) -> int:
    """Queue running jobs again that their own service ends in good order; returns how many."""
    running = sa.and_(jobs.c.job_id.in_(job_ids), jobs.c.state == "running")
    statement = scope.update(jobs, who).where(running)
    return connection.execute(statement.values(state="queued", started_s=None, progress=None)).rowcount


def queue(connection: sa.Connection, who: Scope, job_id: str) -> bool:
    """Queue a job that waits for its start or has ended; False where it does not, or is none in scope.

    What came of it before is forgotten, but for the files.
    """
    idle = sa.and_(jobs.c.job_id == job_id, jobs.c.state.not_in(OPEN))
    fresh = {"state": "queued", "progress": None, "started_s": None, "ended_s": None, "error": None}
    return (
        connection.execute(scope.update(jobs, who).where(idle).values(**fresh, left_running=0)).rowcount == 1
    )


def named(connection: sa.Connection, who: Scope, kind: str, tenant_id: str, name: str) -> Job | None:
    """Return a tenant's job of that name, the first where there are several; None where there is none."""
    query = scope.select(jobs, who).where(
        jobs.c.kind == kind, jobs.c.tenant_id == tenant_id, jobs.c.name == name
    )
    row = connection.execute(query.order_by(jobs.c.created_s, jobs.c.job_id).limit(1)).one_or_none()
    return None if row is None else read(Job, row)


def count(connection: sa.Connection, who: Scope, kind: str, tenant_id: str) -> int:
    """Return how many jobs a tenant has."""
    query = scope.select(jobs, who, sa.func.count()).where(jobs.c.kind == kind, jobs.c.tenant_id == tenant_id)
    return int(connection.execute(query).scalar_one())


def publish(connection: sa.Connection, who: Scope, job_id: str, name: str | None) -> bool:
    """Serve a job's result under a name, or under none any more; False where the name is taken.

    A name that another job of the same tenant has goes over to this one.
    """
    if name is not None:
        mine = scope.select(jobs, who, jobs.c.tenant_id).where(jobs.c.job_id == job_id).scalar_subquery()
        others = sa.and_(jobs.c.published == name, jobs.c.job_id != job_id, jobs.c.tenant_id == mine)
        connection.execute(scope.update(jobs, who).where(others).values(published=None))
        if (
            connection.execute(
                scope.select(jobs, SERVICE, jobs.c.job_id).where(
                    jobs.c.published == name, jobs.c.job_id != job_id
                )
            ).first()
            is not None
        ):
            return False
    statement = scope.update(jobs, who).where(jobs.c.job_id == job_id)
    return connection.execute(statement.values(published=name)).rowcount == 1


def published(connection: sa.Connection, who: Scope, name: str | None = None) -> list[Job]:
    """Return the jobs in scope whose results are served, by name."""
    query = scope.select(jobs, who).where(jobs.c.published.is_not(None))
    if name is not None:
        query = query.where(jobs.c.published == name)
    return [read(Job, row) for row in connection.execute(query.order_by(jobs.c.published))]


def remove(connection: sa.Connection, who: Scope, job_id: str) -> bool:
    """Forget a job that does not run and does not wait; False where there is none such in scope."""
    idle = sa.and_(jobs.c.job_id == job_id, jobs.c.state.not_in(OPEN))
    return connection.execute(scope.delete(jobs, who).where(idle)).rowcount == 1


def take_up_left(
    connection: sa.Connection, who: Scope, kind: str, now_s: float, most: int, error: str
) -> Left:
    """Queue again what was running when its service stopped; called by whoever begins to run jobs.

    Parameters
    ----------
    connection : Connection
    who : Scope
    kind : str
    now_s : float
    most : int
        A job that has been left so often fails instead: it may be what stops the service.
    error : str
        Then told of it.
    """
    left = sa.and_(jobs.c.state == "running", jobs.c.kind == kind)
    counted = jobs.c.left_running + 1
    statement = scope.update(jobs, who).where(left, counted >= most)
    failed = connection.execute(
        statement.values(state="failed", ended_s=now_s, error=error, left_running=counted)
    )
    statement = scope.update(jobs, who).where(left)
    queued = connection.execute(
        statement.values(state="queued", started_s=None, progress=None, left_running=counted)
    )
    return Left(queued.rowcount, failed.rowcount)
