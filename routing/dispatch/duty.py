"""A rider's day as their reports tell it: minutes worked, and when the break falls due.

Platforms that send these figures are believed; for those who do not, they are counted here.
"""

import dataclasses

from routing.model import Policy

__all__ = ["Duty", "after_report", "break_due_s"]

LONGEST_GAP_S = 1800.0
"""Between two reports farther apart than this nothing is known: the time counts neither as work nor as rest,
but for a rider who was off or on a break before and is after."""
WORKING = frozenset({"busy", "public_benefit"})


@dataclasses.dataclass(frozen=True, slots=True)
class Duty:
    """What is known of a rider's day at the last report."""

    at_s: float
    """Epoch seconds of the last report."""
    status: str
    day: str
    """Local date of the last report, ISO 8601."""
    worked_today_s: float = 0.0
    worked_since_break_s: float = 0.0
    rested_s: float = 0.0
    """Rest without a pause up to now; a break is one of at least `Policy.break_s`."""


def after_report(known: Duty | None, status: str, at_s: float, day: str, policy: Policy) -> Duty:
    """Return a rider's day after a report.

    Parameters
    ----------
    known : Duty, optional
        After the report before, None for the first.
    status : str
        One of `routing.model.riders.STATUSES`.
    at_s : float
        Epoch seconds of the report; an older one than the known changes nothing.
    day : str
        Local date at that instant, ISO 8601.
    policy : Policy
        How long a break is.

    Returns
    -------
    Duty
    """
    if known is None:
        return Duty(at_s, status, day)
    if at_s < known.at_s:
        return known
    span_s = at_s - known.at_s
    worked = known.status in WORKING
    # A phone that is silent for long says nothing of work; of rest it does where both ends rest.
    seen = span_s <= LONGEST_GAP_S or (not worked and status not in WORKING)
    worked_s = span_s if worked and seen else 0.0
    rested_s = known.rested_s + span_s if not worked and seen else 0.0
    since_break_s = known.worked_since_break_s + worked_s
    if rested_s >= policy.break_s:
        since_break_s = 0.0
    today_s = worked_s + (known.worked_today_s if day == known.day else 0.0)
    # Across midnight the whole span counts to the new day: at most half an hour.
    return Duty(at_s, status, day, today_s, since_break_s, rested_s)


def break_due_s(duty: Duty, policy: Policy) -> float:
    """Return the instant (epoch seconds) at which the break falls due, if the rider works on until then."""
    return duty.at_s + max(policy.continuous_work_s - duty.worked_since_break_s, 0.0)
