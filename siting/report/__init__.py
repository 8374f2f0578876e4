"""What a report says: a study as sections, sentences and tables."""

from siting.report.plans_compared import comparison_report, comparison_tables
from siting.report.report import StudyReport, grid_report, study_report
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
    "Quantity",
    "Say",
    "StudyReport",
    "Table",
    "Term",
    "Unit",
    "Value",
    "comparison_report",
    "comparison_tables",
    "grid_report",
    "period_of",
    "pickup_place",
    "reason_of",
    "status_of",
    "study_report",
    "study_tables",
]
