"""Changes that are to begin later."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The table of `stores.schema_schedule`."""
    op.create_table(
        "scheduled_changes",
        sa.Column("id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("lever", "scope")),
        sa.Column("value", sa.Float, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("reason", "author")),
        *(sa.Column(name, sa.Float, nullable=False) for name in ("from_s", "until_s")),
        sa.Column("approved_by", sa.Text, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("needs", "anyway")),
        sa.Column("closed_at_s", sa.Float),
        *(sa.Column(name, sa.Text) for name in ("closed_by", "closed_why")),
    )
    is_open = sa.text("closed_at_s IS NULL")
    op.create_index(
        "ix_scheduled_changes_open",
        "scheduled_changes",
        ["from_s"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
