"""The contribution score, explained line by line: each line is one entry, the total the sum of the lines."""

import dataclasses
from collections.abc import Iterable

from routing.civic.ledger.entries import Entry, rider_account
from routing.model.checks import check_between
from routing.model.results import Fact, Said

__all__ = ["Score", "ScoreLine", "ScoreRules", "contribution"]


@dataclasses.dataclass(frozen=True, slots=True)
class ScoreRules:
    """What counts for the score, and how long. Spending and pay never count.

    Raises `InputError` where a value is outside of the range in its description.
    """

    window_s: float = 90 * 86_400.0
    """Entries older than this no longer count (our default)."""
    per_point: float = 1.0
    per_training: float = 2.0
    per_drill: float = 5.0
    """Score of each point earned, training credit and drill, 0 to 1,000 (our defaults)."""

    def __post_init__(self) -> None:
        check_between("window_s", self.window_s, 86_400.0, 10 * 366 * 86_400.0)
        for what in ("per_point", "per_training", "per_drill"):
            check_between(what, getattr(self, what), 0.0, 1_000.0)


@dataclasses.dataclass(frozen=True, slots=True)
class ScoreLine:
    """What one entry adds."""

    key: str
    at_s: float
    score: float
    said: Said
    """A sentence of the text catalogue with its facts."""


@dataclasses.dataclass(frozen=True, slots=True)
class Score:
    """A person's score and all that it is made of."""

    lines: tuple[ScoreLine, ...]
    """Oldest first."""

    @property
    def total(self) -> float:
        """Sum of the lines, not below 0."""
        return max(sum(line.score for line in self.lines), 0.0)


def contribution(entries: Iterable[Entry], pseudonym: str, at_s: float, rules: ScoreRules) -> Score:
    """Return the score of a person at an instant.

    Parameters
    ----------
    entries : iterable of Entry
        In the order in which they were booked; a correction takes away from the day of what it corrects.
    pseudonym : str
    at_s : float
        Epoch seconds.
    rules : ScoreRules
    """
    account = rider_account(pseudonym)
    weights = {"points": rules.per_point, "training": rules.per_training, "drill": rules.per_drill}
    known: dict[str, Entry] = {}
    lines: list[ScoreLine] = []
    for entry in entries:
        known[entry.key] = entry
        earned = known.get(entry.about) if entry.kind == "correction" else entry
        if earned is None or earned.kind not in ("task", "feedback", "training", "drill"):
            continue
        if not at_s - rules.window_s < earned.at_s or entry.at_s > at_s:
            continue
        for posting in entry.postings:
            weight = weights.get(posting.unit, 0.0)
            if posting.account == account and weight:
                facts: dict[str, Fact] = {"amount": posting.amount, "about": earned.about, "weight": weight}
                said = Said.of(f"score.{entry.kind}.{posting.unit}", **facts)
                lines.append(ScoreLine(entry.key, entry.at_s, weight * posting.amount, said))
    return Score(tuple(sorted(lines, key=lambda line: line.at_s)))
