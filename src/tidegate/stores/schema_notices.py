"""The tables of what people are told. Times are wall-clock seconds; matchers are JSON."""

from sqlalchemy import Column, Float, Index, Integer, Table, Text

from tidegate.stores.schema import metadata

# Ids are in the order of time. `routed_at_s` NULL: which ways it goes is not decided yet.
# `closed_at_s`: since then nobody needs to be told of its end.
notices = Table(
    "notices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at_s", Float, nullable=False),
    Column("route", Text),
    Column("resolved_at_s", Float),
    Column("resolution", Text),
    Column("until_s", Float),
    Column("routed_at_s", Float),
    Column("silenced_by", Text),
    Column("closed_at_s", Float),
)
# Of two that note the same key, one succeeds.
_open = notices.c.resolved_at_s.is_(None)
Index("ix_notices_open", notices.c.key, unique=True, sqlite_where=_open)
_unrouted = notices.c.routed_at_s.is_(None)
Index("ix_notices_unrouted", notices.c.id, sqlite_where=_unrouted)
_ends = notices.c.resolved_at_s.is_not(None) & notices.c.closed_at_s.is_(None)
Index("ix_notices_ended", notices.c.id, sqlite_where=_ends)
_lapses = notices.c.until_s.is_not(None) & notices.c.resolved_at_s.is_(None)
Index("ix_notices_until", notices.c.until_s, sqlite_where=_lapses)

# One message each. `ends` is the delivery whose notices are resolved; at most one ends it.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("way", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("ends", Text),
    Column("at_s", Float, nullable=False),
    Column("due_at_s", Float, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("error", Text),
    Column("ended_at_s", Float),
)
Index("ix_deliveries_ends", deliveries.c.ends, unique=True)
Index("ix_deliveries_way", deliveries.c.way, deliveries.c.at_s)
_under_way = deliveries.c.ended_at_s.is_(None)
Index("ix_deliveries_due", deliveries.c.way, sqlite_where=_under_way)

# Which ways a notice goes; `delivery` NULL: in no message yet.
notice_ways = Table(
    "notice_ways",
    metadata,
    Column("notice", Text, primary_key=True),
    Column("way", Text, primary_key=True),
    Column("delivery", Text),
)
_waiting = notice_ways.c.delivery.is_(None)
Index(
    "ix_notice_ways_waiting",
    notice_ways.c.way,
    notice_ways.c.notice,
    sqlite_where=_waiting,
)
Index("ix_notice_ways_delivery", notice_ways.c.delivery)

# Rows stay when a silence is over: what was held back, and by whom, is history.
silences = Table(
    "silences",
    metadata,
    Column("id", Text, primary_key=True),
    Column("matchers", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("at_s", Float, nullable=False),
    Column("until_s", Float, nullable=False),
    Column("ended_at_s", Float),
)
