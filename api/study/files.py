"""Every file that a study leaves behind."""

import dataclasses
import datetime
from collections.abc import Callable
from pathlib import Path
from typing import cast

from api.forms import Language, Station, StationPlan, StudyMeta
from api.outputs import write_json
from api.study.finished import (
    HOURS_FOLDER,
    META_FILE,
    NETWORK_FOLDER,
    PLACES_FOLDER,
    RESULT,
    RESULT_FILE,
    STATIONS_FILE,
)
from api.study.sample_matches import MatchSample
from api.study.studyfile.tables import StudyFile
from geo.places import Places
from geo.streets import StreetNetwork
from geo.travel import HourlyStreets
from maps.documents import report_pictures, write_docx, write_html, write_xlsx
from maps.exports import write_geojson, write_gpkg
from maps.match import MatchPicture, match_map, match_picture
from maps.page import Backdrop
from maps.study import study_map
from maps.texts import Wording
from routing.model import Match
from siting.results import Study

__all__ = ["REQUEST_FILE", "Step", "StudyFiles", "in_language", "write_study_files"]

REQUEST_FILE = Path("data") / "match-request.json"
NO_TASKS: dict[str, list[object]] = {"matches": [], "refused": [], "late_before": [], "off_network": []}
STEPS_A_LANGUAGE = 4
STEPS = 3
Step = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True, slots=True)
class StudyFiles:
    """What is written."""

    study_settings: StudyFile
    study: Study
    network: StreetNetwork
    places: Places
    trial: MatchSample | None
    hours: HourlyStreets | None = None


def write_study_files(files: StudyFiles, folder: Path, step: Step) -> None:
    """Write map and reports in every language, layers, matches and the data that the service needs.

    Parameters
    ----------
    files : StudyFiles
        The result and its city.
    folder : Path
        Where to write.
    step : callable
        Told of steps done and steps in all.
    """
    study_settings, study = files.study_settings, files.study
    languages = study_settings.all_languages
    match = files.trial.shown if files.trial is not None else None
    total = STEPS + (STEPS_A_LANGUAGE + (match is not None)) * len(languages)
    done = 0

    def tell() -> None:
        nonlocal done
        done += 1
        step(done, total)

    backdrop = Backdrop.build(files.network, files.places)
    tell()
    for language in languages:
        middle = study_settings.file_mark(language)
        said = in_language(study, study_settings, language)
        page = study_map(said, backdrop, language)
        (folder / f"map{middle}.html").write_text(page, encoding="utf-8", newline="\n")
        tell()
        pictures = report_pictures(said, backdrop, language)
        write_docx(said, backdrop, language, folder / f"report{middle}.docx", pictures=pictures)
        tell()
        write_xlsx(said, backdrop, language, folder / f"report{middle}.xlsx")
        tell()
        write_html(said, backdrop, language, folder / f"report{middle}.html", pictures=pictures)
        tell()
        if files.trial is not None and match is not None:
            picture = _picture(files.trial, match, files, language)
            page = match_map(picture, backdrop, language)
            (folder / f"match{middle}.html").write_text(page, encoding="utf-8", newline="\n")
            tell()
    write_geojson(study, folder / "sites.geojson")
    write_gpkg(study, folder / "sites.gpkg")
    tell()
    _write_matches(files.trial, folder)
    _write_service_data(files, folder)
    tell()


def in_language(study: Study, study_settings: StudyFile, language: Language) -> Study:
    """Return the study with its own texts in one language."""
    return dataclasses.replace(
        study, title=study_settings.text("title", language), city=study_settings.text("city", language)
    )


def _picture(trial: MatchSample, match: Match, files: StudyFiles, language: Language) -> MatchPicture:
    kind = next(task.kind for task in trial.request.tasks if task.task_id == match.task_id)
    return match_picture(
        match,
        files.network,
        task=Wording.of(language, files.study.k).text(f"task.{kind}"),
        timezone=files.study.timezone,
        attribution=files.study.map_attribution,
        synthetic=files.study.synthetic,
    )


def _write_matches(trial: MatchSample | None, folder: Path) -> None:
    if trial is None:
        write_json(folder / "matches.json", NO_TASKS)
        return
    write_json(folder / "matches.json", trial.response.model_dump(mode="json"))
    write_json(folder / REQUEST_FILE, trial.request.model_dump(mode="json", exclude_defaults=True))


def _write_service_data(files: StudyFiles, folder: Path) -> None:
    study = files.study
    meta = StudyMeta(
        titles={
            language: files.study_settings.text("title", language)
            for language in files.study_settings.all_languages
        },
        cities={
            language: files.study_settings.text("city", language)
            for language in files.study_settings.all_languages
        },
        timezone=study.timezone,
        languages=files.study_settings.all_languages,
        mode=files.study_settings.mode,
        period=study.period,
        synthetic=study.synthetic,
        attribution=study.map_attribution,
    )
    stations = [
        Station(
            station_id=site.site_id,
            name=site.name,
            lonlat=site.lonlat,
            kind=site.kind,
            existing=site.existing,
            opening_hours=site.opening_hours,
            facilities=site.facilities,
            street=site.street,
            plan=cast("StationPlan", site.plan),
            closed_from=_day(study.closed_from) if site.plan in ("close", "move") else None,
        )
        for site in study.sites
    ]
    write_json(folder / META_FILE, meta.model_dump(mode="json"))
    write_json(folder / STATIONS_FILE, [station.model_dump(mode="json") for station in stations])
    (folder / RESULT_FILE).write_bytes(RESULT.dump_json(study))
    files.places.save(folder / PLACES_FOLDER)
    files.network.save(folder / NETWORK_FOLDER)
    if files.hours is not None:
        files.hours.save(folder / HOURS_FOLDER)


def _day(text: str | None) -> datetime.date | None:
    return None if text is None else datetime.date.fromisoformat(text)
