"""Rollouts, their blocks, and what was decided on them."""

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables of `stores.schema_rollouts`."""
