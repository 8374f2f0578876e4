"""The studies that a service shows: the one without a name, those named at its start, those published."""

import collections
import contextlib
import dataclasses
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from api.http.grid_reports import GridReports
from api.http.problems.errors import NotThereError
from api.jobs.forms import ServedStudy
from api.jobs.runner import out_folder
from api.ogc import StudySource
from api.store import SERVICE, Database, jobs
from api.study.finished import META_FILE, FinishedStudy, load_finished
from geo.errors import InputError

__all__ = ["PREFIX", "Shelf", "Shown"]

PREFIX = "/s/{study}"
MOST_LOADED = 8
"""Published studies held in memory; their streets are mapped from the disk."""


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Shown:
    """A study that is shown, ready to answer."""

    served: FinishedStudy
    reports: GridReports
    city: StudySource

    @classmethod
    def of(cls, served: FinishedStudy) -> "Shown":
        """Make what answers for a study; maps and tables are built when they are asked for."""
        return cls(served, GridReports(served), StudySource(served.study, served.stations))


class Shelf:
    """Finds studies by name, and holds the last ones in memory.

    Parameters
    ----------
    default : FinishedStudy
        Shown at the addresses without a name.
    named : mapping of name to FinishedStudy
        Given when the service was started.
    jobs_dir : Path
        Where the results of jobs lie.
    """

    def __init__(self, default: FinishedStudy, named: Mapping[str, FinishedStudy], jobs_dir: Path) -> None:
        self.default = Shown.of(default)
        self.named = {name: Shown.of(one) for name, one in named.items()}
        self.database: Database | None = None
        """Knows what was published since; set when the live service starts."""
        self._jobs_dir = jobs_dir
        self._loaded: collections.OrderedDict[tuple[str, int], Shown] = collections.OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str | None) -> Shown:
        """Return the study of a name; None: the one without.

        Raises
        ------
        NotThereError
            When no study is shown under that name.
        """
        if name is None:
            return self.default
        if name in self.named:
            return self.named[name]
        job = self._published(name)
        if job is None:
            raise NotThereError("no study is shown under this name; /v1/studies/shown lists them")
        folder = out_folder(self._jobs_dir, job.job_id)
        try:
            # A study that ran again is another one.
            key = job.job_id, (folder / META_FILE).stat().st_mtime_ns
            with self._lock:
                if key not in self._loaded:
                    served = load_finished(folder)
                    self._loaded[key] = Shown.of(served)
                self._loaded.move_to_end(key)
                while len(self._loaded) > MOST_LOADED:
                    self._loaded.popitem(last=False)
                return self._loaded[key]
        except (OSError, InputError):
            raise NotThereError("the result of this study is not there") from None

    def _published(self, name: str) -> jobs.Job | None:
        if self.database is None:
            return None
        with self.database.reading() as connection:
            return next(iter(jobs.published(connection, SERVICE, name)), None)

    def all(self) -> Iterator[tuple[str | None, FinishedStudy]]:
        """Yield what is shown with its name, the study without one first; what cannot be read is left out."""
        names: list[str | None] = [None, *sorted(self.named)]
        if self.database is not None:
            with self.database.reading() as connection:
                names += [str(job.published) for job in jobs.published(connection, SERVICE)]
        for name in names:
            with contextlib.suppress(NotThereError):
                yield name, self.get(name).served

    def listed(self) -> list[ServedStudy]:
        """Return what is told of each study that is shown."""
        found = []
        for name, served in self.all():
            meta = served.meta
            found.append(
                ServedStudy(
                    name=name,
                    address="/" if name is None else f"/s/{name}/",
                    titles=meta.titles,
                    cities=meta.cities,
                    timezone=meta.timezone,
                    period=meta.period,
                )
            )
        return found
