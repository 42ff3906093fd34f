"""The tables of releases and of what the loop decides.

Times are wall-clock seconds. What was seen and proposed is JSON, because releases carry members of
the plan file as it; memories are bytes of their controller. `active_s` counts only while a loop
works.
"""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, Table, Text

from tidegate.stores.schema import metadata

# SQLite numbers rows only by a column declared INTEGER.
_RowNumber = BigInteger().with_variant(Integer, "sqlite")

# `state` and what is beside it are what the newest decision came to, for those who list them.
# `ended_at_s` NULL: the loop has it in its hands. `problem`: why the plan did not take a revision.
rollouts = Table(
    "rollouts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("route", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("rollout", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("created_at_s", Float, nullable=False),
    Column("state", Text, nullable=False),
    Column("step", Integer, nullable=False),
    Column("why", Text, nullable=False),
    Column("since_s", Float, nullable=False),
    Column("ended_at_s", Float),
    Column("problem", Text),
    Column("problem_at_s", Float),
)
_open = rollouts.c.ended_at_s.is_(None)
Index("ix_rollouts_open", rollouts.c.route, sqlite_where=_open)

# What people ask of a release, in the order in which they did.
rollout_wishes = Table(
    "rollout_wishes",
    metadata,
    Column("seq", _RowNumber, primary_key=True, autoincrement=True),
    Column("rollout", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at_s", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("gate", Text),
    sqlite_autoincrement=True,
)
Index("ix_rollout_wishes_rollout", rollout_wishes.c.rollout, rollout_wishes.c.seq)

# Every state that a release came to, and why: its time line.
rollout_moves = Table(
    "rollout_moves",
    metadata,
    Column("seq", _RowNumber, primary_key=True, autoincrement=True),
    Column("rollout", Text, nullable=False),
    Column("at_s", Float, nullable=False),
    Column("state", Text, nullable=False),
    Column("step", Integer, nullable=False),
    Column("why", Text, nullable=False),
    Column("decision", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_rollout_moves_rollout", rollout_moves.c.rollout, rollout_moves.c.seq)

# What each controller remembers of each subject, as its newest decision left it.
memories = Table(
    "memories",
    metadata,
    Column("controller", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("memory", LargeBinary, nullable=False),
    Column("decision", BigInteger, nullable=False),
    Column("at_s", Float, nullable=False),
)

# A decision that something new led to. `memory` is what was known before it, now and then; it
# follows from there for those between. What was seen of blocks is kept with the blocks.
decisions = Table(
    "decisions",
    metadata,
    Column("seq", _RowNumber, primary_key=True, autoincrement=True),
    Column("controller", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("at_s", Float, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("view", Text, nullable=False),
    Column("memory", LargeBinary),
    Column("proposals", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_decisions_subject", decisions.c.controller, decisions.c.subject, decisions.c.seq)
Index("ix_decisions_at", decisions.c.at_s)

# One row: how long loops have worked, all leaders together.
loop_time = Table(
    "loop_time",
    metadata,
    Column("name", Text, primary_key=True),
    Column("active_s", Float, nullable=False),
)
