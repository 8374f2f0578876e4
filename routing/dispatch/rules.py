"""How tasks are offered: for how long, to how many, and whether they wait for a better rider."""

import dataclasses

from routing.model.checks import check_between

__all__ = ["DispatchRules"]


@dataclasses.dataclass(frozen=True, slots=True)
class DispatchRules:
    """The policy of the life cycle. Defaults are ours: nobody has published measured ones.

    Raises `InputError` where a value is outside of its range.
    """

    offer_for_s: float = 60.0
    """How long an offer stands: a rider answers at the next stop or red light."""
    most_open: int = 2
    """Open offers that one rider may have at a time."""
    retry_s: float = 15.0
    """A task that nobody can do is tried again so often."""
    every_s: float = 0.0
    """Tasks are collected and matched together every so many seconds; 0: each at once."""
    patient_for_s: float = 0.0
    """For so long after it was published a task waits for a rider whom it costs little; 0: never."""
    patient_extra_s: float = 120.0
    """What "little" is: extra seconds."""
    silent_for_s: float = 900.0
    """A rider of whom nothing was heard for longer is not asked: the plan that is known is over."""

    def __post_init__(self) -> None:
        check_between("offer_for_s", self.offer_for_s, 1.0, 3600.0)
        check_between("most_open", self.most_open, 1, 4)
        check_between("retry_s", self.retry_s, 1.0, 3600.0)
        check_between("every_s", self.every_s, 0.0, 3600.0)
        check_between("patient_for_s", self.patient_for_s, 0.0, 86_400.0)
        check_between("patient_extra_s", self.patient_extra_s, 0.0, 86_400.0)
        check_between("silent_for_s", self.silent_for_s, 60.0, 86_400.0)
