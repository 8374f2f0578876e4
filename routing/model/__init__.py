"""Riders, tasks, policy and results: the data of matching."""

from routing.model.policy import EmergencyPolicy, Policy
from routing.model.results import Binding, Match, MatchResult, Refused, Route, Said
from routing.model.riders import Rider, Stop
from routing.model.tasks import Task, Visit

__all__ = [
    "Binding",
    "EmergencyPolicy",
    "Match",
    "MatchResult",
    "Policy",
    "Refused",
    "Rider",
    "Route",
    "Said",
    "Stop",
    "Task",
    "Visit",
]
