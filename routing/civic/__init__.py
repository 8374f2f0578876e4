"""The civic side: street reports, points, and what streets learn from reports."""

from routing.civic.benefit import BenefitTime, benefit_of, lateness_left_s
from routing.civic.closures import (
    Closure,
    ClosureRules,
    Effect,
    Placed,
    StreetWord,
    learned,
    place_words,
)
from routing.civic.ledger.book import Book, book, correction
from routing.civic.ledger.earning import (
    EARNING,
    EarningRules,
    drill,
    feedback,
    payout,
    task_done,
    time_taken,
    training,
)
from routing.civic.ledger.entries import Entry, LedgerError, Posting, checked
from routing.civic.ledger.rewards import CatalogueItem, spend, stocked
from routing.civic.ledger.score import Score, ScoreRules, contribution
from routing.civic.report_kinds import REPORT_KINDS, ReportKind
from routing.civic.reports.commands import (
    AcceptMatter,
    AskForLook,
    AskHandover,
    Confirm,
    DeclineMatter,
    Dispute,
    Fix,
    Hide,
    Open,
    RefuseHandover,
    ReportLook,
    Show,
    StartWork,
    Tick,
)
from routing.civic.reports.commands import Command as MatterCommand
from routing.civic.reports.decide import MatterConflictError
from routing.civic.reports.decide import decide as decide_matter
from routing.civic.reports.events import PRIVATE_REASONS, Report
from routing.civic.reports.events import Event as MatterEvent
from routing.civic.reports.merging import same_matter
from routing.civic.reports.rules import ReportRules
from routing.civic.reports.state import OVER, STAGES, MatterState
from routing.civic.reports.state import evolve as evolve_matter
from routing.civic.reports.state import fold as fold_matter
from routing.civic.reports.telling import BoardEntry, Notice, board_entry, look_task, notices
from routing.civic.station_words import (
    HeadCount,
    StationCondition,
    StationRules,
    StationWord,
    WeekOfVisits,
    conditions,
    head_counts,
    joined_weeks,
    told_week,
    week_span_s,
    whole_weeks,
)
from routing.civic.working_hours import OfficeHours

__all__ = [
    "EARNING",
    "OVER",
    "PRIVATE_REASONS",
    "REPORT_KINDS",
    "STAGES",
    "AcceptMatter",
    "AskForLook",
    "AskHandover",
    "BenefitTime",
    "BoardEntry",
    "Book",
    "CatalogueItem",
    "Closure",
    "ClosureRules",
    "Confirm",
    "DeclineMatter",
    "Dispute",
    "EarningRules",
    "Effect",
    "Entry",
    "Fix",
    "HeadCount",
    "Hide",
    "LedgerError",
    "MatterCommand",
    "MatterConflictError",
    "MatterEvent",
    "MatterState",
    "Notice",
    "OfficeHours",
    "Open",
    "Placed",
    "Posting",
    "RefuseHandover",
    "Report",
    "ReportKind",
    "ReportLook",
    "ReportRules",
    "Score",
    "ScoreRules",
    "Show",
    "StartWork",
    "StationCondition",
    "StationRules",
    "StationWord",
    "StreetWord",
    "Tick",
    "WeekOfVisits",
    "benefit_of",
    "board_entry",
    "book",
    "checked",
    "conditions",
    "contribution",
    "correction",
    "decide_matter",
    "drill",
    "evolve_matter",
    "feedback",
    "fold_matter",
    "head_counts",
    "joined_weeks",
    "lateness_left_s",
    "learned",
    "look_task",
    "notices",
    "payout",
    "place_words",
    "same_matter",
    "spend",
    "stocked",
    "task_done",
    "time_taken",
    "told_week",
    "training",
    "week_span_s",
    "whole_weeks",
]
