"""Changes, revisions and the loop's leadership."""

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables of `stores.schema_changes`."""
