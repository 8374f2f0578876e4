"""The rules as data. Every default states its source; the field notes quote the standards."""

import dataclasses

from geo.errors import InputError
from routing.model.checks import check_between, check_choice
from routing.model.riders import STATUSES

__all__ = ["EmergencyPolicy", "Policy"]


@dataclasses.dataclass(frozen=True, slots=True)
class EmergencyPolicy:
    """How an emergency is answered: who is alerted, in which phases, and with which chances.

    Volunteer responders accept 17-47% of alerts (GoodSAM, JMIR 2023); the default is the middle, 0.32.
    """

    acceptance: float = 0.32
    """Probability that one alerted rider accepts, 0 to 1."""
    answer_s: float = 20.0
    """Seconds from an alert to the answer; the way begins then."""
    phase_riders: tuple[int, ...] = (3, 5, 8)
    """Riders alerted in each phase, soonest first."""
    phase_wait_s: float = 45.0
    """Seconds after which the next phase is alerted when nobody has accepted."""
    within_s: float = 480.0
    """The x of P(somebody arrives within x seconds)."""
    horizon_s: float = 900.0
    """Nobody farther away than this is alerted."""
    modes: frozenset[str] = frozenset({"ebike", "bike", "car", "foot"})

    def __post_init__(self) -> None:
        check_between("acceptance", self.acceptance, 0.0, 1.0)
        for what in ("answer_s", "phase_wait_s", "within_s", "horizon_s"):
            check_between(what, getattr(self, what), 0.0, 86_400.0)
        if not self.phase_riders or not all(1 <= n <= 1000 for n in self.phase_riders):
            raise InputError(
                f"phase_riders is {self.phase_riders}; allowed are 1 to 1000 riders in each phase."
            )


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """Limits, labour rules, fairness and pay that a match must respect.

    Raises `InputError` where a value is outside of its range.
    """

    max_extra_s: float = 480.0
    """Most extra seconds one task may take from a rider (our default: the 2 km that DOMAIN prices at 8
    min)."""
    max_extra_per_hour_s: float = 900.0
    """Most extra seconds in an hour, all tasks of a rider together (our default: a quarter of an hour)."""
    slack_kept_s: float = 0.0
    """Seconds before its due instant that every stop keeps untouched."""
    continuous_work_s: float = 4 * 3600.0
    """Work after which a break falls due: 4 h (national recommended standard, December 2025)."""
    break_s: float = 1200.0
    """Length of that break: 20 min (same standard)."""
    day_work_s: float = 12 * 3600.0
    """Work in a day that no task prolongs. The standard prompts at about 8 h; riders are 9-12 h on the
    road, and a plan that is already beyond the limit is only not made longer."""
    ebike_promise_mps: float = 15 / 3.6
    """E-bike times are promised at no more than 15 km/h (same standard); a policy may only promise less."""
    statuses: frozenset[str] = frozenset({"busy", "public_benefit"})
    """Statuses in which a rider may be given a task."""
    fairness_s_per_point: float = 0.0
    """Seconds added to a rider's rank for each point earned: who has given much is asked later. It decides
    who is chosen, never what is allowed or paid."""
    yuan_per_minute: float = 0.6
    """Pay: income of 30-39 yuan/h makes a minute cost 0.50-0.65 yuan."""
    yuan_per_km: float = 0.0
    points_per_minute: float = 1.0
    points_per_km: float = 1.0
    walk_to_street_m: float = 100.0
    """A place farther than this from a street of the mode is refused."""
    harm_probability_max: float = 0.05
    """Of riders who told no plan: most probability that a task harms, which is that it delays the next stop
    by more than `harm_delay_s`, takes more than a task may, or that nothing is known of that stop. Ours: at
    most one of twenty such offers may harm. No source gives a figure; 0 leaves tasks that cannot harm."""
    harm_delay_s: float = 180.0
    """By how much a stop of which nobody knows when it is due may be delayed. Ours: three minutes, less than
    what one gate costs a delivery (5-8 min are reported)."""
    emergency: EmergencyPolicy = EmergencyPolicy()

    def __post_init__(self) -> None:
        for what in (
            "max_extra_s",
            "max_extra_per_hour_s",
            "slack_kept_s",
            "break_s",
            "continuous_work_s",
            "day_work_s",
            "harm_delay_s",
        ):
            check_between(what, getattr(self, what), 0.0, 86_400.0)
        check_between("ebike_promise_mps", self.ebike_promise_mps, 0.5, 15 / 3.6)
        check_between("fairness_s_per_point", self.fairness_s_per_point, 0.0, 86_400.0)
        check_between("walk_to_street_m", self.walk_to_street_m, 1.0, 2000.0)
        check_between("harm_probability_max", self.harm_probability_max, 0.0, 1.0)
        for what in ("yuan_per_minute", "yuan_per_km", "points_per_minute", "points_per_km"):
            check_between(what, getattr(self, what), 0.0, 1000.0)
        for status in sorted(self.statuses):
            check_choice("A status of the policy", status, STATUSES)
