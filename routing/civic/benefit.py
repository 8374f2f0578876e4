"""Public-benefit time: what a task took from a rider, certified so that no platform need call it lateness."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from geo.errors import InputError
from routing.model.checks import check_between, check_name

__all__ = ["BENEFIT_CLAIM", "BenefitTime", "benefit_of", "lateness_left_s"]

BENEFIT_CLAIM = "public_benefit"
_VALID_S = 90 * 86_400
"""How long a statement may be shown after the task (our default)."""


@dataclasses.dataclass(frozen=True, slots=True)
class BenefitTime:
    """One task's time, for one rider and that rider's platform. Whole epoch seconds.

    Raises `InputError` where a value is outside of the range in its description.
    """

    statement_id: str
    issuer: str
    """Who certifies: the city's service."""
    platform: str
    """Who is meant to read it; nobody else need accept it."""
    rider_id: str
    """The rider as the platform knows the rider."""
    task_id: str
    from_s: int
    until_s: int
    """0 to 86,400 s later."""
    certified_s: int
    """When it was certified: not before the time is over."""

    def __post_init__(self) -> None:
        for what in ("statement_id", "issuer", "platform", "rider_id", "task_id"):
            check_name(what, getattr(self, what))
        check_between("length of benefit time", self.until_s - self.from_s, 0, 86_400)
        if self.certified_s < self.until_s:
            raise InputError("Benefit time is certified after it is over, not before.")

    @property
    def seconds(self) -> int:
        """How long it was."""
        return self.until_s - self.from_s

    def claims(self) -> dict[str, Any]:
        """Return what is signed: registered names of RFC 7519, and one claim of our own."""
        return {
            "iss": self.issuer,
            "aud": self.platform,
            "sub": self.rider_id,
            "jti": self.statement_id,
            "iat": self.certified_s,
            "exp": self.certified_s + _VALID_S,
            BENEFIT_CLAIM: {"task": self.task_id, "from": self.from_s, "until": self.until_s},
        }

    @staticmethod
    def of_claims(claims: Mapping[str, Any]) -> "BenefitTime":
        """Read what `claims` made.

        Raises
        ------
        InputError
            Where a claim is missing or of another type.
        """
        inner = claims.get(BENEFIT_CLAIM)
        if not isinstance(inner, Mapping):
            raise InputError(f"The statement has no claim {BENEFIT_CLAIM}: it certifies something else.")
        return BenefitTime(
            statement_id=_typed(claims, "jti", str),
            issuer=_typed(claims, "iss", str),
            platform=_typed(claims, "aud", str),
            rider_id=_typed(claims, "sub", str),
            task_id=_typed(inner, "task", str),
            from_s=_typed(inner, "from", int),
            until_s=_typed(inner, "until", int),
            certified_s=_typed(claims, "iat", int),
        )


T = TypeVar("T", str, int)


def _typed(claims: Mapping[str, Any], name: str, kind: type[T]) -> T:
    value = claims.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise InputError(f"Claim {name} of the statement is {value!r}; it must be {kind.__name__}.")
    return value


def benefit_of(
    task_id: str,
    platform: str,
    rider_id: str,
    finished_s: float,
    extra_s: float,
    certified_s: float,
    issuer: str,
) -> BenefitTime:
    """Return the benefit time of a verified task: what it took from the rider, up to its end.

    Seconds are rounded up in the rider's favour.
    """
    check_between("extra_s", extra_s, 0.0, 86_400.0 - 2)
    until_s, from_s = -int(-finished_s // 1), int((finished_s - extra_s) // 1)
    return BenefitTime(
        f"{task_id}:{platform}:{rider_id}",
        issuer,
        platform,
        rider_id,
        task_id,
        from_s,
        until_s,
        max(-int(-certified_s // 1), until_s),
    )


def lateness_left_s(
    times: Iterable[BenefitTime], accepted_s: float, due_s: float, delivered_s: float
) -> float:
    """Return by how much an order is late when benefit time is not counted.

    Parameters
    ----------
    times : iterable of BenefitTime
        Of the rider who delivered; where they overlap a second counts once.
    accepted_s, due_s, delivered_s : float
        Epoch seconds. Only benefit time between accepting and delivering helps the order.

    Returns
    -------
    float
        Seconds, 0 or more.
    """
    spans = sorted((max(t.from_s, accepted_s), min(t.until_s, delivered_s)) for t in times)
    pardoned_s, reached_s = 0.0, accepted_s
    for from_s, until_s in spans:
        pardoned_s += max(until_s - max(from_s, reached_s), 0.0)
        reached_s = max(reached_s, until_s)
    return max(delivered_s - due_s - pardoned_s, 0.0)
