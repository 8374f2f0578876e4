"""Secrets of webhooks that were replaced go on signing for a while."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the column; of older webhooks no secret was replaced."""
    kind = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
    op.add_column("webhooks", sa.Column("retired", kind, nullable=True))
