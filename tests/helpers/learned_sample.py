"""What a made study says of travel times, blind spots and meetings: plausible figures, nothing computed."""

from collections.abc import Sequence

from siting.changing import Changing, Forecast, PlanElsewhere, RobustFigures, ScenarioFigures
from siting.observed import BlindGrid, BlindSpots, ClassSpeed, Meeting, Meetings, Patrol, TravelTimes
from siting.proposed import GateDelay, InnerWays, MapEdit

__all__ = ["CHANGING", "INNER", "TIMES", "blind_of", "meetings_at"]

LINE = ((116.33, 39.98), (116.331, 39.981))
TIMES = TravelTimes(
    used="learned",
    why="better",
    held_out_trips=240,
    held_out_days=2,
    error_class=0.39,
    error_one_factor=0.18,
    error_learned=0.14,
    classes=(
        ClassSpeed("residential", 12.0, 8.05, 18, None),
        ClassSpeed("primary_link", 15.0, 9.0, None, None),
    ),
    promise_share=0.8,
    promise_factor=1.2,
    streets_in_reach_class=0.61,
    streets_in_reach=0.48,
)

INNER = InnerWays(
    gates=(
        GateDelay("G01", (116.331, 39.981), "芙蓉里", 31, 84, 214.0, 360.0, (None,) * 12 + (260.0,) * 12),
        GateDelay("G02", (116.332, 39.982), "", 12, 13, 41.0, 360.0, (None,) * 24),
    ),
    edits=(
        MapEdit("W01", "cut_through", LINE, (101, None), "", 24, 5, 71, 168.0),
        MapEdit("B01", "shut_gate", LINE[:1], (102,), "芙蓉里", 18, 5, 21, 240.0),
    ),
)


def blind_of(code: str) -> BlindSpots:
    """One grid that is seen in part, one of which nothing is told, and one patrol."""
    return BlindSpots(
        hours=tuple((None,) * 8 + (0.25,) * 16 for _ in range(7)),
        grids=(BlindGrid(code, 0.8, 7, 6, 2.5, None), BlindGrid("none", None, None, None, None, None)),
        streets=(LINE,),
        streets_share=0.125,
        patrols=(Patrol(code, 7, LINE[0], 24.0, 0.8, 0.3, LINE),),
    )


def meetings_at(site_ids: Sequence[str]) -> Meetings:
    """Two dates, of one of which too few riders are told."""
    return Meetings(30, (Meeting(site_ids[0], 2, 27, 21), Meeting(site_ids[-1], 4, 28, None)), None, 0.0)


CHANGING = Changing(
    weeks=8,
    weeks_needed=6,
    scenarios=(
        ScenarioFigures("working_days", 40, 812.0, 0.71),
        ScenarioFigures("weekend", 16, 1040.0, 0.58),
    ),
    elsewhere=(
        PlanElsewhere("working_days", "weekend", 0.55),
        PlanElsewhere("weekend", "working_days", None),
    ),
    robust=RobustFigures("weekend", 0.042, 0.031),
    weeks_held_out=2,
    forecasts=(
        Forecast("rest", "regression", 0.081, 0.112, 0.095, (900.0, 905.0, 910.0, 915.0), (800.0,) * 7),
        Forecast("G01", "last_week", 0.2, 0.2, None, (90.0, 90.0, 90.0, 90.0), (80.0,) * 7),
    ),
)
"""Two parts of the week, a plan that looks at the worse, and two forecasts."""
