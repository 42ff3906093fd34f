"""The tables that tell one machine of another: the plan in force, and who obeys what."""

from sqlalchemy import BigInteger, Column, Float, Integer, LargeBinary, Table, Text

from tidegate.stores.schema import metadata

# MessagePack of core.plan.Plan; the newest few versions.
plans = Table(
    "plans",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("plan", LargeBinary, nullable=False),
    Column("at_s", Float, nullable=False),
)

# Running gateways by their name everywhere (stores.shared). Each machine's control writes its own
# several times a second, by the database's clock.
gateways = Table(
    "gateways",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("plan_version", Integer),
    Column("error", Text),
    Column("at_s", Float, nullable=False),
)
