"""Riders, tasks, policy and results: the data of matching."""

from routing.model.policy import EmergencyPolicy, Policy
from routing.model.results import Match, MatchResult, Refused, Route
from routing.model.riders import Rider, Stop
from routing.model.tasks import Task, Visit

__all__ = [
    "EmergencyPolicy",
    "Match",
    "MatchResult",
    "Policy",
    "Refused",
    "Rider",
    "Route",
    "Stop",
    "Task",
    "Visit",
]
