"""Kept answers that were given again: captured, and what is found of them."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The tables of `stores.schema_judged_hits`, columns of `stores.schema_captured`."""
    op.create_table(
        "judged_hits",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("receipt_id", "assessed_as")),
        *_texts("route", "tier", nullable=False),
        sa.Column("is_bad", sa.Boolean),
        *(sa.Column(name, sa.Float, nullable=False) for name in ("at_s", "started_at_s")),
        sa.Column("given", sa.Boolean, nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("score_bin", sa.Integer),
        *_texts("veto", "compared_by"),
        sa.Column("is_same", sa.Boolean),
        sa.Column("decides", sa.Boolean, nullable=False),
        *_texts("judge", "why", nullable=False),
        sa.Column("cost_nanousd", sa.BigInteger),
        *_texts("kept_from", "release", "prompt_version", "model", "customer", "end_user"),
    )
    op.create_index("ix_judged_hits_route", "judged_hits", ["route", "started_at_s"])
    op.create_table(
        "captured_hits",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("route", "tier")),
        sa.Column("hour_s", sa.BigInteger, primary_key=True),
        sa.Column("score_bin", sa.Integer, primary_key=True),
        *(sa.Column(name, sa.Boolean, primary_key=True) for name in ("given", "vetoed")),
        sa.Column("count", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "unjudged_hits",
        sa.Column("route", sa.Text, primary_key=True),
        sa.Column("since_s", sa.Float, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
    )
    for name in ("cache", "cache_tier", "cache_from", "cache_veto", "compared_by", "kept"):
        op.add_column("captured", sa.Column(name, sa.Text))
    op.add_column("captured", sa.Column("cache_score", sa.Float))
    op.add_column("feedback", sa.Column("cache_tier", sa.Text))


def _texts(*names: str, nullable: bool = True) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text, nullable=nullable) for name in names]
