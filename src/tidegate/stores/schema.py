"""The tables. Times are wall-clock seconds, money is integer nano-dollars, NULL is unknown.

A receipt's id is a UUIDv7, so its index is the order in time: a time window is a range of ids.
`seq` is the order of arrival, which tailing needs: a long request settles after younger ones.
The columns are what queries need; `detail` is the whole receipt as its journal frame held it.

Which rows an index leaves out is declared in SQLite's word. The migrations say it in PostgreSQL's
too; here that word would have every start load all of its drivers' dialects.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

from tidegate.stores.spending import MAX_COST_NANOUSD, ROLLED_UP

metadata = MetaData()

# SQLite numbers rows only by a column declared INTEGER.
_RowNumber = BigInteger().with_variant(Integer, "sqlite")

# No request uses as much; a figure beyond is a provider's mistake and would overflow every sum.
# The same is said of money where it is counted: stores.spending.
MAX_TOKENS = 10**12
TOKEN_COLUMNS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)

receipts = Table(
    "receipts",
    metadata,
    Column("seq", _RowNumber, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False),
    Column("started_at_s", Float, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("key_id", Text),
    Column("team", Text),
    Column("customer", Text),
    Column("end_user", Text),
    Column("environment", Text),
    Column("purpose", Text, nullable=False),
    Column("session_id", Text),
    Column("trace_id", Text),
    Column("route", Text),
    Column("release", Text),
    Column("prompt", Text),
    Column("prompt_version", Text),
    Column("rung", Text),
    Column("target", Text),
    Column("provider", Text),
    Column("model_wanted", Text),
    Column("model_served", Text),
    Column("stream", Boolean, nullable=False),
    Column("status", Integer),
    Column("finish_reason", Text),
    Column("interrupted", Boolean, nullable=False),
    Column("cancelled_by", Text),
    Column("error_code", Text),
    Column("error_fault", Text),
    Column("validity", Text),
    Column("model_refusal", Text),
    Column("input_tokens", BigInteger),
    Column("cache_read_tokens", BigInteger),
    Column("cache_write_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("reasoning_tokens", BigInteger),
    Column("tokens_estimated", Boolean, nullable=False),
    Column("cost_nanousd", BigInteger),
    Column("most_nanousd", BigInteger),
    Column("gateway_s", Float),
    Column("ttft_s", Float),
    Column("total_s", Float),
    Column("output_tokens_per_s", Float),
    Column("attempts", Integer, nullable=False),
    Column("detail", LargeBinary, nullable=False),
    # Whose recorder stored it: the machine in a shared database, "" in one's own.
    Column("node", Text, nullable=False, server_default=""),
)
for _name in TOKEN_COLUMNS:
    _tokens = receipts.c[_name]
    receipts.append_constraint(
        CheckConstraint((_tokens >= 0) & (_tokens <= MAX_TOKENS), name=f"ck_receipts_{_name}")
    )
_cost = receipts.c.cost_nanousd
receipts.append_constraint(
    CheckConstraint((_cost >= 0) & (_cost <= MAX_COST_NANOUSD), name="ck_receipts_cost_nanousd")
)
Index("ix_receipts_id", receipts.c.id, unique=True)
Index("ix_receipts_key", receipts.c.key_id, receipts.c.id)
Index("ix_receipts_route", receipts.c.route, receipts.c.id)
Index(
    "ix_receipts_failed",
    receipts.c.id,
    sqlite_where=receipts.c.error_code.is_not(None),
)

_holds = receipts.c.purpose == "batch_hold"
Index(
    "ix_receipts_batch_hold", receipts.c.id, sqlite_where=_holds
)  # as stores._spend_sql writes it

for _name in ("end_user", "session_id", "trace_id"):
    _there = receipts.c[_name].is_not(None)
    Index(
        f"ix_receipts_{_name}",
        receipts.c[_name],
        receipts.c.id,
        sqlite_where=_there,
    )

DAY_S = 86_400

# What retention keeps of the receipts that it deletes. Empty text stands for an absent name:
# NULL cannot be part of a key. `day` counts UTC days since 1970-01-01.
receipts_daily = Table(
    "receipts_daily",
    metadata,
    Column("day", Integer, primary_key=True),
    Column("team", Text, primary_key=True),
    Column("key_id", Text, primary_key=True),
    Column("route", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    Column("interrupted", BigInteger, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("cache_read_tokens", BigInteger, nullable=False),
    Column("cache_write_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("tokens_unknown", BigInteger, nullable=False),
    Column("cost_nanousd", BigInteger, nullable=False),
    Column("cost_unknown", BigInteger, nullable=False),
)

# What was spent, by quarter-hour of admission and by what budgets tell apart, from every receipt
# that ever came (stores.rollup). `most_nanousd` is of requests whose cost nobody knows, what
# each can have come to at most; `cost_estimated_nanousd` is the part of the cost whose tokens we
# counted ourselves. Empty text stands for an absent name. `quarter` counts from 1970-01-01 UTC.
spend = Table(
    "spend",
    metadata,
    Column("quarter", Integer, primary_key=True),
    *(Column(name, Text, primary_key=True) for name in ROLLED_UP.values()),
    Column("requests", BigInteger, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in TOKEN_COLUMNS),
    Column("cost_nanousd", BigInteger, nullable=False),
    Column("most_nanousd", BigInteger, nullable=False),
    Column("cost_unknown", BigInteger, nullable=False),
    Column("cost_estimated_nanousd", BigInteger, nullable=False),
)
Index("ix_spend_key", spend.c.key_id, spend.c.quarter)
Index("ix_spend_team", spend.c.team, spend.c.quarter)
Index("ix_spend_customer", spend.c.customer, spend.c.quarter)

# How far each gateway's journal is in the ledger; moves in the receipts' own transaction.
journal_positions = Table(
    "journal_positions",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("segment", BigInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
)

keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("pepper_version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("customer", Text),
    Column("environment", Text),
    Column("purpose", Text, nullable=False),
    Column("priority", Text, nullable=False, server_default="standard"),
    Column("routes", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("created_at_s", Float, nullable=False),
    Column("expires_at_s", Float),
    Column("revoked_at_s", Float),
    Column("limits", Text),
)
Index("ix_keys_team", keys.c.team, keys.c.id)
Index("ix_keys_name", keys.c.name, keys.c.id)

# Numbers are never given twice, not even after old entries were dropped.
feed = Table(
    "feed",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("key_id", Text),
    Column("plan_version", Integer),
    Column("at_s", Float, nullable=False),
    Column("invalidation", Text),
    sqlite_autoincrement=True,
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("at_s", Float, nullable=False),
    Column("actor", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_autoincrement=True,
)

Index("ix_audit_what", audit.c.what, audit.c.at_s)

meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
