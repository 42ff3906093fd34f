"""What batches hold is found among receipts."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """An index of these alone."""
    holds = sa.text("purpose = 'batch_hold'")
    op.create_index(
        "ix_receipts_batch_hold", "receipts", ["id"], sqlite_where=holds, postgresql_where=holds
    )
