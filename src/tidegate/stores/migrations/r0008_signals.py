"""Signals are kept by minute and by hour."""

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables of `stores.schema_signals`."""
