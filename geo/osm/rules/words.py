"""What the values of access keys mean, and which keys speak of which mode, the most general first."""

from collections.abc import Mapping

from geo.streets.raw import MODES

__all__ = [
    "ACCESS_KEYS",
    "BIKE",
    "CAR",
    "EBIKE",
    "FOOT",
    "KEYS",
    "OPEN",
    "WHEELS",
    "meaning",
    "own_word",
    "words",
]


def words(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


EBIKE, BIKE, CAR, FOOT = (1 << i for i in range(len(MODES)))
WHEELS = EBIKE | BIKE
"""Both kinds of bicycle; modes are bits as in `geo.streets.raw.MODES`."""

KEYS = {
    EBIKE: ("access", "vehicle", "bicycle", "electric_bicycle"),
    BIKE: ("access", "vehicle", "bicycle"),
    CAR: ("access", "vehicle", "motor_vehicle", "motorcar"),
    FOOT: ("access", "foot"),
}
"""Keys that speak of each mode, the most general first."""
ACCESS_KEYS = ("access", "vehicle", "bicycle", "electric_bicycle", "motor_vehicle", "motorcar", "foot")
"""All of them."""

OPEN = words("yes permissive designated official public allowed discouraged dismount")
"""Values that open a street."""
_TO_PLACE = words("private destination customers delivery permit residents members employees students staff")
_NO = words("no agricultural forestry emergency military restricted prohibited use_sidepath psv bus")


def meaning(value: str | None) -> str:
    """Return "yes", "private", "no", or "" for a value that says nothing; of a list the mildest counts."""
    if value is None:
        return ""
    if value in OPEN:
        return "yes"
    if value in _TO_PLACE:
        return "private"
    if value in _NO:
        return "no"
    if ";" in value:
        parts = {meaning(part.strip()) for part in value.split(";")}
        return next((m for m in ("yes", "private", "no") if m in parts), "")
    return ""


def own_word(mode: int, tags: Mapping[str, str]) -> str:
    """Return what the keys below ``access`` say of the mode, the most specific first; "" for nothing."""
    said = (meaning(tags.get(key)) for key in reversed(KEYS[mode][1:]))
    return next((word for word in said if word), "")
