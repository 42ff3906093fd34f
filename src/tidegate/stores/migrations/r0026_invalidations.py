"""Kept answers that may be given no more, on the feed."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column of `stores.schema.feed`: JSON of `core.feed.Invalidation`."""
    op.add_column("feed", sa.Column("invalidation", sa.Text))
