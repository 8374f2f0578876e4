"""What has happened to a matter that was reported: the only thing kept for good; states are folds of it.

A matter is what one or several reports are about. Reporters are pseudonyms, offices are public names.
"""

import dataclasses
from typing import Literal, TypeAlias

from geo.errors import InputError
from routing.model.checks import check_choice, check_lonlat, check_name

__all__ = [
    "PRIVATE_REASONS",
    "Event",
    "HandoverAsked",
    "HandoverRefused",
    "LookMissed",
    "LookWanted",
    "Looked",
    "MatterAccepted",
    "MatterClosed",
    "MatterDeclined",
    "MatterEscalated",
    "MatterFixed",
    "MatterHidden",
    "MatterOpened",
    "MatterReopened",
    "MatterShown",
    "Report",
    "ReportJoined",
    "WorkStarted",
]

PRIVATE_REASONS = ("home", "minor", "person")
"""Why nobody may see a matter: it lies in a person's home, a minor is in it, a person can be recognised."""
_MOST_NOTE = 4_000


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """What one person says about one place.

    Raises `InputError` where a value is outside of the range in its description.
    """

    report_id: str
    """Differs from that of every other report; the same id sent again is the same report."""
    reporter: str
    """Pseudonym."""
    kind: str
    """Name of a `routing.civic.report_kinds.ReportKind`."""
    lonlat: tuple[float, float]
    """(lon, lat) in WGS-84 degrees."""
    made_s: float
    """Epoch seconds."""
    note: str = ""
    """At most 4,000 characters."""
    photo: str = ""
    """Name under which the shell keeps the photo; empty: none."""
    private: str = ""
    """One of `PRIVATE_REASONS`; empty: anybody may see the matter."""

    def __post_init__(self) -> None:
        check_name("report_id", self.report_id)
        check_name(f"reporter of report {self.report_id}", self.reporter)
        check_name(f"kind of report {self.report_id}", self.kind)
        check_lonlat(f"Place of report {self.report_id}", self.lonlat)
        if len(self.note) > _MOST_NOTE:
            raise InputError(
                f"The note of report {self.report_id} has {len(self.note)} characters; "
                f"allowed are {_MOST_NOTE}."
            )
        if self.private:
            check_choice(f"private of report {self.report_id}", self.private, PRIVATE_REASONS)


@dataclasses.dataclass(frozen=True, slots=True)
class MatterOpened:
    """A first report; the office asked is responsible until another accepts (首问负责)."""

    matter_id: str
    report: Report
    office: str
    due_s: float
    """Epoch seconds at which somebody must have acted."""
    kind: Literal["matter_opened"] = "matter_opened"


@dataclasses.dataclass(frozen=True, slots=True)
class ReportJoined:
    """Somebody else (or the same person again) has reported the same matter."""

    report: Report
    kind: Literal["report_joined"] = "report_joined"


@dataclasses.dataclass(frozen=True, slots=True)
class HandoverAsked:
    """The responsible office thinks it is another's; it stays responsible meanwhile."""

    office: str
    reason: str
    kind: Literal["handover_asked"] = "handover_asked"


@dataclasses.dataclass(frozen=True, slots=True)
class HandoverRefused:
    """The other office says no."""

    office: str
    reason: str
    kind: Literal["handover_refused"] = "handover_refused"


@dataclasses.dataclass(frozen=True, slots=True)
class MatterAccepted:
    """An office has taken the matter on; from now on it is responsible."""

    office: str
    kind: Literal["matter_accepted"] = "matter_accepted"


@dataclasses.dataclass(frozen=True, slots=True)
class LookWanted:
    """Somebody shall go and see: a task for the matcher, until an instant."""

    task_id: str
    latest_s: float
    kind: Literal["look_wanted"] = "look_wanted"


@dataclasses.dataclass(frozen=True, slots=True)
class Looked:
    """Somebody has been there."""

    task_id: str
    looker: str
    """Pseudonym."""
    there: bool
    """Whether the matter was there to see."""
    note: str = ""
    photo: str = ""
    kind: Literal["looked"] = "looked"


@dataclasses.dataclass(frozen=True, slots=True)
class LookMissed:
    """Nobody has been there in time."""

    task_id: str
    kind: Literal["look_missed"] = "look_missed"


@dataclasses.dataclass(frozen=True, slots=True)
class WorkStarted:
    """The responsible office acts."""

    kind: Literal["work_started"] = "work_started"


@dataclasses.dataclass(frozen=True, slots=True)
class MatterFixed:
    """The office says that it is done; `result` is the office's own words, for everybody."""

    result: str
    photo: str
    said_s: float
    kind: Literal["matter_fixed"] = "matter_fixed"


@dataclasses.dataclass(frozen=True, slots=True)
class MatterDeclined:
    """The office will not act, and says why."""

    reason: str
    said_s: float
    kind: Literal["matter_declined"] = "matter_declined"


@dataclasses.dataclass(frozen=True, slots=True)
class MatterClosed:
    """It is over: ``confirmed`` by a reporter or a look, or ``unopposed`` for long enough."""

    how: Literal["confirmed", "unopposed"]
    by: str = ""
    """Pseudonym of who confirmed."""
    kind: Literal["matter_closed"] = "matter_closed"


@dataclasses.dataclass(frozen=True, slots=True)
class MatterReopened:
    """It was said to be done (or to be nothing) and is not: the office has its time once more."""

    why: Literal["disputed", "reported", "seen"]
    """By a reporter, by one more report, or by somebody who went and saw."""
    due_s: float
    note: str = ""
    """The words of the reporter: for the office, not for the other reporters."""
    kind: Literal["matter_reopened"] = "matter_reopened"


@dataclasses.dataclass(frozen=True, slots=True)
class MatterEscalated:
    """Nobody has acted in time: the office above is told."""

    level: int
    """From 1 up."""
    to: str
    next_s: float
    """Epoch seconds at which the next level is due; inf after the last."""
    kind: Literal["matter_escalated"] = "matter_escalated"


@dataclasses.dataclass(frozen=True, slots=True)
class MatterHidden:
    """It is kept off the board."""

    reason: str
    """One of `PRIVATE_REASONS`."""
    kind: Literal["matter_hidden"] = "matter_hidden"


@dataclasses.dataclass(frozen=True, slots=True)
class MatterShown:
    """An office has looked at it: it may stand on the board."""

    kind: Literal["matter_shown"] = "matter_shown"


Event: TypeAlias = (
    MatterOpened
    | ReportJoined
    | HandoverAsked
    | HandoverRefused
    | MatterAccepted
    | LookWanted
    | Looked
    | LookMissed
    | WorkStarted
    | MatterFixed
    | MatterDeclined
    | MatterClosed
    | MatterReopened
    | MatterEscalated
    | MatterHidden
    | MatterShown
)
