"""Where the tag `stable` of each prompt pointed."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table of `stores.schema_prompts`."""
    op.create_table(
        "prompt_stood",
        sa.Column("prompt", sa.Text, primary_key=True),
        sa.Column("depth", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("at_s", sa.Float, nullable=False),
    )
