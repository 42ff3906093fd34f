"""The tables of what moves requests away from the plan file: changes, revisions, and who leads.

Times are wall-clock seconds; lists, mappings and evidence are JSON.
"""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, Table, Text

from tidegate.stores.schema import metadata

# Either `until_s` or `lease_s` is set. A change is in force while `ended_at_s` is NULL and as many
# have approved it as `needs` says. Rows stay: they are the history.
changes = Table(
    "changes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("lever", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("value", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("from_s", Float, nullable=False),
    Column("until_s", Float),
    Column("lease_s", Float),
    Column("epoch", BigInteger, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("needs", Integer, nullable=False),
    Column("ended_at_s", Float),
    Column("ended_by", Text),
    Column("ended_why", Text),
)
_open = changes.c.ended_at_s.is_(None)
Index("ix_changes_open", changes.c.lever, changes.c.scope, sqlite_where=_open)

revisions = Table(
    "revisions",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at_s", Float, nullable=False),
    Column("rollout", Text),
    Column("members", Text, nullable=False),
    Column("base", Text, nullable=False),
    Column("salt", Text),
    Column("epoch", BigInteger, nullable=False),
    Column("evidence", Text, nullable=False),
)
Index("ix_revisions_route", revisions.c.route, revisions.c.seq)

# One row, of the loop. `beat` rises each time that its leader renews what it holds.
leadership = Table(
    "leadership",
    metadata,
    Column("name", Text, primary_key=True),
    Column("node", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("beat", BigInteger, nullable=False),
    Column("taken_at_s", Float, nullable=False),
    Column("renewed_at_s", Float, nullable=False),
)
