"""Studies from registering to forgetting, as steps on the store and on folders; who may is decided before."""

import dataclasses
from pathlib import Path

from api.jobs.intake import STUDY_FILE, checked_study, files_digest, named_folder, remove_folder
from api.jobs.runner import KIND, JobFolders, input_folder, out_folder
from api.store import SERVICE, Database, Scope, jobs
from geo.errors import InputError, YiluError

__all__ = ["JobConflictError", "New", "register", "register_folder", "result_file", "result_files"]


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
    database: Database, who: Scope, places: JobFolders, new: New, folder: str
) -> tuple[jobs.Job, bool]:
    """Register a study whose files the operator has put on the server; see `register`."""
    tenant = None if who.role == "admin" else str(who.tenant_id)
    found = named_folder(places.studies, tenant, folder)
    if places.studies is None:
        raise InputError("this service has no folder of studies")
    return _kept(database, who, new, found, places.studies, {"folder": str(found), "source": "folder"})


def register(database: Database, who: Scope, places: JobFolders, new: New) -> tuple[jobs.Job, bool]:
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
        job, is_new = _kept(database, who, new, folder, folder, params)
        return job, is_new
    finally:
        if not is_new:
            remove_folder(places.jobs / new.job_id)


def _kept(
    database: Database, who: Scope, new: New, folder: Path, root: Path, params: dict[str, str]
) -> tuple[jobs.Job, bool]:
    if not (folder / STUDY_FILE).is_file():
        raise InputError(f"the study file is missing: it is called {STUDY_FILE}")
    study = checked_study(folder / STUDY_FILE, root)
    shown = {"title": study.text("title", study.language), "city": study.text("city", study.language)}
    tenant = str(who.tenant_id)
    job = jobs.Job(
        new.job_id,
        tenant,
        new.name,
        KIND,
        "queued" if new.start else "registered",
        None,
        {**params, **shown},
        new.now_s,
    )
    with database.transaction() as connection:
        known = jobs.named(connection, SERVICE, KIND, tenant, new.name)
        if known is not None:
            if {**known.params} != job.params:
                raise JobConflictError(
                    "there is another study of this name; take a new one, or delete that study"
                )
            return known, False
        if jobs.count(connection, SERVICE, KIND, tenant) >= new.kept:
            raise JobConflictError(
                f"there are {new.kept} studies already, as many as may be kept; delete some"
            )
        jobs.add(connection, who, job)
    return job, True


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
