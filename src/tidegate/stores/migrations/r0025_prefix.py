"""What providers' prefix caches had of the input, and what they saved, by minute and longer."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0022"
branch_labels = None
depends_on = None

_COUNTS = (
    "prefix_told_tokens",
    "prefix_untold",
    "prefix_saved_nanousd",
    "prefix_saved_unknown",
)


def upgrade() -> None:
    """Columns of `stores.schema_signals.signals`."""
    for name in _COUNTS:
        op.add_column("signals", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
