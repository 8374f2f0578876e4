"""Layers of the map of one match, from plain columns: this room knows no routing."""

import dataclasses
from typing import Any

from geo.errors import InputError
from maps.packing import pack_lines
from maps.style import BLUE, TASK
from maps.texts.wording import Wording
from siting.report import Quantity

__all__ = ["MatchPicture", "MatchStop", "match_layers", "match_titles"]

LonLat = tuple[float, float]
_WALK = "#8a3b00"


@dataclasses.dataclass(frozen=True, slots=True)
class MatchStop:
    """One stop of the plan, in the order in which it is visited after the match.

    Times are local clock times as text (``"14:05"``), so that a map shows no more than its caller means to;
    None where the stop had no such time. Slack is in seconds: how much later the stop could start.
    """

    name: str
    lonlat: LonLat
    kind: str
    """``pickup``, ``dropoff``, ``task`` or ``other``."""
    arrive_before: str | None
    arrive_after: str
    due: str | None
    slack_before_s: float | None
    slack_after_s: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class MatchPicture:
    """What the map of one match shows. Positions are (lon, lat) in WGS-84 degrees; no rider id."""

    task: str
    start: LonLat
    """Where the rider is now."""
    way_before: tuple[LonLat, ...]
    way_after: tuple[LonLat, ...]
    stops: tuple[MatchStop, ...]
    extra_s: float
    extra_m: float
    late_deliveries: int
    attribution: str
    synthetic: bool = False
    walks: tuple[tuple[LonLat, LonLat], ...] = ()
    """On foot between the street and the rider or a stop: the place on the street first."""

    def __post_init__(self) -> None:
        if not self.stops:
            raise InputError("a match to draw needs at least one stop, the task itself")
        if not any(stop.kind == "task" for stop in self.stops):
            raise InputError("a match to draw needs a stop of kind 'task' among its stops")

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of all that is drawn."""
        points = [self.start, *self.way_before, *self.way_after, *(stop.lonlat for stop in self.stops)]
        points += [end for walk in self.walks for end in walk]
        lons, lats = [p[0] for p in points], [p[1] for p in points]
        margin = 0.001
        return (min(lons) - margin, min(lats) - margin, max(lons) + margin, max(lats) + margin)


def match_titles(match: MatchPicture, say: Wording) -> tuple[str, str]:
    """Title and subtitle of the page."""
    key = "match.subtitle" if match.late_deliveries == 0 else "match.subtitle_late"
    return say.text("match.title", task=match.task), say.text(
        key,
        extra_time=say.quantity(Quantity(round(match.extra_s), "s")),
        extra_way=say.quantity(Quantity(match.extra_m, "m")),
        late=match.late_deliveries,
    )


def match_layers(match: MatchPicture, say: Wording) -> list[dict[str, Any]]:
    """Ways before and after, and the stops with their slack."""
    ways = [
        ("path_before", match.way_before, "#4d4d4d", 4, [7, 6], "match.legend_before", "dash"),
        ("path_after", match.way_after, BLUE, 5, [], "match.legend_after", "line"),
    ]
    out: list[dict[str, Any]] = []
    for name, way, color, width, dashes, legend, shape in reversed(ways):
        if len(way) < 2:
            continue
        out.append(
            {
                "id": name,
                "label": say.text(f"layer.{name}"),
                "note": "",
                "on": True,
                "legend": [{"shape": shape, "color": color, "width": width, "text": say.text(legend)}],
                "geo": {name: pack_lines([way])},
                "parts": [
                    {
                        "type": "classed",
                        "geo": name,
                        "line": True,
                        "cls": [0],
                        "palette": [{"edge": color, "width": width, "dashes": dashes}],
                        "opacity": 0.85,
                    }
                ],
            }
        )
    if match.walks:
        out.append(
            {
                "id": "walks",
                "label": say.text("layer.walks"),
                "note": "",
                "on": True,
                "legend": [
                    {"shape": "dots", "color": _WALK, "width": 4, "text": say.text("match.legend_walk")}
                ],
                "geo": {"walks": pack_lines(match.walks, per_degree=1_000_000)},
                "parts": [
                    {
                        "type": "classed",
                        "geo": "walks",
                        "line": True,
                        "cls": [0] * len(match.walks),
                        "palette": [{"edge": _WALK, "halo": "#ffffff", "width": 4, "dashes": [0.1, 7]}],
                    }
                ],
            }
        )
    items = [_start(match, say)]
    items += [_stop(number, stop, say) for number, stop in enumerate(match.stops, start=1)]
    out.append(
        {
            "id": "stops",
            "label": say.text("layer.stops"),
            "note": "",
            "on": True,
            "legend": [
                {"shape": "round", "color": "#000000", "mark": "●", "text": say.text("match.legend_rider")},
                {"shape": "round", "color": BLUE, "mark": "1", "text": say.text("match.legend_stop")},
                {"shape": "square", "color": TASK, "text": say.text("match.legend_task")},
            ],
            "parts": [{"type": "markers", "items": items, "search": True, "cluster": False, "color": BLUE}],
        }
    )
    return out


def _start(match: MatchPicture, say: Wording) -> dict[str, Any]:
    return {
        "t": say.text("match.rider"),
        "s": say.text("match.start"),
        "p": list(match.start),
        "i": {"shape": "round", "color": "#000000", "ink": "#ffffff", "text": "●"},
    }


def _stop(number: int, stop: MatchStop, say: Wording) -> dict[str, Any]:
    kind = stop.kind if f"match.{stop.kind}" in say.catalogue else "other"
    none = say.text("list.none_cell")

    def slack(seconds: float | None) -> str:
        if seconds is None or seconds != seconds or abs(seconds) == float("inf"):
            return none
        return say.text("match.slack", value=f"{seconds / 60:.1f}")

    task = kind == "task"
    hours = say.text("match.when", arrive=stop.arrive_after, due=stop.due or none)
    return {
        "id": f"stop-{number}",
        "t": stop.name,
        "w": f"{say.text(f'match.{kind}')} {hours}",
        "n": say.text("match.why", before=slack(stop.slack_before_s), after=slack(stop.slack_after_s)),
        "s": f"{number} {say.text(f'match.{kind}')}",
        "p": list(stop.lonlat),
        "r": [
            [say.text("match.due"), stop.due or none],
            [say.text("match.arrive_before"), stop.arrive_before or none],
            [say.text("match.arrive_after"), stop.arrive_after],
            [say.text("match.slack_before"), slack(stop.slack_before_s)],
            [say.text("match.slack_after"), slack(stop.slack_after_s)],
        ],
        "i": {
            "shape": "square" if task else "round",
            "color": TASK if task else BLUE,
            "ink": "#ffffff",
            "text": str(number),
        },
    }
