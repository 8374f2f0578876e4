"""What is said of stations, and who was there."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "station_events",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("station_id", sa.Text, nullable=False),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("reporter", sa.Text, nullable=False),
        sa.Column("office", sa.Boolean, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_station_events"),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.tenant_id"], name="fk_station_events_tenant_id_tenants"
        ),
        sa.CheckConstraint(
            "kind IN ('shut', 'dirty', 'full', 'fine', 'check_in')", name="ck_station_events_kind"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_station_events_study_at_s", "station_events", ["study", "at_s"])
    op.create_index(
        "ix_station_events_tenant_id_reporter_station_id",
        "station_events",
        ["tenant_id", "reporter", "station_id"],
    )
