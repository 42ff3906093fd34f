"""Receipts tell what became of an answer, and whether its model refused."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("receipts", sa.Column("validity", sa.Text))
    op.add_column("receipts", sa.Column("model_refusal", sa.Text))
