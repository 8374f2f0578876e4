"""Where the station stood of which something was said: numbers of stations change from study to study."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the columns; `api.http.stations.places` fills them from the study that is shown under the name."""
    op.add_column("station_events", sa.Column("station_name", sa.Text))
    op.add_column("station_events", sa.Column("name_is_own", sa.Boolean))
    for name in ("lon", "lat"):
        op.add_column("station_events", sa.Column(name, sa.Double))
