"""Turns that were in time, and those that were not, by the objective of their time."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns of `stores.schema_signals.signals`."""
    for verdict in ("good", "bad"):
        name = f"turn_time_{verdict}"
        op.add_column("signals", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
