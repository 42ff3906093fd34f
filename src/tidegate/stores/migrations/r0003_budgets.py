"""Budgets, raises, alerts and teams made at run time; limits of a key's own."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("keys", sa.Column("limits", sa.Text))
    _budgets()
    _alerts()
    op.create_table(
        "teams",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("alias", sa.Text, nullable=False),
        sa.Column("routes", sa.Text, nullable=False),
        sa.Column("requests_per_minute", sa.BigInteger),
        sa.Column("tokens_per_minute", sa.BigInteger),
        sa.Column("max_parallel_requests", sa.BigInteger),
        sa.Column("lead", sa.Text),
        sa.Column("lead_digest", sa.LargeBinary),
        sa.Column("created_at_s", sa.Float, nullable=False),
    )
    op.create_index("ix_teams_lead", "teams", ["lead_digest"], unique=True)


def _budgets() -> None:
    op.create_table(
        "budgets",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("amount_nanousd", sa.BigInteger, nullable=False),
        sa.Column("unit", sa.Text),
        sa.Column("rolling_s", sa.Float),
        sa.Column("time_zone", sa.Text),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("only", sa.Text, nullable=False),
        sa.Column("hard", sa.Boolean, nullable=False),
        sa.Column("alerts", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at_s", sa.Float, nullable=False),
    )
    op.create_table(
        "raises",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("budget", sa.Text, nullable=False),
        sa.Column("extra_nanousd", sa.BigInteger, nullable=False),
        sa.Column("until_s", sa.Float, nullable=False),
        sa.Column("approver", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at_s", sa.Float, nullable=False),
        sa.Column("ended_at_s", sa.Float),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_raises_budget", "raises", ["budget", "id"])


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("budget", sa.Text, primary_key=True),
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("period_start_s", sa.BigInteger, primary_key=True),
        sa.Column("measure", sa.Text, primary_key=True),
        sa.Column("percent", sa.Integer, primary_key=True),
        sa.Column("at_s", sa.Float, nullable=False),
        sa.Column("used_nanousd", sa.BigInteger, nullable=False),
        sa.Column("forecast_nanousd", sa.BigInteger),
        sa.Column("allowed_nanousd", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("tried_at_s", sa.Float),
        sa.Column("delivered_at_s", sa.Float),
    )
    op.create_index("ix_alerts_at", "alerts", ["at_s"])
