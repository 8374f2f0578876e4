"""Stay points: where riders stood, of which kind each stay is, and when breaks fell due."""

from geo.stays.breaks import BREAK_S, CONTINUOUS_WORK_S, DueBreaks, due_breaks
from geo.stays.classify import classify_stays
from geo.stays.detect import KINDS, StayPoints, find_stay_points
from geo.stays.evidence import silent_stays

__all__ = [
    "BREAK_S",
    "CONTINUOUS_WORK_S",
    "KINDS",
    "DueBreaks",
    "StayPoints",
    "classify_stays",
    "due_breaks",
    "find_stay_points",
    "silent_stays",
]
