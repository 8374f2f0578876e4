"""The civic side: street reports, points, and what streets learn from reports."""

from routing.civic.closures import Closure, ClosureRules, StreetWord, learned, place_words
from routing.civic.kinds import REPORT_KINDS, ReportKind
from routing.civic.reports.commands import Command as MatterCommand
from routing.civic.reports.commands import Open
from routing.civic.reports.decide import MatterConflictError
from routing.civic.reports.decide import decide as decide_matter
from routing.civic.reports.events import PRIVATE_REASONS, Report
from routing.civic.reports.events import Event as MatterEvent
from routing.civic.reports.merging import same_matter
from routing.civic.reports.rules import ReportRules
from routing.civic.reports.state import STAGES, MatterState
from routing.civic.reports.state import evolve as evolve_matter
from routing.civic.reports.state import fold as fold_matter
from routing.civic.reports.telling import BoardEntry, Notice, board_entry, look_task, notices
from routing.civic.working_hours import OfficeHours

__all__ = [
    "PRIVATE_REASONS",
    "REPORT_KINDS",
    "STAGES",
    "BoardEntry",
    "Closure",
    "ClosureRules",
    "MatterCommand",
    "MatterConflictError",
    "MatterEvent",
    "MatterState",
    "Notice",
    "OfficeHours",
    "Open",
    "Report",
    "ReportKind",
    "ReportRules",
    "StreetWord",
    "board_entry",
    "decide_matter",
    "evolve_matter",
    "fold_matter",
    "learned",
    "look_task",
    "notices",
    "place_words",
    "same_matter",
]
