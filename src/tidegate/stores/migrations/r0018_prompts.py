"""Prompts: what versions said first, flips of tags, certificates, what served a request."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The tables of `stores.schema_prompts`, columns of `stores.schema.receipts`."""
    op.create_table(
        "prompt_versions",
        sa.Column("prompt", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("at_s", sa.Float, nullable=False),
    )
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "tag_flips",
        sa.Column("seq", number, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("id", "prompt", "tag")),
        *(sa.Column(name, sa.Text) for name in ("version", "base")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("author", "reason")),
        sa.Column("at_s", sa.Float, nullable=False),
    )
    op.create_index("ix_tag_flips_prompt", "tag_flips", ["prompt", "seq"])
    op.create_table(
        "certificates",
        sa.Column("id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("digest", "model")),
        sa.Column("expires_at_s", sa.Float, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_certificates_digest", "certificates", ["digest", "model"])
    for name in ("prompt", "prompt_version"):
        op.add_column("receipts", sa.Column(name, sa.Text))
