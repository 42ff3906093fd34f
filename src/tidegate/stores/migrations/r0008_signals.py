"""Signals by minute, hour, day and week, releases' blocks, and whose recorder stored a receipt."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_SCOPE = ("route", "arm", "release", "target")
_COUNTS = (
    "requests",
    "failed",
    "interrupted",
    "refused",
    "truncated",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "tokens_unknown",
    "cost_nanousd",
    "cost_unknown",
    "availability_good",
    "availability_bad",
    "integrity_good",
    "integrity_bad",
    "validity_good",
    "validity_bad",
    "fallback_good",
    "fallback_bad",
    "abandon_good",
    "abandon_bad",
    "batch_good",
    "batch_bad",
)
_HISTOGRAMS = ("ttft", "turn_time", "total_time", "itl", "output_tokens")


def upgrade() -> None:
    node = sa.Column("node", sa.Text, nullable=False, server_default="")
    op.add_column("receipts", node)
    op.create_table(
        "signal_scopes",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in _SCOPE),
    )
    op.create_index("ix_signal_scopes", "signal_scopes", list(_SCOPE), unique=True)
    op.create_table(
        "signal_marks",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    _signals()
    _blocks()


def _signals() -> None:
    op.create_table(
        "signals",
        *_key(),
        sa.Column("changed", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in _COUNTS),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_signals_start", "signals", ["span_s", "start_s"])
    op.create_index("ix_signals_changed", "signals", ["span_s", "changed"])
    op.create_table(
        "signal_details",
        *_key(),
        *(sa.Column(f"{name}_histogram", sa.LargeBinary) for name in _HISTOGRAMS),
        sa.Column("detail", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_signal_details_start", "signal_details", ["span_s", "start_s"])


def _key() -> tuple["sa.Column[Any]", ...]:
    return (
        sa.Column("span_s", sa.Integer, primary_key=True),
        sa.Column("scope", sa.Integer, primary_key=True),
        sa.Column("start_s", sa.BigInteger, primary_key=True),
        sa.Column("node", sa.Text, primary_key=True),
    )


def _blocks() -> None:
    op.create_table(
        "release_blocks",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("rollout", sa.Text, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("began_s", sa.Float, nullable=False),
        sa.Column("ended_s", sa.Float, nullable=False),
        sa.Column("after_seq", sa.BigInteger, nullable=False),
        sa.Column("upto_seq", sa.BigInteger, nullable=False),
        sa.Column("weight", sa.Float),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_release_blocks", "release_blocks", ["rollout", "seq"])
    op.create_index(
        "ix_release_blocks_number", "release_blocks", ["rollout", "number"], unique=True
    )
