"""The table of captured turns whose users may still ask again. Times are wall-clock seconds."""

from sqlalchemy import Column, Float, Table, Text

from tidegate.stores.schema import metadata

# One row for each captured request of a known conversation, until it has been looked at.
# `stored_at_s` is when it came here, which may be long after it was said.
turns = Table(
    "captured_turns",
    metadata,
    Column("receipt_id", Text, primary_key=True),
    *(Column(name, Text, nullable=False) for name in ("conversation", "route")),
    *(Column(name, Float, nullable=False) for name in ("at_s", "stored_at_s")),
)
