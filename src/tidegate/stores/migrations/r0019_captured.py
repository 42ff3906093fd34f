"""What was said: captured requests, feedback, and what was deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The tables of `stores.schema_captured`."""
    _captured()
    _feedback()
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "captured_deletions",
        sa.Column("seq", number, primary_key=True, autoincrement=True),
        *_texts("customer", "end_user"),
        sa.Column("before_s", sa.Float, nullable=False),
        sa.Column("at_s", sa.Float, nullable=False),
    )


def _captured() -> None:
    op.create_table(
        "captured",
        sa.Column("receipt_id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Float, nullable=False) for name in ("at_s", "until_s")),
        *_texts("key_id", "team", "customer", "end_user"),
        sa.Column("route", sa.Text, nullable=False),
        *_texts("release", "arm", "prompt", "prompt_version", "target", "model"),
        *_texts("purpose", "messages", "answer", "calls", nullable=False),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in ("cut", "shortened")),
        sa.Column("redacted", sa.Text, nullable=False),
    )
    op.create_index("ix_captured_route", "captured", ["route", "receipt_id"])
    op.create_index("ix_captured_customer", "captured", ["customer"])
    op.create_index("ix_captured_until", "captured", ["until_s"])


def _feedback() -> None:
    op.create_table(
        "feedback",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("receipt_id", "key_id", "kind")),
        sa.Column("at_s", sa.Float, nullable=False),
        *_texts("team", "customer"),
        sa.Column("rating", sa.Float),
        sa.Column("comment", sa.Text),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("matched", sa.Boolean, nullable=False),
        sa.Column("started_at_s", sa.Float),
        *_texts("end_user", "route", "release", "arm"),
        *_texts("prompt", "prompt_version", "target", "model"),
    )
    op.create_index("ix_feedback_at", "feedback", ["matched", "at_s"])
    op.create_index("ix_feedback_customer", "feedback", ["customer"])


def _texts(*names: str, nullable: bool = True) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text, nullable=nullable) for name in names]
