"""The table of posts that can be changed. Times are wall-clock seconds, `notices` a JSON list."""

from sqlalchemy import Column, Float, Table, Text

from tidegate.stores.schema import metadata

# One post of each way and thing, in the channel that was `declared` then.
posts = Table(
    "posts",
    metadata,
    Column("way", Text, primary_key=True),
    Column("thing", Text, primary_key=True),
    Column("declared", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("ts", Text, nullable=False),
    Column("at_s", Float, nullable=False),
    Column("notices", Text, nullable=False),
)
