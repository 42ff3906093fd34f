"""The table of changes that are to begin later. Times are wall-clock seconds."""

from sqlalchemy import Column, Float, Index, Integer, Table, Text

from tidegate.stores.schema import metadata

# A row stays open until `closed_at_s`. When its change begins, that is a row of `changes` with the
# same id. `approved_by` is a JSON list.
scheduled_changes = Table(
    "scheduled_changes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("lever", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("value", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("from_s", Float, nullable=False),
    Column("until_s", Float, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("needs", Integer, nullable=False),
    Column("anyway", Integer, nullable=False),
    Column("closed_at_s", Float),
    Column("closed_by", Text),
    Column("closed_why", Text),
)
_open = scheduled_changes.c.closed_at_s.is_(None)
Index(
    "ix_scheduled_changes_open",
    scheduled_changes.c.from_s,
    sqlite_where=_open,
)
