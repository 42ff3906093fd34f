"""What people are told, by which way, and what is silenced."""

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables of `stores.schema_notices`."""
