"""Events get a part that only the rider's platform may know; tasks are found by place."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Add the column and the index."""
    op.add_column("events", sa.Column("platform_body", JSON, nullable=True))
    op.create_index("ix_tasks_lat_lon", "tasks", ["lat", "lon"])
