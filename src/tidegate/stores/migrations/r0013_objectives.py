"""Alerts of objectives, and what was spent of their budgets."""

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables of `stores.schema_objectives`."""
