"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    _parties()
    _matching()
    _service()
    if op.get_context().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE riders_seq AS bigint CACHE 1")


def _parties() -> None:
    op.create_table(
        "tenants",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("created_s", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_tenants"),
        sa.CheckConstraint("kind IN ('platform', 'office')", name="ck_tenants_kind"),
    )
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("grid_codes", JSON, nullable=False),
        sa.Column("rider_id", sa.Text),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_s", sa.Double, nullable=False),
        sa.Column("expires_s", sa.Double),
        sa.Column("revoked_s", sa.Double),
        sa.Column("last_used_s", sa.Double),
        sa.PrimaryKeyConstraint("key_id", name="pk_api_keys"),
        _of_tenant("api_keys"),
        sa.CheckConstraint(
            "role IN ('platform', 'planner', 'grid_staff', 'rider', 'admin')", name="ck_api_keys_role"
        ),
    )
    op.create_index("ix_api_keys_tenant_id", "api_keys", ["tenant_id"])
    op.create_table(
        "riders",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("rider_id", sa.Text, nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("body", JSON),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "rider_id", name="pk_riders"),
        _of_tenant("riders"),
    )
    op.create_index("ix_riders_seq", "riders", ["seq"])
    op.create_table(
        "counters",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )


def _of_tenant(table: str, column: str = "tenant_id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["tenants.tenant_id"], name=f"fk_{table}_{column}_tenants")


def _matching() -> None:
    op.create_table(
        "tasks",
        sa.Column("task_id", sa.Text, nullable=False),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("grid_code", sa.Text),
        sa.Column("lon", sa.Double, nullable=False),
        sa.Column("lat", sa.Double, nullable=False),
        sa.Column("due_s", sa.Double),
        sa.Column("created_s", sa.Double, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("state", JSON, nullable=False),
        sa.PrimaryKeyConstraint("task_id", name="pk_tasks"),
        _of_tenant("tasks"),
        sa.UniqueConstraint("tenant_id", "label", name="uq_tasks_tenant_id_label"),
    )
    op.create_index("ix_tasks_tenant_id_created_s_task_id", "tasks", ["tenant_id", "created_s", "task_id"])
    op.create_index("ix_tasks_created_s_task_id", "tasks", ["created_s", "task_id"])
    op.create_index("ix_tasks_status", "tasks", ["status"])
    op.create_table(
        "offers",
        sa.Column("offer_id", sa.Text, nullable=False),
        sa.Column("task_id", sa.Text, nullable=False),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("rider_id", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("made_s", sa.Double, nullable=False),
        sa.Column("expires_s", sa.Double, nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.PrimaryKeyConstraint("offer_id", name="pk_offers"),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.task_id"], name="fk_offers_task_id_tasks"),
        _of_tenant("offers"),
    )
    op.create_index("ix_offers_task_id", "offers", ["task_id"])
    op.create_index("ix_offers_tenant_id_rider_id_made_s", "offers", ["tenant_id", "rider_id", "made_s"])
    op.create_index("ix_offers_status_expires_s", "offers", ["status", "expires_s"])
    op.create_table(
        "events",
        sa.Column("seq", SERIAL, nullable=False, autoincrement=True),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("task_id", sa.Text),
        sa.Column("publisher_tenant_id", sa.Text),
        sa.Column("platform_tenant_id", sa.Text),
        sa.Column("rider_id", sa.Text),
        sa.Column("body", JSON, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
        _of_tenant("events", "publisher_tenant_id"),
        _of_tenant("events", "platform_tenant_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_publisher_tenant_id_seq", "events", ["publisher_tenant_id", "seq"])
    op.create_index("ix_events_platform_tenant_id_seq", "events", ["platform_tenant_id", "seq"])
    op.create_index("ix_events_task_id_seq", "events", ["task_id", "seq"])


def _service() -> None:
    op.create_table(
        "webhooks",
        sa.Column("webhook_id", sa.Text, nullable=False),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("kinds", JSON, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("next_seq", sa.BigInteger, nullable=False),
        sa.Column("retry_at_s", sa.Double),
        sa.Column("created_s", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("webhook_id", name="pk_webhooks"),
        _of_tenant("webhooks"),
        sa.CheckConstraint("state IN ('active', 'failing', 'disabled')", name="ck_webhooks_state"),
    )
    op.create_index("ix_webhooks_tenant_id", "webhooks", ["tenant_id"])
    op.create_table(
        "idempotency",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("headers", JSON),
        sa.Column("body", sa.LargeBinary),
        sa.Column("created_s", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "holder", "key", name="pk_idempotency"),
        _of_tenant("idempotency"),
    )
    op.create_index("ix_idempotency_created_s", "idempotency", ["created_s"])
    op.create_table(
        "audit",
        sa.Column("seq", SERIAL, nullable=False, autoincrement=True),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("tenant_id", sa.Text),
        sa.Column("key_id", sa.Text),
        sa.Column("role", sa.Text),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("object_kind", sa.Text, nullable=False),
        sa.Column("object_id", sa.Text),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_tenant_id_seq", "audit", ["tenant_id", "seq"])
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("progress", JSON),
        sa.Column("params", JSON, nullable=False),
        sa.Column("created_s", sa.Double, nullable=False),
        sa.Column("started_s", sa.Double),
        sa.Column("ended_s", sa.Double),
        sa.Column("folder", sa.Text),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("job_id", name="pk_jobs"),
        _of_tenant("jobs"),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="ck_jobs_state"
        ),
    )
    op.create_index("ix_jobs_tenant_id_created_s", "jobs", ["tenant_id", "created_s"])
    op.create_index("ix_jobs_state_created_s", "jobs", ["state", "created_s"])
