"""Online quality: what is found of answers, and which routes are not graded."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The tables of `stores.schema_assessed`."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "assessments",
        sa.Column("seq", number, primary_key=True, autoincrement=True),
        *_texts("receipt_id", "assessed_as", nullable=False),
        sa.Column("is_bad", sa.Boolean),
        *(sa.Column(name, sa.Float, nullable=False) for name in ("at_s", "started_at_s")),
        sa.Column("score", sa.Float),
        *_texts("judge", "why", nullable=False),
        sa.Column("cost_nanousd", sa.BigInteger),
        *_texts("route", "release", "rollout", "arm"),
        sa.Column("unit", sa.BigInteger),
        *_texts("unit_kind", "prompt", "prompt_version", "model", "customer", "end_user"),
        sa.Column("folded", sa.Boolean, nullable=False),
    )
    both = ["receipt_id", "assessed_as"]
    op.create_index("ix_assessments_receipt", "assessments", both, unique=True)
    op.create_index("ix_assessments_folded", "assessments", ["folded", "seq"])
    unit = ["rollout", "assessed_as", "unit"]
    op.create_index("ix_assessments_unit", "assessments", unit)
    op.create_index("ix_assessments_route", "assessments", ["route", "started_at_s"])
    op.create_table(
        "ungraded_routes",
        sa.Column("route", sa.Text, primary_key=True),
        sa.Column("since_s", sa.Float, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
    )


def _texts(*names: str, nullable: bool = True) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text, nullable=nullable) for name in names]
