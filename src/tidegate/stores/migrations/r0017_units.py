"""At which recorder a release's units came first."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The table of `stores.schema_units`."""
    op.create_table(
        "unit_homes",
        sa.Column("rollout", sa.Text, primary_key=True),
        sa.Column("unit", sa.BigInteger, primary_key=True),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("at_s", sa.Float, nullable=False),
    )
    op.create_index("ix_unit_homes_at", "unit_homes", ["at_s"])
