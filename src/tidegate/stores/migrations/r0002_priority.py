"""Keys grant a priority class."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("keys", sa.Column("priority", sa.Text, nullable=False, server_default="standard"))
