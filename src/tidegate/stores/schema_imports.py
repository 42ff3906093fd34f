"""The tables of what came from another gateway."""

from sqlalchemy import BigInteger, Column, Float, Table, Text

from tidegate.stores.schema import metadata

# What one budget's scope had spent elsewhere when it was imported: `dimensions` and `scope` are of
# `spending.opening_of`. It counts in the period that holds `at_s`.
openings = Table(
    "openings",
    metadata,
    Column("dimensions", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("at_s", Float, nullable=False),
    Column("nanousd", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
)

# JSON of what was imported as it was there, and of what it became here, so that a second import
# sees what has changed since on either side.
imported = Table(
    "imported",
    metadata,
    Column("source", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("theirs", Text, nullable=False),
    Column("ours", Text, nullable=False),
    Column("at_s", Float, nullable=False),
)
