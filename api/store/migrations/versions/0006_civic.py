"""The civic side: reports, offices, photos, people, the ledger, the catalogue, words of streets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null)


def _instant(name: str, *, null: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=null)


def _json(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, JSON, nullable=null)


def _degrees(name: str, *, null: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=null)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _refers(table: str, column: str, other: str, key: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.{key}"], name=f"fk_{table}_{column}_{other}")


def _tenant(table: str, column: str = "tenant_id") -> sa.ForeignKeyConstraint:
    return _refers(table, column, "tenants", "tenant_id")


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def upgrade() -> None:
    """Make the tables."""
    _reports()
    _people()
    _ledger()
    op.create_table(
        "street_words", _text("word_id"), _text("tenant_id", null=True), _text("said_by"), _text("thing"),
        _text("says"), _degrees("lon"), _degrees("lat"), _degrees("towards_lon", null=True),
        _degrees("towards_lat", null=True), _instant("made_s"), _key("street_words", "word_id"),
        _tenant("street_words"),
    )  # fmt: skip
    _index("street_words", "made_s")


def _reports() -> None:
    op.create_table(
        "offices", _text("tenant_id"), _text("title"), _json("kinds"), _json("area", null=True),
        _instant("created_s"), _key("offices", "tenant_id"), _tenant("offices"),
    )  # fmt: skip
    op.create_table(
        "matters", _text("matter_id"), _text("tenant_id"), _text("asked_tenant_id", null=True),
        _text("kind"), _text("stage"), _text("private", null=True), _text("grid_code", null=True),
        _degrees("lon"), _degrees("lat"), _instant("opened_s"), _instant("updated_s"),
        _instant("next_s", null=True), sa.Column("version", sa.Integer, nullable=False), _json("state"),
        _key("matters", "matter_id"), _tenant("matters"), _tenant("matters", "asked_tenant_id"),
    )  # fmt: skip
    _index("matters", "kind", "lat")
    _index("matters", "tenant_id", "opened_s", "matter_id")
    _index("matters", "opened_s", "matter_id")
    _index("matters", "next_s")
    op.create_table(
        "reports", _text("report_id"), _text("matter_id"), _text("tenant_id", null=True),
        _text("rider_id", null=True), _text("reporter"), _text("digest"), _instant("made_s"),
        _key("reports", "report_id"), _refers("reports", "matter_id", "matters", "matter_id"),
        _tenant("reports"),
    )  # fmt: skip
    _index("reports", "matter_id")
    _index("reports", "tenant_id", "rider_id", "made_s")
    _index("reports", "digest")
    op.create_table(
        "photos", _text("photo_id"), _text("matter_id", null=True),
        sa.Column("public", sa.Boolean, nullable=False), _instant("made_s"), _text("digest"),
        sa.Column("body", sa.LargeBinary, nullable=False), _key("photos", "photo_id"),
        _refers("photos", "matter_id", "matters", "matter_id"),
    )  # fmt: skip
    _index("photos", "matter_id")


def _people() -> None:
    op.create_table(
        "people", _text("tenant_id"), _text("rider_id"), _text("pseudonym"), _instant("created_s"),
        _key("people", "tenant_id", "rider_id"), _tenant("people"),
    )  # fmt: skip
    _index("people", "pseudonym")
    op.create_table(
        "person_codes", _text("digest"), _text("pseudonym"), _instant("expires_s"),
        _key("person_codes", "digest"),
    )  # fmt: skip


def _ledger() -> None:
    op.create_table(
        "ledger_entries", sa.Column("seq", SERIAL, nullable=False, autoincrement=True), _text("key"),
        _text("kind"), _instant("at_s"), _text("about"), _text("community"), _text("note"),
        _key("ledger_entries", "seq"), sa.UniqueConstraint("key", name="uq_ledger_entries_key"),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_table(
        "ledger_postings", sa.Column("seq", SERIAL, nullable=False, autoincrement=False),
        sa.Column("place", sa.Integer, nullable=False, autoincrement=False), _text("account"), _text("unit"),
        sa.Column("amount", sa.BigInteger, nullable=False), _key("ledger_postings", "seq", "place"),
        _refers("ledger_postings", "seq", "ledger_entries", "seq"),
    )  # fmt: skip
    _index("ledger_postings", "account", "seq")
    op.create_table(
        "ledger_balances", _text("account"), _text("unit"),
        sa.Column("amount", sa.BigInteger, nullable=False), _key("ledger_balances", "account", "unit"),
        sa.CheckConstraint(
            "amount >= 0 OR account LIKE 'city:%'", name=op.f("ck_ledger_balances_not_below_zero")
        ),
    )  # fmt: skip
    op.create_table(
        "catalogue_items", _text("item_id"), _text("tenant_id"), _text("sort"), _text("title"),
        sa.Column("points", sa.Integer, nullable=False), _json("communities"), _instant("created_s"),
        _instant("ended_s", null=True), _key("catalogue_items", "item_id"), _tenant("catalogue_items"),
    )  # fmt: skip
    _index("catalogue_items", "tenant_id")
