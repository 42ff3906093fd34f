"""The table of objectives: what people made of incidents. Times are wall-clock seconds."""

from sqlalchemy import Column, Float, Index, Integer, Table, Text

from tidegate.stores.schema import metadata

incident_reviews = Table(
    "incident_reviews",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("route", Text, nullable=False),
    Column("at_s", Float, nullable=False),
    Column("author", Text, nullable=False),
    Column("postmortem", Text, nullable=False),
    Column("follow_up", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_incident_reviews_route", incident_reviews.c.route, incident_reviews.c.at_s)
