"""Studies from registering to forgetting, as steps on the store and on folders; who may is decided before.

Each command leaves its line on record in the transaction of what it does, a refused one too.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from api.jobs.intake import STUDY_FILE, checked_study, files_digest, named_folder, remove_folder
from api.jobs.runner import KIND, JobFolders, input_folder, out_folder
from api.store import SERVICE, Database, Scope, jobs
from api.store.access import audit
from geo.errors import InputError, YiluError

__all__ = ["JobConflictError", "New", "Noted", "register", "register_folder", "result_file", "result_files"]

Noted = Callable[[str | None, str], audit.AuditEntry]
"""Makes the line of the record of a study's id and the outcome."""


class JobConflictError(YiluError):
    """What is asked for does not fit the state of the study."""


@dataclasses.dataclass(frozen=True, slots=True)
class New:
    """A study that is to be registered."""

    job_id: str
    name: str
    start: bool
    now_s: float
    kept: int
    """Studies that a tenant may keep."""


def register_folder(
    database: Database, who: Scope, places: JobFolders, new: New, noted: Noted, folder: str
) -> tuple[jobs.Job, bool]:
    """Register a study whose files the operator has put on the server; see `register`."""
    tenant = None if who.role == "admin" else str(who.tenant_id)
    found = named_folder(places.studies, tenant, folder)
    if places.studies is None:
        raise InputError("this service has no folder of studies")
    params = {"folder": str(found), "source": "folder"}
    return _kept(database, _read(who, new, found, places.studies, params), who, new.kept, noted)


def register(
    database: Database, who: Scope, places: JobFolders, new: New, noted: Noted
) -> tuple[jobs.Job, bool]:
    """Register a study whose files lie in its input folder by now.

    Returns
    -------
    Job
        The new one, or that of the same name and the same files.
    bool
        Whether it is new.

    Raises
    ------
    InputError
        Where the study file cannot be used, or names files that are not there.
    JobConflictError
        Where the tenant has another study of that name, or as many as it may keep.
    """
    folder = input_folder(places.jobs, new.job_id)
    is_new = False
    try:
        params = {"source": "upload", "digest": files_digest(folder)}
        asked = _read(who, new, folder, folder, params)
        job, is_new = _kept(database, asked, who, new.kept, noted)
        return job, is_new
    finally:
        if not is_new:
            remove_folder(places.jobs / new.job_id)


def _read(who: Scope, new: New, folder: Path, root: Path, params: dict[str, str]) -> jobs.Job:
    if not (folder / STUDY_FILE).is_file():
        raise InputError(f"the study file is missing: it is called {STUDY_FILE}")
    study = checked_study(folder / STUDY_FILE, root)
    shown = {"title": study.text("title", study.language), "city": study.text("city", study.language)}
    return jobs.Job(
        new.job_id,
        str(who.tenant_id),
        new.name,
        KIND,
        "queued" if new.start else "registered",
        None,
        {**params, **shown},
        new.now_s,
    )


def _kept(database: Database, job: jobs.Job, who: Scope, most: int, noted: Noted) -> tuple[jobs.Job, bool]:
    refused = None
    with database.transaction() as connection:
        known = jobs.named(connection, SERVICE, KIND, job.tenant_id, job.name)
        if known is not None and {**known.params} != job.params:
            refused = "there is another study of this name; take a new one, or delete that study"
        elif known is None and jobs.count(connection, SERVICE, KIND, job.tenant_id) >= most:
            refused = f"there are {most} studies already, as many as may be kept; delete some"
        elif known is None:
            jobs.add(connection, who, job)
        object_id = job.job_id if known is None else known.job_id
        line = noted(object_id, "done") if refused is None else noted(None, "conflict")
        audit.record_all(connection, [line])
    if refused is not None:
        raise JobConflictError(refused)
    return (job, True) if known is None else (known, False)


def result_files(places: JobFolders, job: jobs.Job) -> dict[str, Path]:
    """Return the files of a result by their names; links and unfinished files are none."""
    if job.state != "done":
        return {}
    folder = out_folder(places.jobs, job.job_id)
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if (
            path.is_file()
            and not path.is_symlink()
            and not any(part.startswith(".") for part in name.split("/"))
        ):
            found[name] = path
    return found


def result_file(places: JobFolders, job: jobs.Job, name: str) -> Path | None:
    """Return one file of a result; None where it has none of that name."""
    return result_files(places, job).get(name)
