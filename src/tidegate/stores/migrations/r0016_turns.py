"""Turns that were in time by the objective of their time; the audit trail by what was done."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns of `stores.schema_signals.signals`, an index of `stores.schema.audit`."""
    for verdict in ("good", "bad"):
        name = f"turn_time_{verdict}"
        op.add_column("signals", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    op.create_index("ix_audit_what", "audit", ["what", "at_s"])
