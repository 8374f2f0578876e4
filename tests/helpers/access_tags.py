"""Access rules asked in one line: tags as text, modes as words."""

from geo.osm.rules.access import WayRule, way_rule
from geo.streets.raw import MODES, mode_bit

__all__ = ["names", "rule", "tags"]


def tags(text: str) -> dict[str, str]:
    """Read ``"highway=primary oneway=yes"``."""
    return dict(part.split("=", 1) for part in text.split())


def rule(text: str) -> WayRule:
    found = way_rule(tags(text))
    assert found is not None, text
    return found


def names(bits: int) -> str:
    return " ".join(mode for mode in MODES if bits & mode_bit(mode))
