"""A match request out of a synthetic fleet: the riders of one moment, and civic tasks for them."""

import datetime

import numpy as np
from numpy.typing import NDArray

from api.forms import Mode, instant_of
from api.matching.forms import MatchRequest, RiderIn, StopIn, StopKind, TaskIn, TaskKindName, VisitIn
from api.study.studyfile.tables import StudyFile
from geo.datum import Datum, from_wgs84
from geo.localtime import zone
from geo.streets import StreetNetwork
from geo.synthetic import TASK_KINDS, CivicTasks, Snapshot, SyntheticFleet, civic_tasks, snapshot

__all__ = ["sample_request"]

STOP_KIND: dict[int, StopKind] = {1: "pickup", 2: "dropoff"}
TASK_KIND: dict[str, TaskKindName] = {
    "hazard": "hazard",
    "visit": "visit",
    "notice": "notice",
    "patrol": "patrol",
    "emergency": "first_response",
}


def sample_request(study_settings: StudyFile, network: StreetNetwork, fleet: SyntheticFleet) -> MatchRequest:
    """Return the request whose answer becomes ``matches.json``.

    Parameters
    ----------
    study_settings : StudyFile
        Names the moment, the number of tasks, the seed and the datum.
    network : StreetNetwork
        The streets.
    fleet : SyntheticFleet
        Riders with their orders; their codes do not appear in the request.

    Returns
    -------
    MatchRequest
        Riders are numbered anew, so that nobody can be linked with the traces.
    """
    options = fleet.options
    where = zone(options.timezone)
    last_day = options.first_day + datetime.timedelta(days=options.days - 1)
    at = datetime.datetime.combine(last_day, study_settings.matching.at, where)
    datum: Datum = study_settings.synthetic.datum if study_settings.synthetic is not None else "wgs84"
    riders = _riders(snapshot(fleet, at.timestamp()), datum, where, study_settings.mode)
    tasks = civic_tasks(
        network, study_settings.mode, study_settings.matching.tasks, at.timestamp(), study_settings.seed
    )
    return MatchRequest(datum=datum, now=at, riders=riders, tasks=_tasks(tasks, datum, where))


def _riders(shown: Snapshot, datum: Datum, where: datetime.tzinfo, mode: Mode) -> tuple[RiderIn, ...]:
    here = _placed(shown.lonlat, datum)
    stops = _placed(shown.stop_lonlat, datum)
    width = len(str(len(here)))
    return tuple(
        RiderIn(
            rider_id=f"rider-{k + 1:0{width}d}",
            lon=here[k][0],
            lat=here[k][1],
            mode=mode,
            stops=tuple(
                _stop(shown, row, stops[row], where, row - int(shown.stop_ptr[k]) + 1)
                for row in range(int(shown.stop_ptr[k]), int(shown.stop_ptr[k + 1]))
            ),
            shift_start=instant_of(float(shown.shift_start_s[k]), where),
            shift_end=instant_of(float(shown.shift_end_s[k]), where),
            worked_since_break_s=_seconds(shown.worked_s[k]),
            worked_today_s=_seconds(shown.at_s - shown.shift_start_s[k]),
        )
        for k in range(len(here))
    )


def _stop(
    shown: Snapshot, row: int, lonlat: tuple[float, float], where: datetime.tzinfo, number: int
) -> StopIn:
    service_s = _seconds(shown.stop_service_s[row])
    due_s = float(shown.stop_due_s[row])
    return StopIn(
        stop_id=f"stop-{number}",
        lon=lonlat[0],
        lat=lonlat[1],
        service_s=service_s,
        # A promise is about handing over; a due time of a stop is about beginning to.
        due=instant_of(float(due_s - service_s), where) if np.isfinite(due_s) else None,
        kind=STOP_KIND[int(shown.stop_kind[row])],
    )


def _tasks(tasks: CivicTasks, datum: Datum, where: datetime.tzinfo) -> tuple[TaskIn, ...]:
    places = _placed(tasks.lonlat, datum)
    width = len(str(len(places)))
    names = [TASK_KIND[TASK_KINDS[kind]] for kind in tasks.kind.tolist()]
    return tuple(
        TaskIn(
            task_id=f"task-{k + 1:0{width}d}",
            place=VisitIn(
                lon=lon,
                lat=lat,
                service_s=_seconds(tasks.service_s[k]),
                earliest=instant_of(float(tasks.earliest_s[k]), where),
                latest=instant_of(float(tasks.latest_s[k]), where),
            ),
            kind=names[k],
            priority=10 if names[k] == "first_response" else 0,
        )
        for k, (lon, lat) in enumerate(places)
    )


def _placed(lonlat: NDArray[np.float64], datum: Datum) -> list[tuple[float, float]]:
    return [(lon, lat) for lon, lat in np.round(from_wgs84(lonlat, datum), 7).tolist()]


def _seconds(value: float) -> float:
    return round(float(min(max(value, 0.0), 86_400.0)), 3)
