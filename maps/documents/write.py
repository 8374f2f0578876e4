"""Report tables and pictures on paper: DOCX, XLSX, HTML and CSV.

What a document says comes from :mod:`siting.report.report`, its words from :mod:`maps.texts`. The same study
gives the same bytes: files carry the last day of the study's period instead of the clock.
"""

from collections.abc import Callable
from pathlib import Path

from geo.errors import InputError
from maps.documents.charts import budget_picture, coverage_picture, front_picture, station_hours_picture
from maps.documents.pictures import inset_picture, map_picture
from maps.documents.printed import html_document
from maps.documents.sheets import csv_text, workbook
from maps.documents.word import grid_map_cm, word_document
from maps.page.basemap import Backdrop
from maps.texts.wording import Wording
from siting.report import StudyReport, Table, grid_report, one_fact_a_row, study_report, study_tables
from siting.results import Study

__all__ = ["report_pictures", "write_csv", "write_docx", "write_html", "write_xlsx"]


def report_pictures(
    study: Study, backdrop: Backdrop, lang: str, grid_code: str | None = None
) -> dict[str, bytes]:
    """Draw the pictures of a report as PNG, once for all documents; parameters as :func:`write_docx`."""
    return _pictures(study, backdrop, lang, _report(study, grid_code))


def write_docx(
    study: Study,
    backdrop: Backdrop,
    lang: str,
    path: Path | str,
    grid_code: str | None = None,
    *,
    pictures: dict[str, bytes] | None = None,
) -> None:
    """Write the report as a Word document.

    Parameters
    ----------
    study, backdrop
        The result and its base map.
    lang
        ``zh`` (set like a Chinese official document, GB/T 9704) or ``en``.
    path
        File to write.
    grid_code
        Only this unit grid, on two pages; None for the whole study.
    pictures
        Of `report_pictures`; None draws them.

    Raises
    ------
    InputError
        If the study has no such unit grid, or the language is not known.
    """
    say = Wording.of(lang, study.k)
    report = _report(study, grid_code)
    drawn = _pictures(study, backdrop, lang, report) if pictures is None else pictures
    Path(path).write_bytes(word_document(report, study, say, drawn))


def write_html(
    study: Study,
    backdrop: Backdrop,
    lang: str,
    path: Path | str,
    grid_code: str | None = None,
    *,
    pictures: dict[str, bytes] | None = None,
) -> None:
    """Write the report as one self-contained, printable HTML file; parameters as :func:`write_docx`."""
    say = Wording.of(lang, study.k)
    report = _report(study, grid_code)
    drawn = _pictures(study, backdrop, lang, report) if pictures is None else pictures
    text = html_document(report, study, say, drawn)
    Path(path).write_text(text, encoding="utf-8", newline="\n")


def write_xlsx(
    study: Study, backdrop: Backdrop, lang: str, path: Path | str, grid_code: str | None = None
) -> None:
    """Write every table as a sheet of a workbook: one fact a row, numbers as numbers, codes as text.

    Parameters
    ----------
    study
        The result.
    backdrop
        Not used: a workbook has no map; taken so that all writers are called alike.
    lang
        ``zh`` or ``en``.
    path
        File to write.
    grid_code
        Only the rows of this unit grid; None for the whole study.
    """
    say = Wording.of(lang, study.k)
    report = _report(study, grid_code)
    Path(path).write_bytes(workbook(_tables(study, report), study, say, say.say(report.title), report))


def write_csv(study: Study, lang: str, path: Path | str, table: str = "sites") -> None:
    """Write one table as CSV with a byte order mark, so that Excel reads it as UTF-8.

    Parameters
    ----------
    study
        The result.
    lang
        ``zh`` or ``en``.
    path
        File to write.
    table
        Key of one of :func:`siting.report.report.study_tables`, such as ``sites`` or ``existing``.
    """
    say = Wording.of(lang, study.k)
    tables = {one.key: one for one in study_tables(study)}
    if table not in tables:
        raise InputError(f"table {table!r} is not known, allowed: {', '.join(tables)}")
    Path(path).write_text(csv_text(tables[table], say), encoding="utf-8-sig", newline="")


def _report(study: Study, grid_code: str | None) -> StudyReport:
    return study_report(study) if grid_code is None else grid_report(study, grid_code)


def _tables(study: Study, report: StudyReport) -> tuple[Table, ...]:
    """Tables of the workbook: all of the study, or the grid's facts and its rows of the others."""
    tables = one_fact_a_row(study_tables(study))
    if report.grid_code is None:
        return tables
    grid = next(grid for grid in study.grids if grid.code == report.grid_code)
    by_key = {table.key: table for section in report.sections for table in section.tables}
    spots = {str(row[0]) for row in by_key["hot_spots"].rows} if "hot_spots" in by_key else set()
    ids = {*grid.site_ids, *grid.pickup_ids, grid.station_id, *spots}
    kept = []
    for table in tables:
        if table.key in ("sites", "hours", "existing", "station_facilities", "pickups", "hot_spots"):
            at = next(i for i, column in enumerate(table.columns) if column.key == "id")
            kept.append(Table(table.key, table.columns, tuple(row for row in table.rows if row[at] in ids)))
    return tuple(kept)


def _overview_cm(report: StudyReport, lang: str) -> float:
    """Return how high the map below the table of contents may be, so that they share a page."""
    sheets = any(section.part == "station" for section in report.sections)
    lines = len(report.sections) - 1 + sheets
    room, line = (19.3, 0.635) if lang == "zh" else (22.8, 0.477)
    left = room - lines * line
    return min(10.5, left) if left >= 5.0 else room


def _pictures(study: Study, backdrop: Backdrop, lang: str, report: StudyReport) -> dict[str, bytes]:
    wanted = {name for section in report.sections for name in section.pictures}
    grid = report.grid_code
    height = _overview_cm(report, lang) if grid is None else grid_map_cm(report, Wording.of(lang, study.k))
    makers: dict[str, Callable[[str], bytes]] = {
        "map": lambda _: map_picture(study, backdrop, lang, grid_code=grid, height_cm=height),
        "lead": lambda _: map_picture(study, backdrop, lang, width_cm=8.4, height_cm=5.9, legend=False),
        "inset": lambda site_id: inset_picture(study, backdrop, lang, site_id, height_cm=5.2),
        "hours": lambda site_id: station_hours_picture(study, lang, site_id, height_cm=4.9),
        "coverage": lambda _: coverage_picture(study, lang),
        "budget": lambda _: budget_picture(study, lang),
        "front": lambda _: front_picture(study, lang),
    }
    out = {}
    for name in sorted(wanted):
        key, _, what = name.partition(":")
        out[name] = makers[key](what)
    return out
