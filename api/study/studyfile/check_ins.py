"""Check-ins at stations of today, as the service tells them: whole weeks of at least k riders each.

They come from a file that the study names, or from the service that runs the study.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from api.study.studyfile.place_tables import read_rows
from geo.datasets import cell_text
from geo.errors import InputError, read_each
from geo.sentences import Sentence
from siting.stations import ExistingStation, FormerStation, known_again

__all__ = ["StationVisits", "with_check_ins", "with_own_check_ins"]

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "station", "名称", "站点名称", "驿站名称", "站点", "驿站"),
    "visits": ("visits", "check-ins", "check_ins", "签到次数", "签到", "到访次数"),
    "riders": ("riders", "签到人数", "骑手人数", "到访人数"),
}
"""Our names, and the headings that mean them."""
_DAYS = 7
MOST = 1e6


@dataclasses.dataclass(frozen=True, slots=True)
class _Week:
    """One station in one week; None: of fewer riders than are told."""

    name: str
    visits: float | None
    riders: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class StationVisits:
    """What the service told of one station of a study that it shows; position in WGS-84 degrees."""

    name: str
    lonlat: tuple[float, float]
    weeks: tuple[tuple[str, int, int], ...]
    """Monday, visits and riders of each week that is told."""
    name_is_own: bool = True
    """Whether no other station of that study bore the name."""


def with_own_check_ins(
    visits: Sequence[StationVisits], stations: Sequence[ExistingStation], k: int
) -> tuple[tuple[ExistingStation, ...], list[Sentence]]:
    """Return the stations with the check-ins a day that the service recorded, and what is to be said of it.

    A station is known again by its place (`known_again`); where nothing of the list stands there, its
    check-ins count to no other, and that is said. Where it is shown in several studies, each week of each
    counts: nobody checks in twice for one visit.

    Parameters
    ----------
    visits : sequence of StationVisits
        Of the city of the study.
    stations : sequence of ExistingStation
    k : int
        Of the study: weeks of fewer riders are not counted.
    """
    told: dict[int, dict[str, int]] = {}
    gone: list[str] = []
    for one in visits:
        at = known_again(FormerStation(one.name, one.lonlat, one.name_is_own), stations)
        counted_weeks = [(monday, count) for monday, count, riders in one.weeks if riders >= k]
        if at is None:
            gone += [one.name] if counted_weeks else []
            continue
        for monday, count in counted_weeks:
            weeks = told.setdefault(at, {})
            weeks[monday] = weeks.get(monday, 0) + count
    counted = list(stations)
    for at, weeks in told.items():
        a_day = sum(weeks.values()) / len(weeks) / _DAYS
        counted[at] = dataclasses.replace(counted[at], check_ins_a_day=a_day, check_in_weeks=len(weeks))
    notes = [Sentence.of("check_ins_own", count=len(told), k=k)] if told else []
    if gone and stations:
        notes.append(Sentence.of("check_ins_gone", names=", ".join(sorted(set(gone)))))
    return tuple(counted), notes


def with_check_ins(
    path: Path, stations: Sequence[ExistingStation], k: int
) -> tuple[tuple[ExistingStation, ...], list[Sentence]]:
    """Return the stations with their check-ins a day, and what is to be said of the file.

    Weeks of fewer than k riders are not counted, neither as visits nor as days: nobody knows how many there
    were.

    Parameters
    ----------
    path : Path
        The answer of ``GET /v1/stations/visits`` (``.json``), or a table (``.csv``, ``.xlsx``) with a row a
        station and week.
    stations : sequence of ExistingStation
    k : int
        Of the study.

    Raises
    ------
    InputError
        For a file that cannot be read, or with a figure that is none: file, row, and what is allowed.
    """
    weeks = _of_service(path) if path.suffix.lower() == ".json" else _of_table(path)
    by_name: dict[str, list[float]] = {}
    for week in weeks:
        visits = by_name.setdefault(week.name, [])
        if week.visits is not None and week.riders is not None and week.riders >= k:
            visits.append(week.visits)
    unknown = sorted(set(by_name) - {station.name for station in stations})
    notes = [Sentence.of("check_ins_unknown", file=path.name, names=", ".join(unknown))] if unknown else []
    return tuple(
        dataclasses.replace(station, check_ins_a_day=sum(told) / len(told) / _DAYS, check_in_weeks=len(told))
        if (told := by_name.get(station.name))
        else station
        for station in stations
    ), notes


def _of_service(path: Path) -> list[_Week]:
    try:
        weeks = json.loads(path.read_text(encoding="utf-8"))["weeks"]
        rows = [(number, row) for number, row in enumerate(weeks, 1) if isinstance(row, Mapping)]
    except OSError:
        raise InputError(Sentence.of("no_file", path=str(path))) from None
    except (ValueError, KeyError, TypeError):
        raise InputError(Sentence.of("check_ins_form", file=path.name)) from None
    return _weeks(path, rows, {name: name for name in _COLUMNS})


def _of_table(path: Path) -> list[_Week]:
    table = read_rows(path, _columns)
    return _weeks(path, table.rows, table.columns)


def _columns(headings: Sequence[str]) -> dict[str, str]:
    present = {heading.strip().casefold(): heading for heading in headings}
    found = {}
    for ours, known in _COLUMNS.items():
        match = next((present[word] for word in known if word in present), None)
        if match is None:
            raise InputError(Sentence.of("lacking_column", ours=ours, known=", ".join(known)))
        found[ours] = match
    return found


def _weeks(
    path: Path, rows: Iterable[tuple[int, Mapping[str, object]]], columns: Mapping[str, str]
) -> list[_Week]:
    def week(row: Mapping[str, object]) -> _Week:
        name = cell_text(row.get(columns["name"]))
        if not name:
            raise InputError(Sentence.of("empty", column=columns["name"]))
        return _Week(name, *(_count(row.get(columns[key]), columns[key]) for key in ("visits", "riders")))

    return read_each(path.name, rows, week, "row")


def _count(cell: object, column: str) -> float | None:
    """Return a count; None for an empty cell, a dash, or words such as "<10"."""
    text = cell_text(cell)
    if not text or text.startswith(("<", "＜", "少于", "不足", "—", "–")) or text == "-":
        return None
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        value = -1.0
    if not 0 <= value <= MOST:
        raise InputError(Sentence.of("check_ins_count", column=column, value=text, most=MOST))
    return value
