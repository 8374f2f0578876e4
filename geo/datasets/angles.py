"""Degrees as offices write them: a comma, minutes and seconds, a letter or word for the side."""

import re
from typing import Final

__all__ = ["angle_of"]

_NUMBER: Final = r"\d{1,3}(?:[.,]\d+)?"
_ANGLE: Final = re.compile(
    rf"(?P<before>东经|西经|北纬|南纬|[EWNS])?\s*(?P<sign>[+-])?\s*(?P<d>{_NUMBER})\s*"
    rf"(?:[°º度]\s*(?:(?P<m>{_NUMBER})\s*['′’‘分]\s*(?:(?P<s>{_NUMBER})\s*(?:[\"″”“秒]|''|′′|’’))?)?)?"
    r"\s*(?P<after>[EWNS])?",
    re.IGNORECASE,
)
_NEGATIVE: Final = ("西经", "南纬", "w", "s")


def angle_of(text: str) -> float | None:
    """Return the degrees of a text such as ``116,32``, ``116°19'12"E`` or ``北纬40度0分36秒``, or None."""
    found = _ANGLE.fullmatch(text.strip())
    if found is None or (found["before"] and found["after"]):
        return None
    whole, minutes, seconds = (float((found[part] or "0").replace(",", ".")) for part in ("d", "m", "s"))
    if max(minutes, seconds) >= 60 or (found["m"] and whole % 1) or (found["s"] and minutes % 1):
        return None
    side = (found["before"] or found["after"] or "").lower()
    if found["sign"] and side:
        return None
    value = whole + minutes / 60 + seconds / 3_600
    return -value if side in _NEGATIVE or found["sign"] == "-" else value
