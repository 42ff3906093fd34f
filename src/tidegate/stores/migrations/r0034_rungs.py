"""Receipts tell which rung of their route's ladder has served; budgets say whether they degrade."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("receipts", sa.Column("rung", sa.Text))
    degrades = sa.Column("degrades", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("budgets", degrades)
