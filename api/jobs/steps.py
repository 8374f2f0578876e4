"""What the API and the pages of studies share: files taken in, a study shown, a change of its state."""

import datetime
import shutil
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import IO

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError

from api.dispatch.desk import MissingError
from api.forms import instant_of
from api.jobs.forms import ProgressOut, StudyName, StudyOut
from api.jobs.intake import Room, take_file, unpack
from api.jobs.register import JobConflictError, Noted
from api.store import Database, Scope, StoreUnavailable, jobs
from api.store.access import audit
from geo.errors import InputError

__all__ = [
    "cancel_study",
    "publish_study",
    "remove_study",
    "start_study",
    "study_name",
    "study_of",
    "study_out",
    "take_files",
]

_NAME = TypeAdapter(StudyName)


def study_out(job: jobs.Job, zone: datetime.tzinfo) -> StudyOut:
    """Return a study as its planner sees it."""
    progress = job.progress or {}
    return StudyOut(
        study_id=job.job_id,
        name=job.name,
        state=job.state,
        source=job.params["source"],
        title=job.params["title"],
        city=job.params["city"],
        created=instant_of(job.created_s, zone),
        started=None if job.started_s is None else instant_of(job.started_s, zone),
        ended=None if job.ended_s is None else instant_of(job.ended_s, zone),
        progress=ProgressOut(**progress) if progress and job.state == "running" else None,
        error=job.error,
        published=job.published,
    )


def study_name(given: object) -> str:
    """Return the name of a new study.

    Raises
    ------
    InputError
        Where it is none.
    """
    try:
        return _NAME.validate_python(given)
    except ValidationError:
        raise InputError("the form needs a name of 1 to 100 characters") from None


def take_files(files: Sequence[tuple[str, IO[bytes]]], folder: Path, room: Room) -> None:
    """Put uploaded files into the folder of a new study, or unpack the one archive of them.

    Raises
    ------
    InputError
        Where there are none, or one cannot be taken.
    StoreUnavailable
        Where the disk is full.
    """
    if not files:
        raise InputError("the form has no files: send study.toml and what it names as parts called files")
    try:
        folder.mkdir(parents=True)
        if shutil.disk_usage(folder).free < room.max_bytes:
            raise StoreUnavailable("there is no room on the disk for an upload now", 60)
        if len(files) == 1 and files[0][0].lower().endswith(".zip"):
            unpack(files[0][1], folder, room)
            return
        for name, file in files:
            take_file(file, folder, name, room)
    except OSError as error:
        raise StoreUnavailable(f"the files cannot be kept now ({error.strerror})", 60) from None


def study_of(database: Database, who: Scope, study_id: str) -> jobs.Job:
    """Return a study.

    Raises
    ------
    MissingError
        Where there is none in scope.
    """
    with database.reading() as connection:
        job = jobs.get(connection, who, study_id)
    if job is None:
        raise MissingError("there is no such study")
    return job


def start_study(database: Database, who: Scope, study_id: str, noted: Noted) -> jobs.Job:
    """Queue a study that waits for its start or has ended.

    Raises
    ------
    MissingError
    JobConflictError
        Where it runs or waits already.
    """

    def change(connection: sa.Connection, job: jobs.Job) -> str | None:
        done = jobs.queue(connection, who, study_id)
        return None if done else f"the study is {job.state}: it runs or waits already"

    return _changed(database, who, study_id, change, noted)


def cancel_study(database: Database, who: Scope, study_id: str, now_s: float, noted: Noted) -> jobs.Job:
    """End a study that waits or runs.

    Raises
    ------
    MissingError
    JobConflictError
        Where it does neither.
    """

    def change(connection: sa.Connection, job: jobs.Job) -> str | None:
        done = jobs.cancel(connection, who, study_id, now_s)
        return None if done else f"the study is {job.state}: there is nothing to cancel"

    return _changed(database, who, study_id, change, noted)


def publish_study(
    database: Database, who: Scope, study_id: str, name: str | None, taken: Collection[str], noted: Noted
) -> jobs.Job:
    """Serve a result under a name; None: under none any more.

    Parameters
    ----------
    taken : collection of str
        Names that the service itself uses.

    Raises
    ------
    MissingError
    JobConflictError
        Where the study has no result, or the name is somebody else's.
    """

    def change(connection: sa.Connection, job: jobs.Job) -> str | None:
        if name is not None and job.state != "done":
            return "only a study that is done has a result to show"
        if name in taken or not jobs.publish(connection, who, study_id, name):
            return "this name is taken"
        return None

    return _changed(database, who, study_id, change, noted)


def remove_study(database: Database, who: Scope, study_id: str, noted: Noted) -> None:
    """Forget a study; its folders stay for the caller to remove.

    Raises
    ------
    MissingError
    JobConflictError
        Where it waits or runs.
    """

    def change(connection: sa.Connection, job: jobs.Job) -> str | None:
        done = jobs.remove(connection, who, study_id)
        return None if done else "the study waits or runs: cancel it first"

    _changed(database, who, study_id, change, noted)


def _changed(
    database: Database,
    who: Scope,
    study_id: str,
    change: Callable[[sa.Connection, jobs.Job], str | None],
    noted: Noted,
) -> jobs.Job:
    """Change a study's row and put that on record; returns it as it is now, or was."""
    with database.transaction() as connection:
        before = jobs.get(connection, who, study_id)
        refusal = None if before is None else change(connection, before)
        after = jobs.get(connection, who, study_id)
        outcome = "not_found" if before is None else "done" if refusal is None else "conflict"
        audit.record_all(connection, [noted(study_id, outcome)])
    if before is None:
        raise MissingError("there is no such study")
    if refusal is not None:
        raise JobConflictError(refusal)
    return after or before
