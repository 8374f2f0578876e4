"""What a report says: a study as sections, sentences and tables."""

from siting.report.conclusion import asks_table, decision_table, key_figures
from siting.report.grid_sheet import grid_report
from siting.report.plans_compared import comparison_report, comparison_tables
from siting.report.report import study_report
from siting.report.sections import KeyFigure, Link, Section, StudyReport
from siting.report.tables import (
    Column,
    Quantity,
    Say,
    Table,
    Term,
    Unit,
    Value,
    period_of,
    pickup_place,
    reason_of,
    status_of,
    study_tables,
)

__all__ = [
    "Column",
    "KeyFigure",
    "Link",
    "Quantity",
    "Say",
    "Section",
    "StudyReport",
    "Table",
    "Term",
    "Unit",
    "Value",
    "asks_table",
    "comparison_report",
    "comparison_tables",
    "decision_table",
    "grid_report",
    "key_figures",
    "period_of",
    "pickup_place",
    "reason_of",
    "status_of",
    "study_report",
    "study_tables",
]
