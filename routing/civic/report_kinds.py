"""What may be reported: the component and event classes of city management, each with its time for acting.

The 5 component and 6 event classes are those of the digital city-management standards (GB/T 30428; DOMAIN,
"Tasks"). The standards leave the limits to each city. Read in reposts of one city's list of events: exposed
rubbish 4 working hours, upkeep of greens 5 working days. Every other limit is our default and says so; a city
gives its own list in place of `REPORT_KINDS`.
"""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

from geo.errors import InputError
from geo.localtime import HOUR_S
from routing.model.checks import check_between, check_choice, check_name
from routing.model.tasks import TASK_KINDS

__all__ = ["REPORT_KINDS", "ReportKind", "kinds_by_name"]

_AN_HOUR_S = float(HOUR_S)
_WORK_DAY_S = 8 * _AN_HOUR_S
"""A working day, in working seconds."""
_CITY = "one city's list of events, read in a repost"
_OURS = "our default"
GROUPS = ("component", "event")


@dataclasses.dataclass(frozen=True, slots=True)
class ReportKind:
    """A class of matters and how soon somebody must have acted.

    Raises `InputError` where a value is outside of the range in its description.
    """

    name: str
    group: str
    """``component`` (a thing of the street is broken) or ``event`` (something happens there)."""
    title_zh: str
    """The class as the standard calls it."""
    act_within_s: float
    """Seconds from report to action, above 0: of working time, unless `round_the_clock`."""
    source: str
    """Where the limit comes from."""
    task_kind: str = "patrol"
    """The kind of the task (`routing.model.tasks.TASK_KINDS`) by which somebody has a look."""
    round_the_clock: bool = False

    def __post_init__(self) -> None:
        check_name("name of a kind", self.name)
        check_choice(f"group of kind {self.name}", self.group, GROUPS)
        check_between(f"act_within_s of kind {self.name}", self.act_within_s, 1.0, 366 * 86_400.0)
        check_choice(f"task_kind of kind {self.name}", self.task_kind, tuple(TASK_KINDS))


def kinds_by_name(kinds: tuple[ReportKind, ...]) -> Mapping[str, ReportKind]:
    """Return kinds by their names, read-only.

    Raises
    ------
    InputError
        If two have the same name.
    """
    table = {kind.name: kind for kind in kinds}
    if len(table) != len(kinds):
        raise InputError("Two kinds of reports have the same name; they must differ.")
    return MappingProxyType(table)


REPORT_KINDS: Mapping[str, ReportKind] = kinds_by_name(
    (
        ReportKind("utilities", "component", "公用设施类", 1 * _WORK_DAY_S, _OURS, "furniture"),
        ReportKind("roads", "component", "道路交通类", 1 * _WORK_DAY_S, _OURS, "furniture"),
        ReportKind("environment", "component", "市容环境类", 1 * _WORK_DAY_S, _OURS, "furniture"),
        ReportKind("greening", "component", "园林绿化类", 5 * _WORK_DAY_S, _CITY, "furniture"),
        ReportKind("other_component", "component", "其他部件类", 1 * _WORK_DAY_S, _OURS, "furniture"),
        ReportKind("appearance", "event", "市容环境类", 4 * _AN_HOUR_S, _CITY, "rubbish"),
        ReportKind("advertising", "event", "宣传广告类", 1 * _WORK_DAY_S, _OURS),
        ReportKind("building_site", "event", "施工管理类", 4 * _AN_HOUR_S, _OURS),
        ReportKind("emergency", "event", "突发事件类", 2 * _AN_HOUR_S, _OURS, "hazard", round_the_clock=True),
        ReportKind("street_order", "event", "街面秩序类", 4 * _AN_HOUR_S, _OURS),
        ReportKind("other_event", "event", "其他事件类", 1 * _WORK_DAY_S, _OURS),
    )
)
"""All classes with their defaults."""
