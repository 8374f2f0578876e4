"""Server-sent events as a text stream gives them (WHATWG HTML, 9.2.6)."""

import dataclasses
from collections.abc import Iterable, Iterator

from api.dispatch.forms import EventOut

__all__ = ["Message", "Received", "messages"]


@dataclasses.dataclass(frozen=True, slots=True)
class Message:
    """One message of a stream."""

    event_id: str
    kind: str
    data: str


@dataclasses.dataclass(frozen=True, slots=True)
class Received:
    """An event, and the mark from which to go on after it."""

    mark: str
    event: EventOut


def messages(lines: Iterable[str]) -> Iterator[Message]:
    """Return the messages of a stream's lines; one without data is a mark to go on from, and no event.

    A message that the end of the stream cuts off is dropped, as the standard has it: it comes again.
    """
    event_id, kind, data, marked = "", "", list[str](), False
    for line in lines:
        if not line:
            if data or marked:
                yield Message(event_id, kind or "message", "\n".join(data))
            kind, data, marked = "", [], False
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "event":
            kind = value
        elif name == "id" and "\0" not in value:
            event_id, marked = value, True
