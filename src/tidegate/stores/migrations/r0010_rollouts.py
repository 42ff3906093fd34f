"""Rollouts, what people ask of them, and what was decided on them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_RowNumber = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _rollouts()
    _decisions()


def _rollouts() -> None:
    op.create_table(
        "rollouts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("rollout", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("created_at_s", sa.Float, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("since_s", sa.Float, nullable=False),
        sa.Column("ended_at_s", sa.Float),
        sa.Column("problem", sa.Text),
        sa.Column("problem_at_s", sa.Float),
    )
    still_open = sa.text("ended_at_s IS NULL")
    op.create_index(
        "ix_rollouts_open",
        "rollouts",
        ["route"],
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
    op.create_table(
        "rollout_wishes",
        sa.Column("seq", _RowNumber, primary_key=True, autoincrement=True),
        sa.Column("rollout", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("at_s", sa.Float, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("gate", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_rollout_wishes_rollout", "rollout_wishes", ["rollout", "seq"])
    op.create_table(
        "rollout_moves",
        sa.Column("seq", _RowNumber, primary_key=True, autoincrement=True),
        sa.Column("rollout", sa.Text, nullable=False),
        sa.Column("at_s", sa.Float, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("decision", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_rollout_moves_rollout", "rollout_moves", ["rollout", "seq"])


def _decisions() -> None:
    op.create_table(
        "memories",
        sa.Column("controller", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("memory", sa.LargeBinary, nullable=False),
        sa.Column("decision", sa.BigInteger, nullable=False),
        sa.Column("at_s", sa.Float, nullable=False),
    )
    op.create_table(
        "decisions",
        sa.Column("seq", _RowNumber, primary_key=True, autoincrement=True),
        sa.Column("controller", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("at_s", sa.Float, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("view", sa.Text, nullable=False),
        sa.Column("memory", sa.LargeBinary),
        sa.Column("proposals", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_decisions_subject", "decisions", ["controller", "subject", "seq"])
    op.create_index("ix_decisions_at", "decisions", ["at_s"])
    op.create_table(
        "loop_time",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("active_s", sa.Float, nullable=False),
    )
