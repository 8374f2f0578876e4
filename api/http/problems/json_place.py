"""Where a body stops being JSON: a pointer to the value that is broken, with line and column."""

import json
import re

__all__ = ["broken_at", "pointer_at"]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]')


def pointer_at(text: str, position: int) -> str:
    """Return the JSON pointer (RFC 6901) to the value at a position of a text that is JSON up to there."""
    # One entry for each open object (its key, if known) or array (its index).
    inside: list[str | int | None] = []
    for token in _TOKEN.finditer(text, 0, position):
        sign = token.group()
        if sign in "[{":
            inside.append(0 if sign == "[" else None)
        elif sign in "]}":
            del inside[-1:]
        elif not inside:
            continue
        elif sign == ",":
            last = inside[-1]
            inside[-1] = last + 1 if isinstance(last, int) else None
        elif sign != ":" and inside[-1] is None:
            inside[-1] = _key(sign)
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in inside if step is not None)
    return "".join(f"/{step}" for step in steps) or "/"


def _key(quoted: str) -> str | None:
    try:
        return str(json.loads(quoted))
    except json.JSONDecodeError:
        return None


def broken_at(text: str, position: int, why: str) -> tuple[str, str]:
    """Return (pointer, sentence) for a body that cannot be read from a position on."""
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    said = why[:1].lower() + why[1:]
    return pointer_at(text, position), f"the body is not JSON from line {line}, column {column} on: {said}"
