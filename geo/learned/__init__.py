"""What traces teach: how long streets take by hour of the week, where riders go next; how sure that is."""

from geo.learned.habits import Habits, PastStops, learn_habits
from geo.learned.next_stops import NextStops, Seen, next_stops
from geo.learned.passed_streets import PassedStreets, passed_streets
from geo.learned.ridden import RiddenStreets, rides_of
from geo.learned.speeds import LearnedTimes
from geo.learned.trust import HeldOut, Learned, learn

__all__ = [
    "Habits",
    "HeldOut",
    "Learned",
    "LearnedTimes",
    "NextStops",
    "PassedStreets",
    "PastStops",
    "RiddenStreets",
    "Seen",
    "learn",
    "learn_habits",
    "next_stops",
    "passed_streets",
    "rides_of",
]
