"""Where riders are and are not: streets that nobody passes, patrols, and dates on which riders can be met."""

from siting.presence.blind import Watched, blind_spots
from siting.presence.meetings import FreeTimes, meetings

__all__ = ["FreeTimes", "Watched", "blind_spots", "meetings"]
