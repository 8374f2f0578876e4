"""Photos of what riders did, for the office that asked for it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the task that a photo belongs to."""
    op.add_column("photos", sa.Column("task_id", sa.Text, nullable=True))
    op.create_index("ix_photos_task_id", "photos", ["task_id"])
