"""Emergencies are kept, with their alerts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "emergencies",
        sa.Column("emergency_id", sa.Text, nullable=False),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("grid_code", sa.Text),
        sa.Column("created_s", sa.Double, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("state", JSON, nullable=False),
        sa.PrimaryKeyConstraint("emergency_id", name="pk_emergencies"),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.tenant_id"], name="fk_emergencies_tenant_id_tenants"
        ),
        sa.UniqueConstraint("tenant_id", "label", name="uq_emergencies_tenant_id_label"),
    )
    op.create_index(
        "ix_emergencies_tenant_id_created_s_emergency_id",
        "emergencies",
        ["tenant_id", "created_s", "emergency_id"],
    )
    op.create_index("ix_emergencies_status", "emergencies", ["status"])
