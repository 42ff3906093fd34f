"""What people made of incidents that cost much of an error budget."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The table of `stores.schema_objectives`."""
    op.create_table(
        "incident_reviews",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("at_s", sa.Float, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("postmortem", sa.Text, nullable=False),
        sa.Column("follow_up", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_reviews_route", "incident_reviews", ["route", "at_s"])
