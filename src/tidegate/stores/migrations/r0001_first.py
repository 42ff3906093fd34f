"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TOKENS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)


def upgrade() -> None:
    _receipts()
    _receipts_daily()
    _keys()
    op.create_table(
        "journal_positions",
        sa.Column("gateway", sa.Text, primary_key=True),
        sa.Column("segment", sa.BigInteger, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "feed",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text),
        sa.Column("plan_version", sa.Integer),
        sa.Column("at_s", sa.Float, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at_s", sa.Float, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )


def _receipts() -> None:
    op.create_table(
        "receipts",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("started_at_s", sa.Float, nullable=False),
        sa.Column("gateway", sa.Text, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text),
        sa.Column("team", sa.Text),
        sa.Column("customer", sa.Text),
        sa.Column("end_user", sa.Text),
        sa.Column("environment", sa.Text),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text),
        sa.Column("trace_id", sa.Text),
        sa.Column("route", sa.Text),
        sa.Column("release", sa.Text),
        sa.Column("target", sa.Text),
        sa.Column("provider", sa.Text),
        sa.Column("model_served", sa.Text),
        sa.Column("stream", sa.Boolean, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("finish_reason", sa.Text),
        sa.Column("interrupted", sa.Boolean, nullable=False),
        sa.Column("cancelled_by", sa.Text),
        sa.Column("error_code", sa.Text),
        sa.Column("error_fault", sa.Text),
        sa.Column("input_tokens", sa.BigInteger),
        sa.Column("cache_read_tokens", sa.BigInteger),
        sa.Column("cache_write_tokens", sa.BigInteger),
        sa.Column("output_tokens", sa.BigInteger),
        sa.Column("reasoning_tokens", sa.BigInteger),
        sa.Column("tokens_estimated", sa.Boolean, nullable=False),
        sa.Column("cost_nanousd", sa.BigInteger),
        sa.Column("gateway_s", sa.Float),
        sa.Column("ttft_s", sa.Float),
        sa.Column("total_s", sa.Float),
        sa.Column("output_tokens_per_s", sa.Float),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("detail", sa.LargeBinary, nullable=False),
        *(_between(name, 10**12) for name in _TOKENS),
        _between("cost_nanousd", 10**15),
    )
    failed = sa.column("error_code").is_not(None)
    op.create_index("ix_receipts_id", "receipts", ["id"], unique=True)
    op.create_index("ix_receipts_key", "receipts", ["key_id", "id"])
    op.create_index("ix_receipts_route", "receipts", ["route", "id"])
    op.create_index(
        "ix_receipts_failed", "receipts", ["id"], sqlite_where=failed, postgresql_where=failed
    )


def _between(name: str, most: int) -> sa.CheckConstraint:
    column: sa.ColumnClause[int] = sa.column(name)
    return sa.CheckConstraint((column >= 0) & (column <= most), name=f"ck_receipts_{name}")


def _receipts_daily() -> None:
    names = ("team", "key_id", "route", "target")
    counts = (
        "requests",
        "errors",
        "interrupted",
        *_TOKENS,
        "tokens_unknown",
        "cost_nanousd",
        "cost_unknown",
    )
    op.create_table(
        "receipts_daily",
        sa.Column("day", sa.Integer, primary_key=True),
        *(sa.Column(name, sa.Text, primary_key=True) for name in names),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in counts),
    )


def _keys() -> None:
    op.create_table(
        "keys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("pepper_version", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("customer", sa.Text),
        sa.Column("environment", sa.Text),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("routes", sa.Text, nullable=False),
        sa.Column("attributes", sa.Text, nullable=False),
        sa.Column("created_at_s", sa.Float, nullable=False),
        sa.Column("expires_at_s", sa.Float),
        sa.Column("revoked_at_s", sa.Float),
    )
    op.create_index("ix_keys_team", "keys", ["team", "id"])
    op.create_index("ix_keys_name", "keys", ["name", "id"])
