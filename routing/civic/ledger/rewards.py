"""What points buy, in every community of the city: catalogue items with stock."""

import dataclasses

from routing.civic.ledger.entries import Entry, Posting, item_unit, rider_account, stock_account
from routing.model.checks import check_between, check_choice, check_name

__all__ = ["ITEM_SORTS", "CatalogueItem", "spend", "stocked"]

ITEM_SORTS = ("goods", "bus_card", "check_up", "training", "housing_bonus", "school_bonus")


@dataclasses.dataclass(frozen=True, slots=True)
class CatalogueItem:
    """One thing that points buy.

    Raises `InputError` where a value is outside of the range in its description.
    """

    item_id: str
    sort: str
    """One of `ITEM_SORTS`."""
    title: str
    points: int
    """Price of one piece, 1 to 1,000,000."""
    communities: frozenset[str] = frozenset()
    """Where it is handed out; empty: in every community. Points from anywhere buy it there."""

    def __post_init__(self) -> None:
        check_name("item_id", self.item_id)
        check_choice(f"sort of item {self.item_id}", self.sort, ITEM_SORTS)
        check_name(f"title of item {self.item_id}", self.title)
        check_between(f"points of item {self.item_id}", self.points, 1, 1_000_000)


def stocked(key: str, item: CatalogueItem, pieces: int, at_s: float) -> Entry:
    """Return pieces that have come into stock; the stock of an item is one for the whole city."""
    check_between("pieces", pieces, 1, 1_000_000)
    unit = item_unit(item.item_id)
    postings = (Posting("city:supply", unit, -pieces), Posting(stock_account(item.item_id), unit, pieces))
    return Entry(f"stock:{key}", "stock", at_s, postings, item.item_id)


def spend(key: str, pseudonym: str, item: CatalogueItem, community: str, at_s: float) -> Entry:
    """Return the purchase of one piece: points go, the piece comes out of stock, in one entry.

    Raises
    ------
    InputError
        If the item is not handed out in the community.
    """
    check_name("community", community)
    if item.communities:
        check_choice(f"community of item {item.item_id}", community, tuple(sorted(item.communities)))
    buyer, unit = rider_account(pseudonym), item_unit(item.item_id)
    postings = (
        Posting(buyer, "points", -item.points),
        Posting("city:redeemed", "points", item.points),
        Posting(stock_account(item.item_id), unit, -1),
        Posting(buyer, unit, 1),
    )
    return Entry(f"spend:{key}", "spend", at_s, postings, item.item_id, community)
