"""What providers' prefix caches had and saved, by minute and longer; tools of what was captured."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_COUNTS = (
    "prefix_told_tokens",
    "prefix_untold",
    "prefix_saved_nanousd",
    "prefix_saved_unknown",
)


def upgrade() -> None:
    """Columns of `stores.schema_signals.signals`, one of `stores.schema_captured.captured`."""
    op.add_column("captured", sa.Column("tools", sa.Text))
    for name in _COUNTS:
        op.add_column("signals", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
