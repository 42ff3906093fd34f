"""What was spent, by quarter-hour, filled from the receipts that are still there."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NAMES = (
    "key_id",
    "team",
    "customer",
    "route",
    "environment",
    "target",
    "model_wanted",
    "provider",
)
_TOKENS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)
_SUMS = (
    "requests",
    *_TOKENS,
    "cost_nanousd",
    "most_nanousd",
    "cost_unknown",
    "cost_estimated_nanousd",
)
_QUARTER_S = 900
_LAST_QUARTER = 10**9


def upgrade() -> None:
    op.add_column("receipts", sa.Column("model_wanted", sa.Text))
    op.add_column("receipts", sa.Column("most_nanousd", sa.BigInteger))
    for name in ("end_user", "session_id", "trace_id"):
        there: sa.ColumnElement[bool] = sa.column(name).is_not(None)
        op.create_index(
            f"ix_receipts_{name}",
            "receipts",
            [name, "id"],
            sqlite_where=there,
            postgresql_where=there,
        )
    spend = op.create_table(
        "spend",
        sa.Column("quarter", sa.Integer, primary_key=True),
        *(sa.Column(name, sa.Text, primary_key=True) for name in _NAMES),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in _SUMS),
    )
    _fill(spend)
    for name in ("key", "team", "customer"):
        column = "key_id" if name == "key" else name
        op.create_index(f"ix_spend_{name}", "spend", [column, "quarter"])


def _fill(spend: sa.Table) -> None:
    """Receipts of before know neither the model that was wanted nor what they came to at most."""
    names = ("started_at_s", *_NAMES, *_TOKENS, "cost_nanousd", "attempts", "tokens_estimated")
    receipts = sa.table("receipts", *(sa.column(name) for name in names))
    c = receipts.c
    is_date = (c.started_at_s >= 0) & (c.started_at_s < _LAST_QUARTER * _QUARTER_S)
    quarter = sa.cast(sa.func.floor(c.started_at_s / float(_QUARTER_S)), sa.Integer)
    keys = [
        sa.case((is_date, quarter), else_=0).label("quarter"),
        *(sa.func.coalesce(c[name], "").label(name) for name in _NAMES),
    ]
    unknown = (c.attempts > 0) & c.cost_nanousd.is_(None)
    sums = [
        sa.func.count(),
        *(sa.func.coalesce(sa.func.sum(c[name]), 0) for name in _TOKENS),
        sa.func.coalesce(sa.func.sum(c.cost_nanousd), 0),
        sa.literal(0),
        sa.func.sum(sa.case((unknown, 1), else_=0)),
        sa.func.coalesce(sa.func.sum(sa.case((c.tokens_estimated, c.cost_nanousd), else_=0)), 0),
    ]
    rows = sa.select(*keys, *sums).group_by(*(sa.text(str(at + 1)) for at in range(len(keys))))
    op.execute(spend.insert().from_select(["quarter", *_NAMES, *_SUMS], rows))
