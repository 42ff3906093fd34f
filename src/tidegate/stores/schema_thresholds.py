"""The table of thresholds that semantic tiers have learnt."""

from sqlalchemy import BigInteger, Column, Index, Table, Text

from tidegate.stores.schema import metadata

# `body`: JSON of `core.learnt.LearntThreshold`, or `null`: from then on the route has none.
thresholds = Table(
    "thresholds",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("route", Text, nullable=False),
    Column("body", Text, nullable=False),
)
Index("ix_thresholds_route", thresholds.c.route, thresholds.c.seq)
