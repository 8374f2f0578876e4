"""The rules of street reports as data."""

import dataclasses
from collections.abc import Mapping

from geo.errors import InputError
from routing.civic.report_kinds import REPORT_KINDS, ReportKind
from routing.civic.working_hours import OfficeHours
from routing.model.checks import check_between

__all__ = ["ReportRules"]


@dataclasses.dataclass(frozen=True, slots=True)
class ReportRules:
    """Limits of merging, acting, going up and reopening.

    Raises `InputError` where a value is outside of the range in its description.
    """

    hours: OfficeHours
    kinds: Mapping[str, ReportKind] = dataclasses.field(default_factory=lambda: REPORT_KINDS)
    same_within_m: float = 50.0
    """Reports of one kind so near to a matter's first report are about the same matter (FixMyStreet)."""
    same_within_s: float = 86_400.0
    """... and made within so many seconds of it, before or after."""
    levels: tuple[str, ...] = ("street office", "district", "city")
    """Who is told when nobody acts in time, one after the other."""
    level_every_s: float = 86_400.0
    """Seconds after which the next level is told (our default)."""
    unopposed_s: float = 3 * 86_400.0
    """Seconds after which what is said to be done is over (our default)."""
    dispute_within_s: float = 30 * 86_400.0
    """Seconds from the office's word during which a reporter may say that it is not so (our default)."""

    def __post_init__(self) -> None:
        check_between("same_within_m", self.same_within_m, 0.0, 1_000.0)
        for what in ("same_within_s", "level_every_s", "unopposed_s", "dispute_within_s"):
            check_between(what, getattr(self, what), 1.0, 366 * 86_400.0)
        if self.dispute_within_s < self.unopposed_s:
            raise InputError("dispute_within_s must be at least unopposed_s.")
        if not self.levels or not all(self.levels):
            raise InputError("levels must name at least one office to tell, and none may be empty.")

    def kind(self, name: str) -> ReportKind:
        """Return a kind by its name.

        Raises
        ------
        InputError
            If there is none.
        """
        if name not in self.kinds:
            raise InputError(f"kind of the report is {name!r}; allowed are {', '.join(self.kinds)}.")
        return self.kinds[name]

    def due_s(self, kind: str, start_s: float) -> float:
        """Return the instant (epoch seconds) until which somebody must act on what is reported now."""
        found = self.kind(kind)
        if found.round_the_clock:
            return start_s + found.act_within_s
        return self.hours.end_of(start_s, found.act_within_s)
