"""Stations and pick-up points: candidates, kinds, opening hours, and the audit of existing ones."""

from siting.stations.candidates import CandidateRules, CandidateSites
from siting.stations.day_kinds import country_of, free_and_worked_days
from siting.stations.hours import clock, parse_hours
from siting.stations.kinds import KINDS, ExistingStation, StationKind
from siting.stations.known_again import FormerStation, known_again
from siting.stations.pickup_inputs import PickupRules

__all__ = [
    "KINDS",
    "CandidateRules",
    "CandidateSites",
    "ExistingStation",
    "FormerStation",
    "PickupRules",
    "StationKind",
    "clock",
    "country_of",
    "free_and_worked_days",
    "known_again",
    "parse_hours",
]
