"""The report on one unit grid, made when a member of grid staff asks for it."""

import dataclasses
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from api.forms import GridSummary, Language, ReportFormat
from api.http.problems.errors import NotThereError
from api.study.finished import PLACES_FOLDER, FinishedStudy
from geo.places import Places

__all__ = ["GridReports", "Reports", "grid_summaries"]

if TYPE_CHECKING:
    from maps.page import Backdrop


class GridReports:
    """Makes grid reports of one served study; the base map is built at the first one and kept."""

    def __init__(self, served: FinishedStudy) -> None:
        self._served = served
        self._backdrop: Backdrop | None = None
        # One at a time: drawing pictures takes all of a core.
        self._lock = threading.Lock()

    def make(self, code: str, form: ReportFormat, language: Language) -> bytes:
        """Return the file of one report.

        Raises
        ------
        NotThereError
            When the study has no such grid or language.
        """
        served = self._served
        if not any(grid.code == code for grid in served.study.grids):
            raise NotThereError(f"this study has no unit grid {code!r}; /v1/grids lists them")
        if language not in served.meta.languages:
            raise NotThereError(f"this study has no {language}; it has: {', '.join(served.meta.languages)}")
        study = dataclasses.replace(
            served.study, title=served.meta.titles[language], city=served.meta.cities[language]
        )
        with self._lock, tempfile.TemporaryDirectory(prefix="yilu-") as folder:
            path = Path(folder) / f"report.{form.value}"
            # What draws takes long to import, and most processes never draw.
            from maps.documents import write_docx, write_html, write_xlsx

            write = {"docx": write_docx, "xlsx": write_xlsx, "html": write_html}[form.value]
            write(study, self._drawn(), language, path, code)
            return path.read_bytes()

    def backdrop(self) -> "Backdrop":
        """Return the base map of the study."""
        with self._lock:
            return self._drawn()

    def _drawn(self) -> "Backdrop":
        if self._backdrop is None:
            from maps.page import Backdrop

            folder = self._served.folder / PLACES_FOLDER
            # Water, green and buildings are not in every study.
            places = Places.load(folder) if folder.exists() else None
            self._backdrop = Backdrop.build(self._served.network, places)
        return self._backdrop


def grid_summaries(served: FinishedStudy) -> list[GridSummary]:
    """Return all unit grids of the study with their figures."""
    return [
        GridSummary(
            code=grid.code,
            name=grid.name,
            riders=grid.riders,
            rest_min_a_day=grid.rest_min_a_day,
            served_share=grid.served_share,
            in_reach_share=grid.in_reach_share,
            served_today_share=grid.served_today_share,
            stations=len(grid.site_ids),
            pickup_points=len(grid.pickup_ids),
        )
        for grid in served.study.grids
    ]


async def _reports(request: Request) -> GridReports:
    shown = await run_in_threadpool(request.app.state.shelf.get, request.path_params.get("study"))
    reports: GridReports = shown.reports
    return reports


Reports = Annotated[GridReports, Depends(_reports)]
