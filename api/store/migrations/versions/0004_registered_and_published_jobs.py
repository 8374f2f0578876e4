"""Jobs may wait for their start, and their results are served under a name."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

STATES = "state IN ('registered', 'queued', 'running', 'done', 'failed', 'cancelled')"


def upgrade() -> None:
    """Add the columns, and let the new state in."""
    op.add_column("jobs", sa.Column("published", sa.Text))
    op.add_column("jobs", sa.Column("left_running", sa.Integer, nullable=False, server_default="0"))
    # Whatever the first migration's names became.
    names = [str(one["name"]) for one in sa.inspect(op.get_bind()).get_check_constraints("jobs")]
    # SQLite changes no constraint: there the table is made anew.
    with op.batch_alter_table("jobs") as batch:
        for name in names:
            batch.drop_constraint(op.f(name), type_="check")
        batch.create_check_constraint(op.f("ck_jobs_state"), STATES)
    op.create_index("uq_jobs_published", "jobs", ["published"], unique=True)
