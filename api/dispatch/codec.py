"""Events and states as the store keeps them, and back: what each reader may know stands apart."""

import dataclasses
from collections.abc import Iterable
from typing import Annotated, Any, cast

import orjson
from pydantic import ConfigDict, Field, TypeAdapter

from api.store.dispatch import events as stored
from routing.dispatch import Event, RiderKey, TaskState

__all__ = ["event_of", "event_row", "state_json", "state_of"]

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
