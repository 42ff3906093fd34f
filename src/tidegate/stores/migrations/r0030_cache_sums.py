"""What tiers of caches come to, by five minutes and by the hour."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0027"
branch_labels = None
depends_on = None

_SUMS = (
    *("lookups", "hits", "hit_us", "saved_us", "saved_nanousd", "saved_unknown"),
    *("spent_nanousd", "lookup_us", "miss_us", "missed", "missed_nanousd", "missed_us"),
)


def upgrade() -> None:
    """The table of `stores.schema_cache`."""
    op.create_table(
        "cache_sums",
        sa.Column("span_s", sa.Integer, primary_key=True),
        sa.Column("start_s", sa.BigInteger, primary_key=True),
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("route", "tier")),
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("team", "node")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in _SUMS),
        sa.Column("hit_s", sa.LargeBinary),
        sa.Column("miss_s", sa.LargeBinary),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_cache_sums_route", "cache_sums", ["route", "span_s", "start_s"])
