"""From the forms of emergencies to `routing` and back; what their publisher may not know is left out here."""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any, cast

from api.dispatch.emergencies import Called, Raised
from api.dispatch.emergency_forms import (
    AlertForRider,
    AlertStatus,
    ComingOut,
    EmergencyOut,
    EmergencyRaiseIn,
    PhaseOut,
    SummaryOut,
)
from api.dispatch.translate import place_out
from api.forms import Language, instant_of
from api.matching.datum_check import place_warnings
from api.matching.forms import MissedStopOut
from geo.datum import Datum, place_to_wgs84
from geo.streets import StreetNetwork
from routing.dispatch import AlertState, Responder
from routing.model import EmergencyPolicy, Task, Visit

__all__ = ["alert_out", "asked_emergency", "emergency_out"]


def asked_emergency(form: EmergencyRaiseIn, datum: Datum, emergency_id: str) -> tuple[Task, EmergencyPolicy]:
    """Return what an emergency asks for, and the rules of its alerts; it is taken wherever it lies."""
    lon, lat = place_to_wgs84((form.lon, form.lat), datum)
    task = Task(
        emergency_id,
        Visit((lon, lat), form.service_s),
        kind="first_response",
        skills=frozenset(form.skills),
        modes=frozenset(form.modes),
        people=form.people,
    )
    rules = form.policy.model_dump(exclude_none=True)
    return task, EmergencyPolicy(**rules)


def _statuses(state: AlertState, *statuses: str) -> list[Responder]:
    return [one for one in state.responders if one.status in statuses]


def _summary(state: AlertState, plan: Mapping[str, Any]) -> SummaryOut:
    said_yes = [one for one in state.responders if one.status in ("accepted", "arrived")]
    arrived = sorted(one.arrived_s - state.raised_s for one in state.responders if one.arrived_s is not None)
    accepted = sorted(one.answered_s - state.raised_s for one in said_yes if one.answered_s is not None)
    enough = arrived[state.task.people - 1] if len(arrived) >= state.task.people else None
    in_time = (
        None if enough is None and not state.closed else enough is not None and enough <= plan["within_s"]
    )
    return SummaryOut(
        alerted=len(state.responders) - len(_statuses(state, "waiting")),
        accepted=len(said_yes),
        declined=len(_statuses(state, "declined")),
        arrived=len(arrived),
        first_accepted_s=_least(accepted),
        first_arrived_s=_least(arrived),
        within_s=plan["within_s"],
        probability=round(plan["probability"], 4),
        soonest_s=None if plan["soonest_s"] is None else round(plan["soonest_s"], 3),
        in_time=in_time,
    )


def _least(seconds: list[float]) -> float | None:
    return round(seconds[0], 3) if seconds else None


def emergency_out(
    done: Raised, datum: Datum, zone: datetime.tzinfo, network: StreetNetwork, lang: Language
) -> EmergencyOut:
    """Return an emergency for its publisher: how many come and when, never who."""
    row, state, plan = done.row, done.state, done.row.body["plan"]
    phases = sorted({one.phase for one in state.responders})
    return EmergencyOut(
        id=row.emergency_id,
        name=row.label,
        status="closed" if state.closed else "open",
        reason=state.closed,
        drill=state.drill,
        grid_code=row.grid_code,
        raised=instant_of(state.raised_s, zone),
        datum=datum,
        place=place_out(state.task.place, datum, zone),
        people=state.task.people,
        skills=sorted(state.task.skills),
        next_phase=_instant(state.next_phase_s, zone),
        phases=[
            PhaseOut(
                phase=phase,
                alerted=sum(one.phase == phase for one in state.responders),
                opened=phase <= state.phase,
            )
            for phase in phases
        ],
        coming=_coming(state, zone),
        summary=_summary(state, plan),
        warnings=place_warnings(network, state.task.place.lonlat, lang),
    )


def _coming(state: AlertState, zone: datetime.tzinfo) -> list[ComingOut]:
    said = sorted(state.coming, key=lambda one: (one.answered_s or 0.0, one.travel_s))
    return [
        ComingOut(
            status=cast(Any, one.status),
            accepted=instant_of(one.answered_s or 0.0, zone),
            expected=instant_of((one.answered_s or 0.0) + one.travel_s, zone),
            arrived=_instant(one.arrived_s, zone),
        )
        for one in said
    ]


def _instant(epoch_s: float | None, zone: datetime.tzinfo) -> datetime.datetime | None:
    return None if epoch_s is None else instant_of(epoch_s, zone)


def alert_out(called: Called, datum: Datum, zone: datetime.tzinfo) -> AlertForRider:
    """Return an alert for the rider and their platform."""
    state, one = called.state, called.responder
    late: Iterable[tuple[str, float | None]] = called.planned["late_stops"]
    return AlertForRider(
        alert_id=called.alert_id,
        id=called.row.emergency_id,
        rider_id=one.rider.rider_id,
        status=cast(AlertStatus, one.status),
        drill=state.drill,
        closed=state.closed,
        raised=instant_of(state.raised_s, zone),
        datum=datum,
        place=place_out(state.task.place, datum, zone),
        people=state.task.people,
        travel_s=round(one.travel_s, 3),
        late_stops=[
            MissedStopOut(stop_id=stop_id, late_s=None if late_s is None else round(late_s, 3))
            for stop_id, late_s in late
        ],
        answered=_instant(one.answered_s, zone),
        arrived=_instant(one.arrived_s, zone),
    )
