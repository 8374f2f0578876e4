"""Riders and their stops written into columns: milliseconds, bits and counts, by the rules of a policy."""

import numpy as np

from geo.arrays import Int64Array
from routing.fleet.mode_fleet import Codes, ModeFleet, as_ms, instants_ms
from routing.model.policy import Policy
from routing.model.riders import Rider, Stop

__all__ = ["RiderColumns", "counts_as_break"]


def counts_as_break(stop: Stop, policy: Policy) -> bool:
    """Whether a stop counts as the break that the labour rules ask for."""
    return stop.kind == "rest" and stop.service_s >= policy.break_s


class RiderColumns:
    """Writes riders and stops into the columns of their mode."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.skills = Codes("skills")
        self.platforms = Codes("platforms")

    def write_riders(
        self,
        mode_fleet: ModeFleet,
        rows: Int64Array,
        riders: list[Rider],
        now: int,
    ) -> None:
        """Write what is known of riders into their rows; their stops are written apart."""
        c, policy = mode_fleet.c, self._policy
        c.stops[rows] = [len(rider.stops) for rider in riders]
        c.at[rows] = now
        c.factor[rows] = instants_ms(rider.speed_factor for rider in riders)
        c.ready[rows] = instants_ms(max(rider.available_s, rider.shift_start_s) for rider in riders)
        c.ok[rows] = [rider.status in policy.statuses for rider in riders]
        c.skills[rows] = [self.skills.mask(rider.skills) for rider in riders]
        bits = {
            name: self.platforms.mask(frozenset({name}))
            for name in dict.fromkeys(one.platform for one in riders)
        }
        c.platform[rows] = [bits[rider.platform] for rider in riders]
        hour = policy.max_extra_per_hour_s
        caps = (min(policy.max_extra_s, max(hour - rider.extra_last_hour_s, 0.0)) for rider in riders)
        c.cap[rows] = instants_ms(caps)
        c.penalty[rows] = instants_ms(policy.fairness_s_per_point * rider.contribution for rider in riders)
        day = now + instants_ms(policy.day_work_s - rider.worked_today_s for rider in riders)
        c.limit[rows] = np.minimum(instants_ms(rider.shift_end_s for rider in riders), day)
        c.break_due[rows] = [self._break_due(rider, now) for rider in riders]
        c.capacity[rows] = [-1 if rider.capacity is None else rider.capacity for rider in riders]
        c.load[rows] = [rider.load for rider in riders]
        if len(rows):
            c.least_factor[0] = min(int(c.least_factor[0]), int(c.factor[rows].min()))
            c.most_cap[0] = max(int(c.most_cap[0]), int(c.cap[rows].max()))

    def _break_due(self, rider: Rider, now: int) -> int:
        """When the next break falls due; for a rider on their break, counted from its end."""
        span_s = self._policy.continuous_work_s
        if rider.status == "on_break":
            return max(now, as_ms(rider.available_s)) + round(span_s * 1000)
        return now + round((span_s - rider.worked_since_break_s) * 1000)

    def write_stops(self, mode_fleet: ModeFleet, slots: Int64Array, stops: list[Stop]) -> None:
        """Write stops into slots whose places have been written."""
        gaps = mode_fleet.gaps([stop.closed_s for stop in stops])
        c = mode_fleet.c
        c.gaps[slots] = gaps
        c.service[slots] = instants_ms(stop.service_s for stop in stops)
        c.earliest[slots] = instants_ms(stop.earliest_s for stop in stops)
        c.latest[slots] = instants_ms(stop.latest_s for stop in stops)
        c.rest[slots] = [counts_as_break(stop, self._policy) for stop in stops]
        c.change[slots] = [stop.load_change for stop in stops]
