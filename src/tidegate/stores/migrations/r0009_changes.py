"""Changes, revisions and the loop's leadership."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables of `stores.schema_changes`."""
    op.create_table(
        "changes",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("lever", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("from_s", sa.Float, nullable=False),
        sa.Column("until_s", sa.Float),
        sa.Column("lease_s", sa.Float),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("approved_by", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("needs", sa.Integer, nullable=False),
        sa.Column("ended_at_s", sa.Float),
        sa.Column("ended_by", sa.Text),
        sa.Column("ended_why", sa.Text),
    )
    still_open = sa.text("ended_at_s IS NULL")
    op.create_index(
        "ix_changes_open",
        "changes",
        ["lever", "scope"],
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
    op.create_table(
        "revisions",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at_s", sa.Float, nullable=False),
        sa.Column("rollout", sa.Text),
        sa.Column("members", sa.Text, nullable=False),
        sa.Column("base", sa.Text, nullable=False),
        sa.Column("salt", sa.Text),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
    )
    op.create_index("ix_revisions_route", "revisions", ["route", "seq"])
    op.create_table(
        "leadership",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
        sa.Column("taken_at_s", sa.Float, nullable=False),
        sa.Column("renewed_at_s", sa.Float, nullable=False),
    )
