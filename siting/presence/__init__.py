"""Where riders are and are not: streets that nobody passes, patrols, and dates on which riders can be met."""

from siting.presence.blind import Watched, blind_spots
from siting.presence.inner import inner_ways
from siting.presence.meetings import FreeTimes, meetings
from siting.presence.ridden_speeds import class_speeds, streets_in_reach

__all__ = [
    "FreeTimes",
    "Watched",
    "blind_spots",
    "class_speeds",
    "inner_ways",
    "meetings",
    "streets_in_reach",
]
