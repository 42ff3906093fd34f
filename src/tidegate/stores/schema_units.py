"""The table of units that several recorders may see. Times are wall-clock seconds."""

from sqlalchemy import BigInteger, Column, Float, Index, Table, Text

from tidegate.stores.schema import metadata

# At which recorder a unit of a release came first. `unit` is its place (`core.arm.bucket`) less
# 2**63.
unit_homes = Table(
    "unit_homes",
    metadata,
    Column("rollout", Text, primary_key=True),
    Column("unit", BigInteger, primary_key=True),
    Column("node", Text, nullable=False),
    Column("at_s", Float, nullable=False),
)
Index("ix_unit_homes_at", unit_homes.c.at_s)
