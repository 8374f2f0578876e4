"""What a caller may see of the city now; who sees what is decided here.

Platforms see their riders, offers and alerts, publishers their tasks and emergencies, riders what is theirs.
Publishers learn of riders only what at least `DEFAULT_K` of them stand behind.
"""

import collections
import dataclasses
import datetime
from collections.abc import Callable, Iterable, Sequence
from typing import cast

import numpy as np

from api.dispatch import codec
from api.dispatch.desk import LIVE_STATUSES, Turn
from api.dispatch.emergencies import alert_id, alert_state_of, raises, rides
from api.dispatch.emergency_forms import AlertStatus
from api.dispatch.forms import OfferStatus, TaskStatus
from api.forms import Mode, instant_of
from api.matching.forms import RuleName, TaskKindName
from api.overview.forms import (
    CityAlert,
    CityCell,
    CityCounts,
    CityEmergency,
    CityMinutes,
    CityOffer,
    CityOut,
    CityRider,
    CityTask,
)
from api.store import SERVICE, Database, Scope
from api.store.dispatch import emergencies as emergency_rows
from api.store.dispatch import offers as offer_rows
from api.store.dispatch import tasks as task_rows
from geo.datum import Datum, from_wgs84, place_from_wgs84
from geo.privacy import DEFAULT_K
from geo.streets import StreetNetwork
from routing.dispatch import AlertState, RiderKey
from routing.emergency import soonest_s
from routing.model import Rider

__all__ = ["Present", "SeenRows", "anywhere", "read_present", "read_seen", "shown_city"]

CELLS_A_SIDE = 12
WITHIN_MIN = 20
GOING_ON = ("open", "accepted", "started")


@dataclasses.dataclass(frozen=True, slots=True)
class Present:
    """One rider as the desk knows them now."""

    key: RiderKey
    rider: Rider
    called: bool
    """The rider answers an emergency."""


@dataclasses.dataclass(frozen=True, slots=True)
class SeenRows:
    """Rows within the caller's sight, read together."""

    tasks: Sequence[task_rows.TaskRow]
    offers: Sequence[tuple[offer_rows.OfferRow, tuple[float, float]]]
    emergencies: Sequence[tuple[emergency_rows.EmergencyRow, AlertState]]
    alerts: Sequence[tuple[emergency_rows.EmergencyRow, AlertState]]


def read_present(turn: Turn) -> tuple[Present, ...]:
    """Return all riders who are on the streets and not off duty; the caller picks whom to show."""
    board = turn.city.board
    found = []
    for key in turn.memory.bodies:
        rider = board.rider(key)
        if rider is not None and rider.status != "off":
            found.append(Present(key, rider, board.is_called(key)))
    return tuple(found)


def read_seen(database: Database, who: Scope) -> SeenRows:
    """Return what the store has of the city for a caller."""
    publishes, is_rider_side = who.role != "rider", who.role in ("platform", "rider", "admin")
    with database.reading() as connection:
        tasks = task_rows.with_status(connection, who, LIVE_STATUSES) if publishes else []
        offers = offer_rows.with_status(connection, who, GOING_ON) if is_rider_side else []
        if who.role == "rider":
            offers = [one for one in offers if one.rider_id == who.rider_id]
        offered = task_rows.of_ids(connection, SERVICE, sorted({one.task_id for one in offers}))
        there = {row.task_id: (row.lon, row.lat) for row in offered}
        going_on = [(row, alert_state_of(row.state)) for row in emergency_rows.open_ones(connection, SERVICE)]
    return SeenRows(
        tasks,
        [(one, there[one.task_id]) for one in offers if one.task_id in there],
        [(row, state) for row, state in going_on if raises(who, row)],
        going_on if is_rider_side else [],
    )


def shown_city(
    who: Scope,
    present: Sequence[Present],
    read: SeenRows,
    minutes: CityMinutes | None,
    network: StreetNetwork,
    stated: tuple[Datum, datetime.tzinfo, float],
) -> CityOut:
    """Return the city as a caller may see it.

    Parameters
    ----------
    who : Scope
    present : sequence of Present
        All riders.
    read : SeenRows
    minutes : CityMinutes, optional
        In WGS-84.
    network : StreetNetwork
    stated : tuple of (Datum, tzinfo, epoch seconds)
        How and when it is stated.
    """
    datum, zone, now_s = stated
    place = _places(datum)
    mine = [one for one in present if rides(who, one.key)]
    tasks = [_task(row, place) for row in read.tasks]
    west, south, east, north = network.bounds
    ((west, south), (east, north)) = from_wgs84(np.array([(west, south), (east, north)]), datum).tolist()
    return CityOut(
        at=instant_of(now_s, zone),
        role=who.role,
        datum=datum,
        bounds=(round(west, 6), round(south, 6), round(east, 6), round(north, 6)),
        counts=CityCounts(
            riders=_counted(who, len(mine), len(present)),
            tasks=dict(collections.Counter(one.status for one in tasks)),
            offers=_offers_counted(read),
        ),
        riders=[_rider(one, place) for one in mine],
        tasks=tasks,
        offers=[
            CityOffer(
                offer_id=one.offer_id,
                id=one.task_id,
                rider_id=one.rider_id,
                status=cast(OfferStatus, one.status),
                expires=instant_of(one.expires_s, zone),
                **place(lonlat),
            )
            for one, lonlat in read.offers
        ],
        emergencies=[_emergency(row, state, place, zone) for row, state in read.emergencies],
        alerts=[one for row, state in read.alerts for one in _alerts(who, row, state, place)],
        minutes=None if minutes is None else _in_datum(minutes, place),
    )


_Place = Callable[[tuple[float, float]], dict[str, float]]


def _places(datum: Datum) -> _Place:
    def place(lonlat: tuple[float, float]) -> dict[str, float]:
        lon, lat = place_from_wgs84(lonlat, datum)
        return {"lon": round(lon, 6), "lat": round(lat, 6)}

    return place


def _counted(who: Scope, mine: int, everybody: int) -> int | None:
    """Return how many riders there are; for publishers in whole tens, and nothing of a few."""
    if who.role in ("platform", "rider", "admin"):
        return mine
    return everybody - everybody % DEFAULT_K if everybody >= DEFAULT_K else None


def _offers_counted(read: SeenRows) -> dict[OfferStatus, int]:
    """Offers of the tasks that are seen, or of the riders."""
    statuses = {one.offer_id: one.status for one, _ in read.offers}
    for row in read.tasks:
        statuses |= {one.offer_id: one.status for one in codec.state_of(row.state).current}
    found = collections.Counter(status for status in statuses.values() if status in GOING_ON)
    return cast(dict[OfferStatus, int], dict(found))


def _rider(one: Present, place: _Place) -> CityRider:
    return CityRider(
        rider_id=one.key.rider_id,
        mode=cast(Mode, one.rider.mode),
        status=one.rider.status,
        stops=len(one.rider.stops),
        called=one.called,
        **place(one.rider.lonlat),
    )


def _task(row: task_rows.TaskRow, place: _Place) -> CityTask:
    state = codec.state_of(row.state)
    return CityTask(
        id=row.task_id,
        task_id=row.label,
        status=cast(TaskStatus, row.status),
        kind=cast(TaskKindName, state.task.kind),
        people=state.task.people,
        open=len(state.open),
        taken=len(state.taken),
        unmatched=cast(RuleName, state.unmatched) if state.unmatched else None,
        **place((row.lon, row.lat)),
    )


def _emergency(
    row: emergency_rows.EmergencyRow, state: AlertState, place: _Place, zone: datetime.tzinfo
) -> CityEmergency:
    count = collections.Counter(one.status for one in state.responders)
    return CityEmergency(
        id=row.emergency_id,
        name=row.label,
        drill=state.drill,
        people=state.task.people,
        phase=state.phase,
        phases=state.last_phase + 1,
        next_phase=None if state.next_phase_s is None else instant_of(state.next_phase_s, zone),
        alerted=len(state.responders) - count["waiting"],
        accepted=count["accepted"] + count["arrived"],
        arrived=count["arrived"],
        **place(state.task.place.lonlat),
    )


def _alerts(
    who: Scope, row: emergency_rows.EmergencyRow, state: AlertState, place: _Place
) -> Iterable[CityAlert]:
    for one in state.responders:
        if one.status != "waiting" and rides(who, one.rider):
            yield CityAlert(
                alert_id=alert_id(row, state, one.rider),
                id=row.emergency_id,
                rider_id=one.rider.rider_id,
                status=cast(AlertStatus, one.status),
                drill=state.drill,
                phase=one.phase,
                **place(state.task.place.lonlat),
            )


# -- how soon somebody can be anywhere
# -------------------------------------------------------------------------------------------------


def anywhere(
    who: Scope, present: Sequence[Present], network: StreetNetwork, now_s: float
) -> CityMinutes | None:
    """Return for places all over the city how soon riders can be there; None for a rider.

    For publishers: until so many can be there that nobody is found by it.
    """
    if who.role == "rider":
        return None
    publisher = who.role not in ("platform", "admin")
    seen = present if publisher else [one for one in present if rides(who, one.key)]
    wanted = DEFAULT_K if publisher else 1
    cells, cell_m = _cells(network)
    seconds = soonest_s(network, [one.rider for one in seen], cells, wanted, now_s, WITHIN_MIN * 60.0)
    whole = np.ceil(np.where(np.isfinite(seconds), seconds, 0.0) / 60.0).astype(int)
    return CityMinutes(
        riders=wanted,
        cell_m=cell_m,
        within_min=WITHIN_MIN,
        cells=[
            CityCell(lon=lon, lat=lat, minutes=minutes if fine else None)
            for (lon, lat), minutes, fine in zip(
                cells.tolist(), whole.tolist(), np.isfinite(seconds).tolist(), strict=True
            )
        ],
    )


def _cells(network: StreetNetwork) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], int]:
    """Middles of square cells over the streets, and how wide they are."""
    west, south, east, north = network.bounds
    corners = network.project(np.array([(west, south), (east, north)]))
    wide_m, high_m = (corners[1] - corners[0]).tolist()
    cell_m = max(wide_m, high_m, 1.0) / CELLS_A_SIDE
    across, up = max(round(wide_m / cell_m), 1), max(round(high_m / cell_m), 1)
    lon = west + (np.arange(across) + 0.5) * (east - west) / across
    lat = south + (np.arange(up) + 0.5) * (north - south) / up
    return np.stack(np.meshgrid(lon, lat), axis=-1).reshape(-1, 2), round(cell_m)


def _in_datum(minutes: CityMinutes, place: _Place) -> CityMinutes:
    cells = [one.model_copy(update=place((one.lon, one.lat))) for one in minutes.cells]
    return minutes.model_copy(update={"cells": cells})
