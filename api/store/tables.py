"""The tables of the service, as SQLAlchemy metadata; both databases hold the same columns.

Instants are epoch seconds (``_s``), positions degrees in WGS-84. Every row that belongs to somebody carries
``tenant_id``. On PostgreSQL with PostGIS, ``tasks`` has one column more (``place``), which only the database
writes; it is made by a migration and is no part of this metadata.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

__all__ = [
    "JOB_STATES",
    "ROLES",
    "TENANT_KINDS",
    "WEBHOOK_STATES",
    "api_keys",
    "audit",
    "catalogue_items",
    "counters",
    "emergencies",
    "events",
    "idempotency",
    "jobs",
    "ledger_balances",
    "ledger_entries",
    "ledger_postings",
    "matters",
    "metadata",
    "offers",
    "offices",
    "people",
    "person_codes",
    "photos",
    "reports",
    "riders",
    "secrets_table",
    "sessions",
    "station_events",
    "street_words",
    "tasks",
    "tenants",
    "webhooks",
]

ROLES = ("platform", "planner", "grid_staff", "rider", "admin")
TENANT_KINDS = ("platform", "office")
WEBHOOK_STATES = ("active", "failing", "disabled")
STATION_EVENTS = ("shut", "dirty", "full", "fine", "check_in")
JOB_STATES = ("registered", "queued", "running", "done", "failed", "cancelled")

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
# None in Python is NULL in the column, not the JSON value null.
_JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
# SQLite numbers rows by itself only in a column of exactly this type.
_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null)


def _instant(name: str, *, null: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=null)


def _json(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, _JSON, nullable=null)


def _tenant(*, key: bool = False, null: bool = False) -> sa.Column[str]:
    return sa.Column(
        "tenant_id", sa.Text, sa.ForeignKey("tenants.tenant_id"), primary_key=key, nullable=null and not key
    )


def _one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


tenants = sa.Table(
    "tenants",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    _text("name"),
    _text("kind"),
    _instant("created_s"),
    _one_of("kind", TENANT_KINDS),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("key_id", sa.Text, primary_key=True),
    _tenant(),
    _text("role"),
    _json("grid_codes"),
    _text("rider_id", null=True),
    _text("digest"),
    _text("name"),
    _instant("created_s"),
    _instant("expires_s", null=True),
    _instant("revoked_s", null=True),
    _instant("last_used_s", null=True),
    _one_of("role", ROLES),
    sa.Index(None, "tenant_id"),
)

riders = sa.Table(
    "riders",
    metadata,
    _tenant(key=True),
    sa.Column("rider_id", sa.Text, primary_key=True),
    # The update's own time: an older one never overwrites a newer one, a deleted rider's neither.
    _instant("at_s"),
    # Place, plan and status as stored; NULL: deleted.
    _json("body", null=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Index(None, "seq"),
)

tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("task_id", sa.Text, primary_key=True),
    _tenant(),
    _text("label"),
    _text("status"),
    _text("grid_code", null=True),
    sa.Column("lon", sa.Double, nullable=False),
    sa.Column("lat", sa.Double, nullable=False),
    _instant("due_s", null=True),
    _instant("created_s"),
    sa.Column("version", sa.Integer, nullable=False),
    _json("body"),
    _json("state"),
    sa.UniqueConstraint("tenant_id", "label"),
    sa.Index(None, "tenant_id", "created_s", "task_id"),
    sa.Index(None, "created_s", "task_id"),
    sa.Index(None, "status"),
    # The bounding box of "within metres" where there is no PostGIS.
    sa.Index(None, "lat", "lon"),
)

offers = sa.Table(
    "offers",
    metadata,
    sa.Column("offer_id", sa.Text, primary_key=True),
    sa.Column("task_id", sa.Text, sa.ForeignKey("tasks.task_id"), nullable=False),
    _tenant(),
    _text("rider_id"),
    _text("status"),
    _instant("made_s"),
    _instant("expires_s"),
    _json("body"),
    sa.Index(None, "task_id"),
    sa.Index(None, "tenant_id", "rider_id", "made_s"),
    sa.Index(None, "status", "expires_s"),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    _instant("at_s"),
    _text("kind"),
    _text("task_id", null=True),
    sa.Column("publisher_tenant_id", sa.Text, sa.ForeignKey("tenants.tenant_id"), nullable=True),
    sa.Column("platform_tenant_id", sa.Text, sa.ForeignKey("tenants.tenant_id"), nullable=True),
    _text("rider_id", null=True),
    # What publisher and platform may both know.
    _json("body"),
    # What only the rider's platform may know.
    _json("platform_body", null=True),
    sa.Index(None, "publisher_tenant_id", "seq"),
    sa.Index(None, "platform_tenant_id", "seq"),
    sa.Index(None, "task_id", "seq"),
    # A number is never given again, not even after the last rows are gone.
    sqlite_autoincrement=True,
)

webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("webhook_id", sa.Text, primary_key=True),
    _tenant(),
    _text("url"),
    _text("secret"),
    _json("kinds"),
    _text("state"),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("next_seq", sa.BigInteger, nullable=False),
    _instant("retry_at_s", null=True),
    _instant("created_s"),
    # Secrets that were replaced, each with the instant until which it signs too.
    _json("retired", null=True),
    _one_of("state", WEBHOOK_STATES),
    sa.Index(None, "tenant_id"),
)

idempotency = sa.Table(
    "idempotency",
    metadata,
    _tenant(key=True),
    # Who of the tenant: two riders of one platform may use the same key.
    sa.Column("holder", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    _text("digest"),
    # NULL: still in work.
    sa.Column("status", sa.Integer, nullable=True),
    _json("headers", null=True),
    sa.Column("body", sa.LargeBinary, nullable=True),
    _instant("created_s"),
    sa.Index(None, "created_s"),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    _instant("at_s"),
    # No foreign key: what was refused to a caller without a key is on record too.
    _text("tenant_id", null=True),
    _text("key_id", null=True),
    _text("role", null=True),
    _text("action"),
    _text("object_kind"),
    _text("object_id", null=True),
    _text("outcome"),
    _text("request_id", null=True),
    sa.Index(None, "tenant_id", "seq"),
    sqlite_autoincrement=True,
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("job_id", sa.Text, primary_key=True),
    _tenant(),
    _text("name"),
    _text("kind"),
    _text("state"),
    _json("progress", null=True),
    _json("params"),
    _instant("created_s"),
    _instant("started_s", null=True),
    _instant("ended_s", null=True),
    _text("folder", null=True),
    _text("error", null=True),
    # The name under which the result is served; NULL: under none.
    _text("published", null=True),
    # How often a service that stopped has left it running.
    sa.Column("left_running", sa.Integer, nullable=False, server_default="0"),
    _one_of("state", JOB_STATES),
    sa.Index(None, "tenant_id", "created_s"),
    sa.Index("uq_jobs_published", "published", unique=True),
    sa.Index(None, "state", "created_s"),
)

secrets_table = sa.Table(
    "secrets",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)

sessions = sa.Table(
    "sessions",
    metadata,
    # Of what the browser holds: who reads this table can sign in as nobody.
    sa.Column("digest", sa.Text, primary_key=True),
    _tenant(),
    _text("role"),
    _json("grid_codes"),
    _text("rider_id", null=True),
    # The key that was shown at the door: the session ends with it. Others say who it was.
    _text("key_id"),
    _instant("created_s"),
    _instant("ends_s"),
    sa.Index(None, "ends_s"),
)

emergencies = sa.Table(
    "emergencies",
    metadata,
    sa.Column("emergency_id", sa.Text, primary_key=True),
    _tenant(),
    _text("label"),
    _text("status"),
    _text("grid_code", null=True),
    _instant("created_s"),
    sa.Column("version", sa.Integer, nullable=False),
    _json("body"),
    _json("state"),
    sa.UniqueConstraint("tenant_id", "label"),
    sa.Index(None, "tenant_id", "created_s", "emergency_id"),
    sa.Index(None, "status"),
)

station_events = sa.Table(
    "station_events",
    metadata,
    sa.Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    # The name of a study that is shown; empty: the one without.
    _text("study"),
    # Its number in the study of the day, and what it is known again by; NULL: from before these columns.
    _text("station_id"),
    sa.Column("station_name", sa.Text),
    sa.Column("name_is_own", sa.Boolean),
    sa.Column("lon", sa.Double),
    sa.Column("lat", sa.Double),
    _tenant(),
    _text("reporter"),
    sa.Column("office", sa.Boolean, nullable=False),
    _text("kind"),
    _instant("at_s"),
    sa.Column("people", sa.Integer),
    sa.Column("seats_free", sa.Integer),
    _one_of("kind", STATION_EVENTS),
    sa.Index(None, "study", "at_s"),
    sa.Index(None, "tenant_id", "reporter", "station_id"),
    sqlite_autoincrement=True,
)

counters = sa.Table(
    "counters",
    metadata,
    # SQLite has no sequences: its one writer counts here. On PostgreSQL `riders_seq` is a sequence.
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)

# -- the civic side
# -------------------------------------------------------------------------------------------------

offices = sa.Table(
    "offices",
    metadata,
    _tenant(key=True),
    _text("title"),
    # Kinds of reports it is asked first for; none: all.
    _json("kinds"),
    # A GeoJSON polygon; NULL: the whole city.
    _json("area", null=True),
    _instant("created_s"),
)

matters = sa.Table(
    "matters",
    metadata,
    sa.Column("matter_id", sa.Text, primary_key=True),
    # The responsible office, and the one that was asked to take it on.
    _tenant(),
    sa.Column("asked_tenant_id", sa.Text, sa.ForeignKey("tenants.tenant_id"), nullable=True),
    _text("kind"),
    _text("stage"),
    # Why nobody may see it; NULL: it stands on the board.
    _text("private", null=True),
    _text("grid_code", null=True),
    sa.Column("lon", sa.Double, nullable=False),
    sa.Column("lat", sa.Double, nullable=False),
    _instant("opened_s"),
    _instant("updated_s"),
    # When something of it runs out; NULL: nothing does.
    _instant("next_s", null=True),
    sa.Column("version", sa.Integer, nullable=False),
    _json("state"),
    sa.Index(None, "kind", "lat"),
    sa.Index(None, "tenant_id", "opened_s", "matter_id"),
    sa.Index(None, "opened_s", "matter_id"),
    sa.Index(None, "next_s"),
)

reports = sa.Table(
    "reports",
    metadata,
    sa.Column("report_id", sa.Text, primary_key=True),
    sa.Column("matter_id", sa.Text, sa.ForeignKey("matters.matter_id"), nullable=False),
    # Through whom the reporter is told: a rider's account; NULL: by the report's own token alone.
    _tenant(null=True),
    _text("rider_id", null=True),
    _text("reporter"),
    _text("digest"),
    _instant("made_s"),
    sa.Index(None, "matter_id"),
    sa.Index(None, "tenant_id", "rider_id", "made_s"),
    sa.Index(None, "digest"),
)

photos = sa.Table(
    "photos",
    metadata,
    sa.Column("photo_id", sa.Text, primary_key=True),
    # NULL: not used yet, and forgotten after a day.
    sa.Column("matter_id", sa.Text, sa.ForeignKey("matters.matter_id"), nullable=True),
    # Of what a rider did; of a look the matter stands in the column before.
    sa.Column("task_id", sa.Text, nullable=True),
    # Whether everybody may see it: the office's own picture of the result.
    sa.Column("public", sa.Boolean, nullable=False),
    _instant("made_s"),
    _text("digest"),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Index(None, "matter_id"),
    sa.Index(None, "task_id"),
)

people = sa.Table(
    "people",
    metadata,
    # A rider's account at a platform, and the person behind it, who may have had another one before.
    _tenant(key=True),
    sa.Column("rider_id", sa.Text, primary_key=True),
    _text("pseudonym"),
    _instant("created_s"),
    sa.Index(None, "pseudonym"),
)

person_codes = sa.Table(
    "person_codes",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    _text("pseudonym"),
    _instant("expires_s"),
)

ledger_entries = sa.Table(
    "ledger_entries",
    metadata,
    sa.Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    _text("key"),
    _text("kind"),
    _instant("at_s"),
    _text("about"),
    _text("community"),
    _text("note"),
    sa.UniqueConstraint("key"),
    sqlite_autoincrement=True,
)

ledger_postings = sa.Table(
    "ledger_postings",
    metadata,
    sa.Column("seq", _SERIAL, sa.ForeignKey("ledger_entries.seq"), primary_key=True, autoincrement=False),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    _text("account"),
    _text("unit"),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Index(None, "account", "seq"),
)

ledger_balances = sa.Table(
    "ledger_balances",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("unit", sa.Text, primary_key=True),
    sa.Column("amount", sa.BigInteger, nullable=False),
    # What the program checks, the database checks once more.
    sa.CheckConstraint("amount >= 0 OR account LIKE 'city:%'", name="not_below_zero"),
)

catalogue_items = sa.Table(
    "catalogue_items",
    metadata,
    sa.Column("item_id", sa.Text, primary_key=True),
    # The office that hands it out.
    _tenant(),
    _text("sort"),
    _text("title"),
    sa.Column("points", sa.Integer, nullable=False),
    _json("communities"),
    _instant("created_s"),
    # No longer on offer from then on.
    _instant("ended_s", null=True),
    sa.Index(None, "tenant_id"),
)

street_words = sa.Table(
    "street_words",
    metadata,
    sa.Column("word_id", sa.Text, primary_key=True),
    # The office that said it, NULL for a person, whose pseudonym stands in `said_by`.
    _tenant(null=True),
    _text("said_by"),
    _text("thing"),
    _text("says"),
    sa.Column("lon", sa.Double, nullable=False),
    sa.Column("lat", sa.Double, nullable=False),
    sa.Column("towards_lon", sa.Double, nullable=True),
    sa.Column("towards_lat", sa.Double, nullable=True),
    _instant("made_s"),
    sa.Index(None, "made_s"),
)
