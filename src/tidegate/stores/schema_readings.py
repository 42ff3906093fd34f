"""The tables of what engines say of themselves. Times are wall-clock seconds."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, Table, Text

from tidegate.core.engine_signals import ENGINE_SIGNALS
from tidegate.stores.schema import metadata

# What each replica said in a minute, an hour and a day (`span_s`) that began then. A signal is an
# amount over a weight (`core.engine_signals`), so rows add up; a weight of 0 is nothing known.
readings = Table(
    "readings",
    metadata,
    Column("span_s", Integer, primary_key=True, autoincrement=False),
    Column("target", Text, primary_key=True),
    Column("replica", Text, primary_key=True),
    Column("start_s", BigInteger, primary_key=True, autoincrement=False),
    *(
        Column(f"{name}_{part}", Float, nullable=False)
        for name in ENGINE_SIGNALS
        for part in ("amount", "weight")
    ),
)
Index("ix_readings_start", readings.c.span_s, readings.c.start_s)

# The newest reading of each replica. `detail` is MessagePack.
readings_newest = Table(
    "readings_newest",
    metadata,
    Column("target", Text, primary_key=True),
    Column("replica", Text, primary_key=True),
    Column("engine", Text, nullable=False),
    Column("at_s", Float, nullable=False),
    Column("detail", LargeBinary, nullable=False),
)
