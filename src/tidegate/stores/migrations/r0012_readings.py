"""What engines say of themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_SIGNALS = (
    "engine_running",
    "engine_waiting",
    "engine_kv_cache_usage",
    "engine_prefix_hits",
    "engine_queue_s",
    "engine_preemptions",
    "engine_prefill_s",
    "engine_decode_s",
    "engine_ttft_s",
    "engine_inter_token_s",
    "engine_input_tokens",
    "engine_output_tokens",
    "engine_finished",
)


def upgrade() -> None:
    """Tables of `stores.schema_readings`."""
    op.create_table(
        "readings",
        sa.Column("span_s", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("replica", sa.Text, primary_key=True),
        sa.Column("start_s", sa.BigInteger, primary_key=True, autoincrement=False),
        *(
            sa.Column(f"{name}_{part}", sa.Float, nullable=False)
            for name in _SIGNALS
            for part in ("amount", "weight")
        ),
    )
    op.create_index("ix_readings_start", "readings", ["span_s", "start_s"])
    op.create_table(
        "readings_newest",
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("replica", sa.Text, primary_key=True),
        sa.Column("engine", sa.Text, nullable=False),
        sa.Column("at_s", sa.Float, nullable=False),
        sa.Column("detail", sa.LargeBinary, nullable=False),
    )
