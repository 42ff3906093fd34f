"""The tables of what operators grant while it runs: budgets, raises of them, alerts, teams.

Times are wall-clock seconds, money is integer nano-dollars; lists and mappings are JSON.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    false,
)

from tidegate.stores.schema import metadata

# Either `unit` (a period of the calendar) or `rolling_s` is set.
budgets = Table(
    "budgets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("amount_nanousd", BigInteger, nullable=False),
    Column("unit", Text),
    Column("rolling_s", Float),
    Column("time_zone", Text),
    Column("scope", Text, nullable=False),
    Column("only", Text, nullable=False),
    Column("hard", Boolean, nullable=False),
    Column("alerts", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("at_s", Float, nullable=False),
    Column("degrades", Boolean, nullable=False, server_default=false()),
)

# A raise of a declared budget has no row in `budgets`. Rows stay when the raise has ended. `scope`
# has the values whose budget alone is raised; NULL raises every value's.
raises = Table(
    "raises",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("budget", Text, nullable=False),
    Column("extra_nanousd", BigInteger, nullable=False),
    Column("until_s", Float, nullable=False),
    Column("approver", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("at_s", Float, nullable=False),
    Column("ended_at_s", Float),
    Column("scope", Text),
    sqlite_autoincrement=True,
)
Index("ix_raises_budget", raises.c.budget, raises.c.id)

# The primary key is what makes an alert come once: of two that insert it, one succeeds.
alerts = Table(
    "alerts",
    metadata,
    Column("budget", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("period_start_s", BigInteger, primary_key=True),
    Column("measure", Text, primary_key=True),
    Column("percent", Integer, primary_key=True),
    Column("at_s", Float, nullable=False),
    Column("used_nanousd", BigInteger, nullable=False),
    Column("forecast_nanousd", BigInteger),
    Column("allowed_nanousd", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("tried_at_s", Float),
    Column("delivered_at_s", Float),
)
Index("ix_alerts_at", alerts.c.at_s)

teams = Table(
    "teams",
    metadata,
    Column("id", Text, primary_key=True),
    Column("alias", Text, nullable=False),
    Column("routes", Text, nullable=False),
    Column("requests_per_minute", BigInteger),
    Column("tokens_per_minute", BigInteger),
    Column("max_parallel_requests", BigInteger),
    Column("lead", Text),
    Column("lead_digest", LargeBinary),
    Column("created_at_s", Float, nullable=False),
)
Index("ix_teams_lead", teams.c.lead_digest, unique=True)
