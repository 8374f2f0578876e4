"""What traces teach: how long streets take by hour of the week, where riders go next; how sure that is."""

from geo.learned.destinations import NextStops, Seen, next_stops
from geo.learned.habits import Habits, PastStops, learn_habits
from geo.learned.ridden import RiddenStreets, rides_of
from geo.learned.speeds import LearnedTimes
from geo.learned.trust import HeldOut, Learned, learn
from geo.learned.ways_ahead import PassedStreets, passed_streets

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
