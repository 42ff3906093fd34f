"""Thresholds that semantic tiers have learnt."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The table of `stores.schema_thresholds`."""
    op.create_table(
        "thresholds",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_thresholds_route", "thresholds", ["route", "seq"])
