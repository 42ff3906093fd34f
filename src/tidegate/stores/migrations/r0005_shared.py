"""The plan itself in the store, and what each machine's gateways obey."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plans",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("plan", sa.LargeBinary, nullable=False),
        sa.Column("at_s", sa.Float, nullable=False),
    )
    op.create_table(
        "gateways",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("plan_version", sa.Integer),
        sa.Column("error", sa.Text),
        sa.Column("at_s", sa.Float, nullable=False),
    )
