"""What engines say of themselves."""

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables of `stores.schema_readings`."""
