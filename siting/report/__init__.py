"""What a report says: a study as sections, sentences and tables."""

from siting.report.grid_sheet import grid_report
from siting.report.lists import one_fact_a_row
from siting.report.places import pickup_place, status_of
from siting.report.plans_compared import comparison_report, comparison_tables
from siting.report.report import study_report
from siting.report.sections import KeyFigure, Section, StudyReport
from siting.report.sources import rows_told
from siting.report.tables import (
    Column,
    Quantity,
    Say,
    Table,
    Term,
    Unit,
    Value,
    period_of,
    reason_of,
    study_tables,
)

__all__ = [
    "Column",
    "KeyFigure",
    "Quantity",
    "Say",
    "Section",
    "StudyReport",
    "Table",
    "Term",
    "Unit",
    "Value",
    "comparison_report",
    "comparison_tables",
    "grid_report",
    "one_fact_a_row",
    "period_of",
    "pickup_place",
    "reason_of",
    "rows_told",
    "status_of",
    "study_report",
    "study_tables",
]
