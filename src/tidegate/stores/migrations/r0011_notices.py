"""What people are told, by which way, and what is silenced."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables of `stores.schema_notices`."""
    _notices()
    _deliveries()
    op.create_table(
        "silences",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("matchers", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at_s", sa.Float, nullable=False),
        sa.Column("until_s", sa.Float, nullable=False),
        sa.Column("ended_at_s", sa.Float),
    )


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at_s", sa.Float, nullable=False),
        sa.Column("route", sa.Text),
        sa.Column("resolved_at_s", sa.Float),
        sa.Column("resolution", sa.Text),
        sa.Column("until_s", sa.Float),
        sa.Column("routed_at_s", sa.Float),
        sa.Column("silenced_by", sa.Text),
        sa.Column("closed_at_s", sa.Float),
    )
    is_open = sa.column("resolved_at_s").is_(None)
    _index("ix_notices_open", "notices", ["key"], is_open, unique=True)
    _index("ix_notices_unrouted", "notices", ["id"], sa.column("routed_at_s").is_(None))
    _index("ix_notices_ended", "notices", ["id"], ~is_open & sa.column("closed_at_s").is_(None))
    lapses = sa.column("until_s").is_not(None) & is_open
    _index("ix_notices_until", "notices", ["until_s"], lapses)
    op.create_table(
        "notice_ways",
        sa.Column("notice", sa.Text, primary_key=True),
        sa.Column("way", sa.Text, primary_key=True),
        sa.Column("delivery", sa.Text),
    )
    waits = sa.column("delivery").is_(None)
    _index("ix_notice_ways_waiting", "notice_ways", ["way", "notice"], waits)
    op.create_index("ix_notice_ways_delivery", "notice_ways", ["delivery"])


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("way", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("ends", sa.Text),
        sa.Column("at_s", sa.Float, nullable=False),
        sa.Column("due_at_s", sa.Float, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("ended_at_s", sa.Float),
    )
    op.create_index("ix_deliveries_ends", "deliveries", ["ends"], unique=True)
    op.create_index("ix_deliveries_way", "deliveries", ["way", "at_s"])
    _index("ix_deliveries_due", "deliveries", ["way"], sa.column("ended_at_s").is_(None))


def _index(
    name: str, table: str, columns: list[str], only: sa.ColumnElement[bool], unique: bool = False
) -> None:
    """An index of the rows for which `only` holds."""
    op.create_index(name, table, columns, unique=unique, sqlite_where=only, postgresql_where=only)
