"""What was spent before Tidegate counted, and what was imported from where."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The tables of `stores.schema_imports`."""
    op.create_table(
        "openings",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("dimensions", "scope")),
        sa.Column("at_s", sa.Float, nullable=False),
        sa.Column("nanousd", sa.BigInteger, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
    )
    op.create_table(
        "imported",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("source", "kind", "id")),
        sa.Column("theirs", sa.Text, nullable=False),
        sa.Column("ours", sa.Text, nullable=False),
        sa.Column("at_s", sa.Float, nullable=False),
    )
