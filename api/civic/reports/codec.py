"""States and events of matters as the store keeps them, and back: what offices do not learn stands apart."""

from collections.abc import Iterable
from typing import Annotated, Any, cast

import orjson
from pydantic import ConfigDict, Field, TypeAdapter

from api.store.dispatch import events as stored
from routing.civic import MatterEvent, MatterState

__all__ = ["NOTICES", "event_row", "matter_events_of", "state_json", "state_of"]

_CONFIG = ConfigDict(ser_json_inf_nan="strings")
_STATE = TypeAdapter(tuple[MatterState], config=_CONFIG)
_EVENT = TypeAdapter(tuple[Annotated[MatterEvent, Field(discriminator="kind")]], config=_CONFIG)
NOTICES = ("report_told", "handover_offered")
"""They tell a reporter, or another office, what a matter's own events mean for them; no part of the fold."""
_PERSONS = ("reporter", "looker", "by")


def state_json(state: MatterState) -> dict[str, Any]:
    """Return a matter's state for the store."""
    return cast(dict[str, Any], orjson.loads(_STATE.dump_json((state,)))[0])


def state_of(kept: object) -> MatterState:
    """Return the state that the store kept."""
    return _STATE.validate_python((kept,))[0]


def event_row(matter_id: str, office: str, event: MatterEvent, at_s: float) -> stored.Event:
    """Return an event as the store keeps it: for the office, without pseudonyms of persons."""
    body = cast(dict[str, Any], orjson.loads(_EVENT.dump_json((event,)))[0])
    kind = body.pop("kind")
    private = {name: body.pop(name) for name in _PERSONS if name in body}
    if "report" in body:
        private["reporter"] = body["report"].pop("reporter")
    return stored.Event(at_s, kind, matter_id, office, None, None, body, private or None)


def matter_events_of(rows: Iterable[stored.EventRow]) -> list[tuple[float, MatterEvent]]:
    """Return the events of one matter as the service reads them, each with its instant, in their order."""
    found = []
    for row in rows:
        event = row.event
        if event.kind in NOTICES:
            continue
        body: dict[str, Any] = {**event.body, "kind": event.kind}
        private = dict(event.platform_body or {})
        if "report" in body:
            body["report"] = {**body["report"], "reporter": private.pop("reporter")}
        found.append((event.at_s, _EVENT.validate_python(({**body, **private},))[0]))
    return found
