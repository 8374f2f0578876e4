"""What points buy: catalogue items; how many are left stands in the ledger."""

import dataclasses
from collections.abc import Sequence

import sqlalchemy as sa

from api.store import scope
from api.store.rows import read
from api.store.scope import Scope
from api.store.tables import catalogue_items, ledger_balances
from routing.civic import CatalogueItem

__all__ = ["ItemRow", "get", "on_offer", "owned", "put", "stock"]


@dataclasses.dataclass(frozen=True, slots=True)
class ItemRow:
    """One catalogue item of an office."""

    item_id: str
    tenant_id: str
    sort: str
    title: str
    points: int
    communities: Sequence[str]
    created_s: float
    ended_s: float | None
    """No longer on offer from then on; None: it is."""

    @property
    def item(self) -> CatalogueItem:
        """The item as the ledger knows it."""
        return CatalogueItem(self.item_id, self.sort, self.title, self.points, frozenset(self.communities))


def put(connection: sa.Connection, who: Scope, row: ItemRow) -> bool:
    """Add an item, or change it; False where another office has one of that name.

    Raises
    ------
    OutOfScopeError
        For everybody but its office and admins.
    """
    statement = scope.upsert(connection.dialect.name, catalogue_items, who, row.tenant_id)
    changed = {
        name: statement.excluded[name] for name in ("sort", "title", "points", "communities", "ended_s")
    }
    values = dataclasses.asdict(row) | {"communities": list(row.communities)}
    mine = catalogue_items.c.tenant_id == row.tenant_id
    done = statement.on_conflict_do_update(
        index_elements=[catalogue_items.c.item_id], set_=changed, where=mine
    ).returning(catalogue_items.c.item_id)
    return connection.execute(done, values).one_or_none() is not None


def get(connection: sa.Connection, who: Scope, item_id: str) -> ItemRow | None:
    """Return one item; None where there is none in scope."""
    query = scope.select(catalogue_items, who).where(catalogue_items.c.item_id == item_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else read(ItemRow, row)


def on_offer(connection: sa.Connection, who: Scope, now_s: float) -> list[ItemRow]:
    """Return what is on offer, the oldest first."""
    open_ = sa.or_(catalogue_items.c.ended_s.is_(None), catalogue_items.c.ended_s > now_s)
    query = scope.select(catalogue_items, who).where(open_)
    query = query.order_by(catalogue_items.c.created_s, catalogue_items.c.item_id)
    return [read(ItemRow, row) for row in connection.execute(query)]


def stock(connection: sa.Connection, who: Scope) -> dict[str, int]:
    """Return how many pieces are left, by item."""
    query = scope.select(ledger_balances, who).where(ledger_balances.c.account.startswith("stock:"))
    return {row.account.removeprefix("stock:"): int(row.amount) for row in connection.execute(query)}


def owned(balances: dict[str, int]) -> dict[str, int]:
    """Return the pieces among what an account holds, by item."""
    return {unit.removeprefix("item:"): n for unit, n in balances.items() if unit.startswith("item:") and n}
