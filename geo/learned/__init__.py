"""What the traces teach: how long streets take by hour of the week, and how sure that is."""

from geo.learned.ridden import RiddenStreets, rides_of
from geo.learned.speeds import LearnedTimes
from geo.learned.trust import HeldOut, Learned, learn

__all__ = ["HeldOut", "Learned", "LearnedTimes", "RiddenStreets", "learn", "rides_of"]
