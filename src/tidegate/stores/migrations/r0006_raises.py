"""Raises of one value of a budget's scope."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("raises", sa.Column("scope", sa.Text))
