"""Riders and their stops written into the columns of kernels: milliseconds, bits and counts, by a policy."""

import numpy as np

from geo.arrays import BoolArray, FloatArray, Int32Array, Int64Array
from routing.fleet.mode_fleet import Codes, ModeFleet, instants_ms
from routing.model.planned_riders import RiderColumns, StopColumns
from routing.model.policy import Policy
from routing.model.riders import Stop

__all__ = ["ColumnWriter", "counts_as_break"]


def counts_as_break(stop: Stop, policy: Policy) -> bool:
    """Whether a stop counts as the break that the labour rules ask for."""
    return stop.kind == "rest" and stop.service_s >= policy.break_s


class ColumnWriter:
    """Writes riders and stops into the columns of their mode."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.skills = Codes("skills")
        self.platforms = Codes("platforms")

    def write_riders(
        self, mode_fleet: ModeFleet, rows: Int64Array, riders: RiderColumns, chosen: Int64Array, now: int
    ) -> None:
        """Write what is known of some riders into their rows; their stops are written apart."""
        c, policy, listed = mode_fleet.c, self._policy, chosen.tolist()
        c.stops[rows] = riders.stops[chosen]
        c.at[rows] = now
        c.factor[rows] = instants_ms(riders.speed_factor[chosen])
        available_s = riders.available_s[chosen]
        c.ready[rows] = instants_ms(np.maximum(available_s, riders.shift_start_s[chosen]))
        status = [riders.status[row] for row in listed]
        c.ok[rows] = [one in policy.statuses for one in status]
        # Of thousands of riders few differ in what they can do.
        skills = [tuple(riders.skills[row]) for row in listed]
        masks = {one: self.skills.mask(frozenset(one)) for one in dict.fromkeys(skills)}
        c.skills[rows] = [masks[one] for one in skills]
        platform = [riders.platform[row] for row in listed]
        bits = {name: self.platforms.mask(frozenset({name})) for name in dict.fromkeys(platform)}
        c.platform[rows] = [bits[name] for name in platform]
        left_s = np.maximum(policy.max_extra_per_hour_s - riders.extra_last_hour_s[chosen], 0.0)
        c.cap[rows] = instants_ms(np.minimum(policy.max_extra_s, left_s))
        c.penalty[rows] = instants_ms(policy.fairness_s_per_point * riders.contribution[chosen])
        day = now + instants_ms(policy.day_work_s - riders.worked_today_s[chosen])
        c.limit[rows] = np.minimum(instants_ms(riders.shift_end_s[chosen]), day)
        # The next break; of a rider on their break, counted from its end.
        due = now + instants_ms(policy.continuous_work_s - riders.worked_since_break_s[chosen])
        ends = np.maximum(now, instants_ms(available_s)) + round(policy.continuous_work_s * 1000)
        c.break_due[rows] = np.where([one == "on_break" for one in status], ends, due)
        c.capacity[rows] = np.nan_to_num(riders.capacity[chosen], nan=-1)
        c.load[rows] = riders.load[chosen]
        if len(rows):
            c.least_factor[0] = min(int(c.least_factor[0]), int(c.factor[rows].min()))
            c.most_cap[0] = max(int(c.most_cap[0]), int(c.cap[rows].max()))

    def write_stops(
        self, mode_fleet: ModeFleet, slots: Int64Array, stops: StopColumns, chosen: Int64Array
    ) -> None:
        """Write some stops into slots whose places have been written."""
        gaps: Int32Array | int = 0
        if any(stops.closed_s):
            gaps = mode_fleet.gaps([stops.closed_s[row] for row in chosen.tolist()])
        c = mode_fleet.c
        c.gaps[slots] = gaps
        service_s: FloatArray = stops.service_s[chosen]
        c.service[slots] = instants_ms(service_s)
        c.earliest[slots] = instants_ms(stops.earliest_s[chosen])
        c.latest[slots] = instants_ms(stops.latest_s[chosen])
        rests: BoolArray | bool = False
        if "rest" in stops.kind:
            rests = np.array([stops.kind[row] == "rest" for row in chosen.tolist()], np.bool_)
        c.rest[slots] = rests & (service_s >= self._policy.break_s)
        c.change[slots] = stops.load_change[chosen]
