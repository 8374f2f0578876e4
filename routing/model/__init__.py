"""Riders, tasks, policy and results: the data of matching."""

from routing.model.policy import EmergencyPolicy, Policy
from routing.model.results import Binding, Count, Match, MatchResult, Metres, Refused, Route, Said, Seconds
from routing.model.riders import Rider, Stop
from routing.model.tasks import Task, Visit
from routing.model.windows import Span, spans_of

__all__ = [
    "Binding",
    "Count",
    "EmergencyPolicy",
    "Match",
    "MatchResult",
    "Metres",
    "Policy",
    "Refused",
    "Rider",
    "Route",
    "Said",
    "Seconds",
    "Span",
    "Stop",
    "Task",
    "Visit",
    "spans_of",
]
