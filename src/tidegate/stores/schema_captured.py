"""The tables of what was said: captured requests, feedback, and what was deleted. Times are
wall-clock seconds."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, Table, Text

from tidegate.stores.schema import metadata

# SQLite numbers rows only by a column declared INTEGER.
_RowNumber = BigInteger().with_variant(Integer, "sqlite")

# `core.capture.Captured`; `messages` and `calls` are JSON, `redacted` and `kept` too.
captured = Table(
    "captured",
    metadata,
    Column("receipt_id", Text, primary_key=True),
    Column("at_s", Float, nullable=False),
    Column("until_s", Float, nullable=False),
    *(Column(name, Text) for name in ("key_id", "team", "customer", "end_user")),
    Column("route", Text, nullable=False),
    *(Column(name, Text) for name in ("release", "arm", "prompt", "prompt_version")),
    *(Column(name, Text) for name in ("target", "model")),
    *(Column(name, Text, nullable=False) for name in ("purpose", "messages", "answer", "calls")),
    Column("cut", Boolean, nullable=False),
    Column("shortened", Boolean, nullable=False),
    Column("redacted", Text, nullable=False),
    Column("tools", Text),
    Column("conversation", Text),
    *(Column(name, Text) for name in ("cache", "cache_tier", "cache_from", "cache_veto")),
    *(Column(name, Text) for name in ("compared_by", "kept")),
    Column("cache_score", Float),
)
Index("ix_captured_conversation", captured.c.conversation, captured.c.receipt_id)
Index("ix_captured_route", captured.c.route, captured.c.receipt_id)
Index("ix_captured_customer", captured.c.customer)
Index("ix_captured_until", captured.c.until_s)

# `core.feedback.Feedback`. While `matched` is false nobody knows yet whether the key made that
# request; what comes after it is its receipt's.
feedback = Table(
    "feedback",
    metadata,
    Column("receipt_id", Text, primary_key=True),
    Column("key_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("at_s", Float, nullable=False),
    *(Column(name, Text) for name in ("team", "customer")),
    Column("rating", Float),
    Column("comment", Text),
    Column("tags", Text, nullable=False),
    Column("matched", Boolean, nullable=False),
    Column("started_at_s", Float),
    *(Column(name, Text) for name in ("end_user", "route", "release", "arm")),
    *(Column(name, Text) for name in ("prompt", "prompt_version", "target", "model")),
    Column("cache_tier", Text),
)
Index("ix_feedback_at", feedback.c.matched, feedback.c.at_s)
Index("ix_feedback_customer", feedback.c.customer)

# What is not to be kept any more, also where it comes from a spool later: what was said before
# `before_s`, of this customer or end user where one is named.
deletions = Table(
    "captured_deletions",
    metadata,
    Column("seq", _RowNumber, primary_key=True, autoincrement=True),
    Column("customer", Text),
    Column("end_user", Text),
    Column("before_s", Float, nullable=False),
    Column("at_s", Float, nullable=False),
)
