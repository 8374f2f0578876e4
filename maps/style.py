"""Colours and class limits: safe for colour-blind readers, and never the only carrier of a meaning.

Categories use the palette of Okabe and Ito (jfly.uni-koeln.de/color, 2008), amounts use viridis and its
kin (Smith and van der Walt 2015); every category also has a letter, a number or a shape of its own.
"""

import dataclasses
import math
from collections.abc import Iterable

__all__ = [
    "ACTION_STYLE",
    "BASE_STYLE",
    "CHANGE_COLOURS",
    "CHANGE_POINTS",
    "COVERAGE_STYLE",
    "EXISTING",
    "GATE_NEW",
    "GATE_OSM",
    "HOT_SPOT",
    "LAND",
    "OUTSIDE",
    "PICKUP",
    "REACH_STYLE",
    "REDACTED",
    "SUGGESTED",
    "TASK",
    "Icon",
    "nice_breaks",
    "ramp",
]

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#007A5A"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"

SUGGESTED = GREEN
EXISTING = BLUE
PICKUP = YELLOW
TASK = VERMILLION
HOT_SPOT = VERMILLION
GATE_OSM = "#333333"
GATE_NEW = PURPLE
LAND = "#f4f3ef"
OUTSIDE = "#e6e3da"
"""Where the map has no streets."""
REDACTED = "rgba(120,120,120,.28)"


@dataclasses.dataclass(frozen=True, slots=True)
class Icon:
    """A marker: its ground and the ink on it."""

    color: str
    ink: str


ACTION_STYLE = {
    "keep": Icon(BLUE, "#ffffff"),
    "open_longer": Icon(SKY, "#000000"),
    "move": Icon(ORANGE, "#000000"),
    "merge": Icon(PURPLE, "#000000"),
    "close": Icon(VERMILLION, "#ffffff"),
    "unknown": Icon("#5a5a5a", "#ffffff"),
}
"""Existing stations by audit action."""

REACH_STYLE = {
    180: ("#21918c", ""),
    300: ("#5ec962", "6 4"),
    600: ("#c8d94a", "2 4"),
}
"""Seconds -> (viridis colour, dash of the outline)."""

COVERAGE_STYLE = {
    "today": "#0059a0",
    "todayFill": "rgba(0,114,178,.06)",
    "plan": "#00614a",
    "planFill": "rgba(0,122,90,.05)",
    "won": "rgba(0,122,90,.42)",
    "lost": "rgba(213,94,0,.5)",
    "both": "rgba(90,90,90,.14)",
}
"""Outlines and fills of what is in reach today and under the plan."""

CHANGE_POINTS = (-10.0, -0.1, 0.1, 10.0)
CHANGE_COLOURS = ("#c44601", "#f2b48a", "#f1efe6", "#9ccae1", "#1f6fae")
"""Losses to gains, in points of a share: orange to blue, told apart by colour-blind readers and in grey."""

BASE_STYLE: dict[str, dict[str, str | float]] = {
    "water": {"fill": "#cde2ee"},
    "green": {"fill": "#dfead6"},
    "buildings": {"fill": "#e4dfd6", "edge": "#cfc8bb"},
    "path": {"fill": "#b9ae9b", "edge": "#b9ae9b", "width": 1.0, "dash": 1.0},
    "minor": {"fill": "#ffffff", "edge": "#b5afa2", "width": 2.4},
    "middle": {"fill": "#fffdf2", "edge": "#a59e8f", "width": 4.0},
    "major": {"fill": "#fbe9c6", "edge": "#b39f76", "width": 5.6},
}
"""Muted ground: data colours stand out on it, also in a grey print."""


def ramp(name: str, classes: int, *, low: float = 0.95, high: float = 0.1) -> list[str]:
    """Take equally spaced colours of a matplotlib colour map, light to dark."""
    # Most processes ask for no colour, and to import it takes long.
    import matplotlib

    colormap = matplotlib.colormaps[name]
    steps = [low + (high - low) * i / max(1, classes - 1) for i in range(classes)]
    return [matplotlib.colors.to_hex(colormap(step)) for step in steps]


def nice_breaks(values: Iterable[float], classes: int = 6) -> list[float]:
    """Limits between classes at round numbers, by rank of the values.

    Round are 1, 1.5, 2, 3, 5 and 7 times a power of ten.
    At most ``classes - 1`` limits, rising; few different values give fewer.
    """
    ranked = sorted(value for value in values if value > 0)
    if not ranked:
        return []
    limits: list[float] = []
    for step in range(1, classes):
        rank = 1 - (1 - step / classes) ** 1.6  # finer among the high values, where decisions are made
        value = ranked[min(len(ranked) - 1, int(rank * len(ranked)))]
        power = 10.0 ** math.floor(math.log10(value))
        round_value = max(m * power for m in (1, 1.5, 2, 3, 5, 7) if m * power <= value * (1 + 1e-9))
        limit = round(round_value, 6)
        if not limits or limit > limits[-1]:
            limits.append(limit)
    return limits
