"""Riders, tasks, policy and results: the data of matching."""

from routing.model.expectations import ExpectedMatch, ExpectedRider, ExpectedStop, Scenario
from routing.model.planned_riders import (
    PlannedRiders,
    RiderColumns,
    StopColumns,
    numbers_of,
    rider_columns,
)
from routing.model.policy import EmergencyPolicy, Policy
from routing.model.results import Binding, Count, Match, MatchResult, Metres, Refused, Route, Said, Seconds
from routing.model.riders import Rider, Stop
from routing.model.tasks import Task, Visit
from routing.model.windows import Span, spans_of

__all__ = [
    "Binding",
    "Count",
    "EmergencyPolicy",
    "ExpectedMatch",
    "ExpectedRider",
    "ExpectedStop",
    "Match",
    "MatchResult",
    "Metres",
    "PlannedRiders",
    "Policy",
    "Refused",
    "Rider",
    "RiderColumns",
    "Route",
    "Said",
    "Scenario",
    "Seconds",
    "Span",
    "Stop",
    "StopColumns",
    "Task",
    "Visit",
    "numbers_of",
    "rider_columns",
    "spans_of",
]
