"""Events, states and riders as the store keeps them, and back: what each reader may know stands apart."""

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple, cast

import numpy as np
import orjson
from pydantic import ConfigDict, Field, TypeAdapter

from api.forms import epoch_s_of
from api.store.dispatch import events as stored
from geo.arrays import FloatArray
from geo.errors import InputError
from routing.dispatch import Event, RiderKey, TaskState
from routing.model import PlannedRiders, Rider, Span, StopColumns, numbers_of, rider_columns, spans_of

__all__ = ["event_of", "event_row", "instant_s", "state_json", "state_of", "table_of_riders", "window_of"]

# A window without an end is infinite, which JSON does not know: it is kept as a word.
_CONFIG = ConfigDict(ser_json_inf_nan="strings")
_STATE = TypeAdapter(tuple[TaskState], config=_CONFIG)
_EVENT = TypeAdapter(tuple[Annotated[Event, Field(discriminator="kind")]], config=_CONFIG)

_PRIVATE_TERMS = ("after_stop_id", "dropoff_after_stop_id")
"""Names of a platform's own stops: nobody else's business."""


def state_json(state: TaskState) -> dict[str, Any]:
    """Return a task's state for the store."""
    kept = cast(dict[str, Any], orjson.loads(_STATE.dump_json((state,)))[0])
    return kept | {"task": _ordered(kept["task"])}


def _ordered(task: dict[str, Any]) -> dict[str, Any]:
    """Put what is a set in order, so that the same task is the same text in every process."""
    return {name: sorted(value) if isinstance(value, list) else value for name, value in task.items()}


def state_of(kept: object) -> TaskState:
    """Return the state that the store kept."""
    return _STATE.validate_python((kept,))[0]


def event_row(task_id: str, state: TaskState, event: Event, at_s: float) -> stored.Event:
    """Return an event as the store keeps it.

    Parameters
    ----------
    task_id : str
    state : TaskState
        Of the task, for its publisher and what a rider's platform is told of it.
    event : Event
    at_s : float
        Epoch seconds.

    Returns
    -------
    Event
        Rider, platform and the names of the plan's stops stand where the publisher does not see them.
    """
    body = cast(dict[str, Any], orjson.loads(_EVENT.dump_json((event,)))[0])
    if "task" in body:
        body["task"] = _ordered(body["task"])
    kind = body.pop("kind")
    rider = body.pop("rider", None)
    private: dict[str, Any] | None = None
    if rider is not None:
        terms = body.get("terms", {})
        private = {"terms": {name: terms.pop(name) for name in _PRIVATE_TERMS if name in terms}}
        if kind == "offer_made":
            # The platform has not seen the task before.
            private["task"] = state_json(state)["task"]
    if body.get("never") is not None:
        # Who is not asked is nobody's business.
        private = {"never": body.pop("never")}
    return stored.Event(
        at_s,
        kind,
        task_id,
        state.publisher,
        None if rider is None else rider["platform"],
        None if rider is None else rider["rider_id"],
        body,
        private,
    )


def event_of(row: stored.Event) -> Event:
    """Return the event of a row that was read by the service itself."""
    body: dict[str, Any] = {**row.body, "kind": row.kind}
    if row.rider_id is not None:
        body["rider"] = dataclasses.asdict(RiderKey(str(row.platform_tenant_id), row.rider_id))
        if "terms" in body:
            body["terms"] = {**body["terms"], **(row.platform_body or {}).get("terms", {})}
    elif "never" in (row.platform_body or {}):
        body["never"] = (row.platform_body or {})["never"]
    return _EVENT.validate_python((body,))[0]


def events_of(rows: Iterable[stored.EventRow]) -> list[Event]:
    """Return the events of rows, in their order."""
    return [event_of(row.event) for row in rows]


# -- riders
# -------------------------------------------------------------------------------------------------


def window_of(stop: Mapping[str, Any]) -> tuple[float, float, tuple[Span, ...]]:
    """Return when a stop may begin at first and at last (epoch s), and what is closed in between."""
    windows = stop.get("windows")
    if windows is None:
        return instant_s(stop.get("earliest"), -math.inf), instant_s(stop.get("due"), math.inf), ()
    if stop.get("earliest") is not None or stop.get("due") is not None:
        # The form says what is wrong with that.
        raise ValueError("windows stand instead of earliest and due")
    return spans_of((instant_s(first, -math.inf), instant_s(last, math.inf)) for first, last in windows)


def instant_s(instant: str | None, none_s: float) -> float:
    """Return an instant as the store has it in epoch seconds; `none_s` where there is none."""
    return none_s if instant is None else epoch_s_of(instant)


def table_of_riders(
    known: Sequence[tuple[RiderKey, Mapping[str, Any]]],
    rider_of: Callable[[str, Mapping[str, Any]], Rider],
) -> tuple[PlannedRiders, list[tuple[RiderKey, Rider]]]:
    """Return what the store has of many riders in columns; who is not touched never becomes an object.

    Parameters
    ----------
    known : sequence of (RiderKey, body)
    rider_of : callable
        Makes a rider of a body, or says what is wrong with it.

    Returns
    -------
    table : PlannedRiders
        Under their fleet ids.
    apart : list of (RiderKey, Rider)
        Those whose bodies only the form can read.
    """
    rows: list[_Row] = []
    stops: list[Mapping[str, Any]] = []
    windows: list[tuple[float, float, tuple[Span, ...]]] = []
    places: list[tuple[float, float]] = []
    bodies: list[tuple[RiderKey, Mapping[str, Any]]] = []
    apart = []
    for key, body in known:
        try:
            row = _read_row(key, body)
            mine = row.stops
            open_s = [window_of(stop) for stop in mine]
            at = [(body["lon"], body["lat"]), *((stop["lon"], stop["lat"]) for stop in mine)]
        except (InputError, LookupError, TypeError, ValueError):
            apart.append((key, rider_of(key.rider_id, body)))
            continue
        bodies.append((key, body))
        rows.append(row)
        stops += mine
        windows += open_s
        places += at

    def made(row: int) -> Rider:
        key, body = bodies[row]
        rider = rider_of(key.rider_id, body)
        return dataclasses.replace(rider, rider_id=key.fleet_id, platform=key.platform)

    columns = rider_columns(
        rows,
        shift_start_s=numbers_of(rows, "shift_start_s"),
        shift_end_s=numbers_of(rows, "shift_end_s"),
        available_s=numbers_of(rows, "available_s"),
    )
    return PlannedRiders(columns, _stop_columns(stops, windows), _lonlat(places), made), apart


class _Row(NamedTuple):
    """What `rider_columns` asks of one rider."""

    rider_id: str
    mode: str
    status: str
    platform: str
    skills: Sequence[str]
    shift_start_s: float
    shift_end_s: float
    available_s: float
    speed_factor: float
    worked_since_break_s: float
    worked_today_s: float
    capacity: int | None
    load: float
    stops: Sequence[Mapping[str, Any]]
    # The board counts extra time; a contribution is kept of nobody.
    contribution: float = 0.0
    extra_last_hour_s: float = 0.0


def _read_row(key: RiderKey, body: Mapping[str, Any]) -> _Row:
    get = body.get
    return _Row(
        key.fleet_id,
        get("mode", "ebike"),
        get("status", "busy"),
        key.platform,
        get("skills", ()),
        instant_s(get("shift_start"), -math.inf),
        instant_s(get("shift_end"), math.inf),
        instant_s(get("available_at"), -math.inf),
        get("speed_factor", 1.0),
        get("worked_since_break_s", 0.0),
        get("worked_today_s", 0.0),
        get("capacity"),
        get("load", 0),
        get("stops", ()),
    )


def _stop_columns(
    stops: Sequence[Mapping[str, Any]], windows: Sequence[tuple[float, float, tuple[Span, ...]]]
) -> StopColumns:
    return StopColumns(
        ids=[stop["stop_id"] for stop in stops],
        kind=[stop.get("kind", "dropoff") for stop in stops],
        service_s=np.array([stop.get("service_s", 0.0) for stop in stops], np.float64),
        earliest_s=np.array([first_s for first_s, _, _ in windows], np.float64),
        latest_s=np.array([last_s for _, last_s, _ in windows], np.float64),
        load_change=np.array([stop.get("load_change", 0) for stop in stops], np.float64),
        closed_s=[closed_s for _, _, closed_s in windows],
    )


def _lonlat(places: Sequence[tuple[float, float]]) -> FloatArray:
    return np.array(places, np.float64).reshape(-1, 2)
