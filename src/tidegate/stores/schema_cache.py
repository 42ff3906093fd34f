"""The table of what tiers of caches come to (`core.cache_worth`), by five minutes and by the hour.

Times are wall-clock seconds at which a span begins. Rows of several recorders are added up by who
reads them. Histograms are as `signal_rows` packs them.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from tidegate.core.cache_worth import SUMS
from tidegate.stores.schema import metadata

cache_sums = Table(
    "cache_sums",
    metadata,
    Column("span_s", Integer, primary_key=True),
    Column("start_s", BigInteger, primary_key=True),
    *(Column(name, Text, primary_key=True) for name in ("route", "tier", "team", "node")),
    *(Column(name, BigInteger, nullable=False) for name in SUMS),
    Column("hit_s", LargeBinary),
    Column("miss_s", LargeBinary),
    sqlite_with_rowid=False,
)
Index("ix_cache_sums_route", cache_sums.c.route, cache_sums.c.span_s, cache_sums.c.start_s)
