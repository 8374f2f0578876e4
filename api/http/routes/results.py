"""What a study has written, as it is: the map, the reports, the layers."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import FileResponse, HTMLResponse, Response

from api.forms import EditFormat, GridSummary, Language, LayerFormat, ReportFormat
from api.http.deps import Served
from api.http.grid_reports import Reports, grid_summaries
from api.http.presence_forms import BlindSpotsOut, MeetingsOut, blind_spots_out, meetings_out
from api.study.finished import FinishedStudy

__all__ = ["has_match", "router"]

router = APIRouter(tags=["results"])
Lang = Annotated[Language | None, Query(description="Language; none: that of the study.")]
GridCode = Annotated[
    str | None, Query(max_length=40, description="Code of one unit grid; none: the whole study.")
]
TYPES = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".html": "text/html; charset=utf-8",
    ".geojson": "application/geo+json",
    ".gpkg": "application/geopackage+sqlite3",
    ".osc": "application/xml",
}


def _kinds(*suffixes: str) -> dict[int | str, dict[str, Any]]:
    """Return what the document says of the kinds of files that a call may answer with."""
    kinds = (TYPES[suffix].partition(";")[0] for suffix in suffixes)
    return {200: {"description": "The file.", "content": {kind: {} for kind in kinds}}}


def _file(served: FinishedStudy, stem: str, suffix: str, lang: Language | None) -> Path:
    main = served.meta.languages[0]
    middle = "" if lang is None or lang == main else f".{lang}"
    path = served.folder / f"{stem}{middle}{suffix}"
    # A file of an earlier study in the same folder is not of this one.
    if (lang is not None and lang not in served.meta.languages) or not path.is_file():
        raise HTTPException(
            404, f"this study has no {path.name}; its languages are: {', '.join(served.meta.languages)}"
        )
    return path


def has_match(served: FinishedStudy) -> bool:
    """Say whether the study has a map of a match."""
    totals = served.study.matching
    return totals is not None and totals.matched > 0 and (served.folder / "match.html").is_file()


def _download(grid: str, form: ReportFormat) -> str:
    # Codes come from the planner's file: in a header only plain letters may stand.
    safe = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in grid)
    return f'attachment; filename="report-{safe}.{form.value}"'


@router.get("/map", summary="The map of the study", response_class=HTMLResponse)
def study_map(served: Served, lang: Lang = None) -> FileResponse:
    """Self-contained page: it loads nothing from anywhere else."""
    return FileResponse(_file(served, "map", ".html", lang), media_type=TYPES[".html"])


@router.get("/match-map", summary="The map of one match", response_class=HTMLResponse)
def match_map(served: Served, lang: Lang = None) -> FileResponse:
    """One task of the study's sample on a rider's way: before, after, and the slack of every stop.

    404 when the study put no tasks to riders, or no task found one.
    """
    if not has_match(served):
        raise HTTPException(404, "this study has no map of a match: no sample of tasks was matched in it")
    return FileResponse(_file(served, "match", ".html", lang), media_type=TYPES[".html"])


@router.get(
    "/reports/{form}",
    summary="The report as Word, Excel or HTML",
    response_class=FileResponse,
    responses=_kinds(".html", ".docx", ".xlsx"),
)
def report(
    served: Served, reports: Reports, form: ReportFormat, lang: Lang = None, grid: GridCode = None
) -> Response:
    """DOCX and XLSX are downloads, HTML opens in the browser. With `grid`: two pages on that unit grid."""
    if grid is not None:
        content = reports.make(grid, form, lang or served.meta.languages[0])
        headers = {} if form is ReportFormat.HTML else {"content-disposition": _download(grid, form)}
        return Response(content, media_type=TYPES[f".{form.value}"], headers=headers)
    path = _file(served, "report", f".{form.value}", lang)
    name = None if form is ReportFormat.HTML else path.name
    return FileResponse(path, media_type=TYPES[path.suffix], filename=name)


@router.get("/v1/grids", summary="The unit grids of the study")
def grids(served: Served) -> list[GridSummary]:
    """Code, name and figures; a figure behind which fewer than k riders stand is null."""
    return grid_summaries(served)


@router.get("/v1/meetings", summary="When and where most riders can be met")
def meetings(served: Served) -> MeetingsOut:
    """Dates at stations, chosen together: most different riders have time for one of them, in their rests."""
    return meetings_out(served.study.meetings)


@router.get("/v1/blind-spots", summary="Streets that no rider passes")
def blind_spots(served: Served) -> BlindSpotsOut:
    """Return what riders see of each unit grid, most unseen first, and rounds that would change it."""
    return blind_spots_out(served.study.blind_spots)


@router.get(
    "/layers/sites.{form}",
    summary="The stations for a GIS",
    response_class=FileResponse,
    responses=_kinds(".geojson", ".gpkg"),
)
def layer(served: Served, form: LayerFormat) -> FileResponse:
    """GeoJSON or GeoPackage, both in WGS-84."""
    path = _file(served, "sites", f".{form.value}", None)
    return FileResponse(path, media_type=TYPES[path.suffix], filename=path.name)


@router.get(
    "/layers/edits.{form}",
    summary="Proposed edits of the map",
    response_class=FileResponse,
    responses=_kinds(".geojson", ".osc"),
)
def edits(served: Served, form: EditFormat) -> FileResponse:
    """Ways that the map may lack and gates that may be shut, each with its evidence; none is applied.

    GeoJSON holds the waits at gates as well; the OSM change file opens in JOSM. 404 when the traces of the
    study were not matched to streets.
    """
    path = _file(served, "edits", f".{form.value}", None)
    return FileResponse(path, media_type=TYPES[path.suffix], filename=path.name)
