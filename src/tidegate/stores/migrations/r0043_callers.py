"""Callers without a key that are let in no more."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The table of `stores.schema_callers`."""
    op.create_table(
        "caller_revocations",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("before_s", sa.Float),
        sa.Column("at_s", sa.Float, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("author", "issuer")),
        *(sa.Column(name, sa.Text) for name in ("subject", "token_id")),
    )
