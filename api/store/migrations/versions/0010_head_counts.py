"""What is counted at stations: people there, free seats."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the columns; older words counted nothing."""
    for name in ("people", "seats_free"):
        op.add_column("station_events", sa.Column(name, sa.Integer))
