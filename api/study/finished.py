"""What the folder of a finished study holds, and how the service loads it."""

import dataclasses
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from api.forms import Station, StudyMeta
from geo.errors import InputError
from geo.streets import StreetNetwork
from geo.travel import HourlyStreets
from siting.results import Study

__all__ = [
    "HOURS_FOLDER",
    "META_FILE",
    "NETWORK_FOLDER",
    "PLACES_FOLDER",
    "RESULT",
    "RESULT_FILE",
    "STATIONS_FILE",
    "FinishedStudy",
    "load_finished",
]

META_FILE = Path("data") / "study.json"
STATIONS_FILE = Path("data") / "stations.json"
NETWORK_FOLDER = Path("data") / "network"
HOURS_FOLDER = Path("data") / "hours"

RESULT_FILE = Path("data") / "result.json"
PLACES_FOLDER = Path("data") / "places"

RESULT = TypeAdapter(Study)
"""The frozen study as JSON: the reports of single unit grids are made from it when asked for."""
_STATIONS = TypeAdapter(tuple[Station, ...])


@dataclasses.dataclass(frozen=True, slots=True)
class FinishedStudy:
    """One finished study: its files, its streets, its stations."""

    folder: Path
    meta: StudyMeta
    network: StreetNetwork
    stations: tuple[Station, ...]
    study: Study
    hours: HourlyStreets | None = None
    """Times by the hour, as they may be promised; None where none were learned."""


def load_finished(folder: Path) -> FinishedStudy:
    """Load what ``yilu study --out`` left in `folder`.

    Parameters
    ----------
    folder : Path
        The folder of one finished study.

    Returns
    -------
    FinishedStudy
        Ready to answer; the network is memory-mapped.

    Raises
    ------
    InputError
        When the folder holds no finished study.
    """
    try:
        meta = StudyMeta.model_validate_json((folder / META_FILE).read_bytes())
        stations = _STATIONS.validate_json((folder / STATIONS_FILE).read_bytes())
        study = RESULT.validate_json((folder / RESULT_FILE).read_bytes())
    except OSError:
        raise InputError(
            f"{folder}: holds no finished study; make one with 'yilu study STUDY.toml --out {folder}'"
        ) from None
    except ValidationError as error:
        raise InputError(f"{folder}: {error.title} is damaged ({error.errors()[0]['msg'].lower()})") from None
    network = StreetNetwork.load(folder / NETWORK_FOLDER)
    return FinishedStudy(folder, meta, network, stations, study, _hours(folder / HOURS_FOLDER, network, meta))


def _hours(folder: Path, network: StreetNetwork, meta: StudyMeta) -> HourlyStreets | None:
    if not folder.exists():
        return None
    return HourlyStreets.load(folder, network, meta.timezone)
