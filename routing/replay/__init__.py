"""A day replayed under a policy of matching, and its verification."""

from routing.replay.day import Day, DayOptions, make_day
from routing.replay.day_verification import DayProof, prove_day
from routing.replay.simulate import POLICIES, DayResult

__all__ = ["POLICIES", "Day", "DayOptions", "DayProof", "DayResult", "make_day", "prove_day"]
