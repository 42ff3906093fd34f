"""Conversations of what was captured, and of what was found of it; turns to be looked at."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The table of `stores.schema_turns`, and a column of two that were there."""
    op.add_column("captured", sa.Column("conversation", sa.Text))
    op.create_index("ix_captured_conversation", "captured", ["conversation", "receipt_id"])
    op.add_column("assessments", sa.Column("conversation", sa.Text))
    op.create_table(
        "captured_turns",
        sa.Column("receipt_id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("conversation", "route")),
        *(sa.Column(name, sa.Float, nullable=False) for name in ("at_s", "stored_at_s")),
    )
