"""How points, backing, hours and credits are earned: the rules as data, the entries that follow from them."""

import dataclasses

from routing.civic.ledger.entries import Entry, LedgerError, Posting, rider_account
from routing.model.checks import check_between, check_name

__all__ = ["EARNING", "EarningRules", "drill", "feedback", "payout", "task_done", "time_taken", "training"]

_ISSUED, _BACKING, _PAID, _HOURS = "city:issued", "city:backing", "city:paid", "city:hours"


@dataclasses.dataclass(frozen=True, slots=True)
class EarningRules:
    """What helping brings.

    Raises `InputError` where a value is outside of the range in its description.
    """

    points_per_task: float = 5.0
    points_per_minute: float = 1.0
    points_per_km: float = 1.0
    """0 to 1,000 each (our defaults); the sum of a task is rounded to whole points."""
    yuan_per_minute: float = 0.6
    """Backing of what the time costs: income of 30-39 yuan/h makes a minute cost 0.50-0.65 yuan (DOMAIN)."""
    points_per_fix: float = 10.0
    """Bonus for feedback that led to a fix (our default)."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            check_between(field.name, getattr(self, field.name), 0.0, 1_000.0)

    def points_of(self, extra_s: float, extra_m: float) -> int:
        """Return the points of a verified task that took so much; less than nothing counts as nothing."""
        of_way = (
            self.points_per_minute * max(extra_s, 0.0) / 60 + self.points_per_km * max(extra_m, 0.0) / 1_000
        )
        return round(self.points_per_task + of_way)


EARNING = EarningRules()
"""The standing rules: offers tell by them, tasks are booked by them."""


def _moved(source: str, to: str, unit: str, amount: int) -> tuple[Posting, ...]:
    return (Posting(source, unit, -amount), Posting(to, unit, amount)) if amount else ()


def task_done(
    pseudonym: str, task_id: str, extra_s: float, extra_m: float, verified_s: float, rules: EarningRules
) -> Entry | None:
    """Return what a verified task brings: points, backing and hours of the time bank.

    Parameters
    ----------
    pseudonym : str
    task_id : str
    extra_s, extra_m : float
        What the task took from the rider, seconds and metres, 0 or more.
    verified_s : float
        Epoch seconds.
    rules : EarningRules

    Returns
    -------
    Entry, optional
        None where the rules give nothing for it.
    """
    check_between("extra_s", extra_s, 0.0, 86_400.0)
    check_between("extra_m", extra_m, 0.0, 1e6)
    to = rider_account(pseudonym)
    postings = (
        *_moved(_ISSUED, to, "points", rules.points_of(extra_s, extra_m)),
        *_moved(_BACKING, to, "fen", round(100 * rules.yuan_per_minute * extra_s / 60)),
        *_moved(_HOURS, to, "seconds", round(extra_s)),
    )
    return Entry(f"task:{task_id}:{pseudonym}", "task", verified_s, postings, task_id) if postings else None


def feedback(pseudonym: str, matter_id: str, fixed_s: float, rules: EarningRules) -> Entry | None:
    """Return the bonus of a reporter whose report led to a fix, None where the rules give none."""
    postings = _moved(_ISSUED, rider_account(pseudonym), "points", round(rules.points_per_fix))
    key = f"feedback:{matter_id}:{pseudonym}"
    return Entry(key, "feedback", fixed_s, postings, matter_id) if postings else None


def training(pseudonym: str, course_id: str, amount: int, passed_s: float) -> Entry:
    """Return the credits of a course that was passed; each course counts once."""
    check_name("course", course_id)
    check_between("credits of a course", amount, 1, 1_000)
    postings = _moved(_ISSUED, rider_account(pseudonym), "training", amount)
    return Entry(f"training:{course_id}:{pseudonym}", "training", passed_s, postings, course_id)


def drill(pseudonym: str, drill_id: str, at_s: float) -> Entry:
    """Return the record that somebody took part in a drill; each drill counts once."""
    check_name("drill", drill_id)
    postings = _moved(_ISSUED, rider_account(pseudonym), "drill", 1)
    return Entry(f"drill:{drill_id}:{pseudonym}", "drill", at_s, postings, drill_id)


def time_taken(key: str, taker: str, giver: str, seconds: int, at_s: float) -> Entry:
    """Return hours of the time bank that one person takes: who gave them has them afterwards."""
    check_between("seconds", seconds, 1, 7 * 86_400)
    if taker == giver:
        raise LedgerError("unknown", rider_account(giver))
    postings = _moved(rider_account(taker), rider_account(giver), "seconds", seconds)
    return Entry(f"time:{key}", "time", at_s, postings, key)


def payout(key: str, pseudonym: str, fen: int, at_s: float) -> Entry:
    """Return backing that is paid out in money."""
    check_between("fen", fen, 1, 10_000_000)
    return Entry(f"payout:{key}", "payout", at_s, _moved(rider_account(pseudonym), _PAID, "fen", fen), key)
