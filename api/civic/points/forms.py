"""The forms of points: accounts, entries, the catalogue, the score, statements."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from api.dispatch.forms import NO_NUL
from api.forms import Schema
from api.matching.forms import Instant

__all__ = [
    "Account",
    "AccountName",
    "BookedName",
    "BuyIn",
    "CatalogueOut",
    "CodeIn",
    "CodeOut",
    "CorrectionIn",
    "DrillIn",
    "EntryOut",
    "ItemIn",
    "ItemName",
    "ItemOut",
    "ItemSort",
    "KeySet",
    "OwnedItem",
    "PayoutIn",
    "PostingOut",
    "ScoreLineOut",
    "ScoreOut",
    "StatementOut",
    "StockIn",
    "TimeIn",
    "TrainingIn",
]

ItemSort = Literal["goods", "bus_card", "check_up", "training", "housing_bonus", "school_bonus"]
EntryKind = Literal[
    "task", "feedback", "training", "drill", "time", "spend", "stock", "payout", "correction"
]  # fmt: skip
BookedName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_.-]+$")]
ItemName = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[0-9A-Za-z_-]+$")]
AccountName = Annotated[str, Field(min_length=3, max_length=80, pattern=r"^[0-9A-Za-z_-]+$")]
Community = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]


class PostingOut(Schema):
    """What an entry gives to the account, or takes from it."""

    unit: str
    amount: int


class EntryOut(Schema):
    """One entry of the ledger, as far as it is about the account."""

    key: str
    at: AwareDatetime
    kind: EntryKind
    about: str
    community: str
    note: str
    changes: list[PostingOut]


class OwnedItem(Schema):
    """Pieces of a catalogue item that were bought."""

    item: str
    pieces: int


class Account(Schema):
    """What a rider has, whatever platform it was earned at."""

    account: str
    points: int
    yuan: float
    time_s: int
    training: int
    drills: int
    items: list[OwnedItem]
    entries: list[EntryOut]
    next: str | None


class ScoreLineOut(Schema):
    """What one entry adds to the score."""

    key: str
    at: AwareDatetime
    score: float
    text: str


class ScoreOut(Schema):
    """The contribution score: the sum of its lines, not below 0."""

    score: float
    lines: list[ScoreLineOut]


class ItemOut(Schema):
    """One thing that points buy."""

    item: str
    office: str
    sort: ItemSort
    title: str
    points: int
    communities: list[str]
    left: int


class CatalogueOut(Schema):
    """What is on offer."""

    items: list[ItemOut]


class ItemIn(Schema):
    """An item of an office's catalogue."""

    sort: ItemSort
    title: Annotated[str, Field(min_length=1, max_length=100, pattern=NO_NUL)]
    points: Annotated[int, Field(ge=1, le=1_000_000)]
    communities: Annotated[tuple[Community, ...], Field(max_length=200)] = ()
    ends: Instant | None = None


class StockIn(Schema):
    """Pieces that have come in."""

    name: BookedName
    pieces: Annotated[int, Field(ge=1, le=1_000_000)]


class BuyIn(Schema):
    """One piece of an item."""

    name: BookedName
    item: ItemName
    community: Community


class TimeIn(Schema):
    """Time of the time bank for somebody who gave it."""

    name: BookedName
    account: AccountName
    time_s: Annotated[int, Field(ge=1, le=604_800)]


class TrainingIn(Schema):
    """A course that a rider has passed."""

    course: BookedName
    account: AccountName
    credit: Annotated[int, Field(ge=1, le=1_000)]


class DrillIn(Schema):
    """A drill in which a rider took part."""

    drill: BookedName
    account: AccountName


class PayoutIn(Schema):
    """Backing that was paid out in money."""

    name: BookedName
    account: AccountName
    yuan: Annotated[float, Field(ge=0.01, le=100_000)]


class CorrectionIn(Schema):
    """Which entry was wrong, and why."""

    key: Annotated[str, Field(min_length=1, max_length=300, pattern=NO_NUL)]
    note: Annotated[str, Field(min_length=1, max_length=500, pattern=NO_NUL)]


class CodeOut(Schema):
    """A code for the rider's account at another platform."""

    code: str
    expires: AwareDatetime


class CodeIn(Schema):
    """The code of the old account."""

    code: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[0-9A-Za-z_-]+$")]


class StatementOut(Schema):
    """Public-benefit time of one task, signed."""

    statement: str
    issuer: str
    platform: str
    since: AwareDatetime
    until: AwareDatetime


class KeySet(Schema):
    """Public keys (RFC 7517) to check statements with."""

    keys: list[dict[str, Any]]
