"""Runs queued studies, each in a process of its own, from a thread of the service.

One process of a city leads this. What a service that stopped has left running is queued again; what does so
twice fails, for it may be what stops the service.
"""

import contextlib
import dataclasses
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from api.jobs.intake import remove_folder
from api.settings import Settings
from api.store import SERVICE, Database, StoreUnavailable, jobs
from api.store.processes import Leadership
from api.study.studyfile.check_ins import StationVisits

__all__ = ["KIND", "JobFolders", "Runner", "input_folder", "out_folder"]

LOG = logging.getLogger("yilu.jobs")
KIND = "study"
LEFT_MOST = 2
LEFT = "the service stopped twice while this study ran; it may need more memory than there is"
POLL_S = 0.25
TOLD_S = 1.0
"""Progress is written down so often."""
_SKIPPED_FORMATS = "OGR_VRT"
"""A format of GDAL whose files name other files to read."""


def input_folder(root: Path, job_id: str) -> Path:
    """Return the folder of a job's uploaded files."""
    return root / job_id / "input"


def out_folder(root: Path, job_id: str) -> Path:
    """Return the folder of a job's results."""
    return root / job_id / "out"


class _Worker:
    """The process of one job, and what it has said last."""

    def __init__(self, job: jobs.Job, order: dict[str, Any], log: Path) -> None:
        self.job = job
        self.said: dict[str, Any] | None = None
        self.outcome: dict[str, Any] | None = None
        self.told_at_s = 0.0
        # Without the settings of the service: its secrets are nothing to a study.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("YILU_")}
        environment = {**kept, "OGR_SKIP": _SKIPPED_FORMATS}
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "api.jobs.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                start_new_session=True,
            )
        with contextlib.suppress(BrokenPipeError):
            if self.process.stdin is not None:
                self.process.stdin.write(json.dumps(order).encode() + b"\n")
                self.process.stdin.flush()
        self._reader = threading.Thread(target=self._read, name=f"job-{job.job_id}", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            with contextlib.suppress(ValueError):
                said = json.loads(line)
                if "stage" in said:
                    self.said = said
                else:
                    self.outcome = said

    @property
    def error(self) -> str | None:
        """Why it failed, after its end; None where it did not."""
        self._reader.join(5.0)
        if self.outcome is not None:
            return self.outcome.get("error")
        status = self.process.returncode
        if status < 0:
            name = signal.Signals(-status).name
            return f"the process of the study was killed ({name}): most likely it needs more memory"
        return f"the process of the study ended without a result (exit status {status})"

    def kill(self) -> None:
        """End it at once, with all that it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(5.0)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


@dataclasses.dataclass(frozen=True, slots=True)
class JobFolders:
    """Folders of the runner."""

    jobs: Path
    """Where uploads and results are kept."""
    studies: Path | None
    """The operator's root of studies."""
    names: frozenset[str] = frozenset()
    """Under which the operator serves studies: no result is published under them."""


class Runner:
    """Takes studies out of the queue while the service runs.

    Parameters
    ----------
    database : Database
    clock : callable
        Returns the present moment in epoch seconds.
    places : Places
    settings : Settings
        Of the service: what the study needs of them is handed on.
    visits : callable
        Returns what the service tells of check-ins now; a study has that and nothing else of them.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float],
        places: JobFolders,
        settings: Settings,
        visits: Callable[[], Sequence[StationVisits]],
    ) -> None:
        self._visits = visits
        self._database, self._clock, self.places, self._settings = database, clock, places, settings
        self._leadership = Leadership(database, "studies")
        self._leads = False
        self._running: dict[str, _Worker] = {}
        self._wake, self._closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="yilu-jobs", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Look at once: a study was queued or cancelled."""
        self._wake.set()

    def stop(self, timeout_s: float = 10.0) -> None:
        """End what runs; it is queued again, for the next start."""
        self._closed.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def forget(self, job_id: str) -> None:
        """Remove the folder of a job that is gone, as soon as nothing writes there."""
        worker = self._running.get(job_id)
        if worker is not None:
            worker.kill()
        remove_folder(self.places.jobs / job_id)

    @property
    def pids(self) -> list[int]:
        """Processes of the studies that run here."""
        return [worker.process.pid for worker in list(self._running.values())]

    # -- in the thread
    # ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._closed.is_set():
                self._wake.clear()
                try:
                    self._round()
                except StoreUnavailable:
                    LOG.info("studies wait: the database cannot be reached")
                except Exception:
                    LOG.exception("the runner of studies failed")
                self._wake.wait(POLL_S)
        finally:
            self._hand_back()
            self._leadership.release()

    def _round(self) -> None:
        led, self._leads = self._leads, self._leadership.try_lead()
        if not self._leads:
            # Somebody else runs them now, from the beginning.
            self._drop_all()
            return
        if not led:
            with self._database.transaction() as connection:
                left = jobs.take_up_left(connection, SERVICE, KIND, self._clock(), LEFT_MOST, LEFT)
            if left.queued or left.failed:
                LOG.info("studies left running by a service that stopped: %s", left)
        for worker in list(self._running.values()):
            self._look_after(worker)
        while len(self._running) < self._settings.studies_at_once and self._begin():
            pass

    def _begin(self) -> bool:
        with self._database.reading() as connection:
            if not jobs.any_queued(connection, SERVICE, KIND):
                return False
        # Before the study is taken: where the database is away now, it stays in the queue.
        visits = [dataclasses.asdict(one) for one in self._visits()]
        with self._database.transaction() as connection:
            job = jobs.take_next(connection, SERVICE, KIND, self._clock())
        if job is None:
            return False
        place = self.places.jobs / job.job_id
        place.mkdir(parents=True, exist_ok=True)
        for unfinished in out_folder(self.places.jobs, job.job_id).glob(".unfinished-*"):
            remove_folder(unfinished)
        folder = job.params.get("folder")
        root = self.places.studies if folder is not None else input_folder(self.places.jobs, job.job_id)
        key = self._settings.pseudonym_key
        cache = self._settings.cache_dir
        order = {
            "folder": folder or str(root),
            "root": str(root),
            "out": str(out_folder(self.places.jobs, job.job_id)),
            "visits": visits,
            # On standard input, so that no list of processes and no environment shows the secret.
            "settings": {
                "pseudonym_key": None if key is None else key.get_secret_value(),
                "cache_dir": None if cache is None else str(cache),
            },
        }
        self._running[job.job_id] = _Worker(job, order, place / "worker.log")
        return True

    def _look_after(self, worker: _Worker) -> None:
        job_id, now_s = worker.job.job_id, self._clock()
        if worker.process.poll() is not None:
            error = worker.error
            with self._database.transaction() as connection:
                jobs.end(connection, SERVICE, job_id, now_s, folder=None if error else "out", error=error)
            self._drop(worker)
            return
        said = worker.said
        if said is not None and not worker.told_at_s <= now_s < worker.told_at_s + TOLD_S:
            with self._database.transaction() as connection:
                goes_on = jobs.progress(connection, SERVICE, job_id, said)
            worker.told_at_s = now_s
        else:
            with self._database.reading() as connection:
                job = jobs.get(connection, SERVICE, job_id)
            goes_on = job is not None and job.state == "running"
        if not goes_on:
            self._drop(worker)

    def _drop(self, worker: _Worker) -> None:
        worker.kill()
        self._running.pop(worker.job.job_id, None)
        for unfinished in out_folder(self.places.jobs, worker.job.job_id).glob(".unfinished-*"):
            remove_folder(unfinished)

    def _drop_all(self) -> None:
        for worker in list(self._running.values()):
            self._drop(worker)

    def _hand_back(self) -> None:
        mine = list(self._running)
        self._drop_all()
        with contextlib.suppress(StoreUnavailable):
            if mine and self._leads:
                with self._database.transaction() as connection:
                    jobs.hand_back(connection, SERVICE, mine)
