"""The tables of what is found of kept answers. Times are wall-clock seconds."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, Table, Text

from tidegate.stores.schema import metadata

# `core.judged_hit.JudgedHit`, each once. `score_bin` is `core.judged_hit.score_bin`.
judged_hits = Table(
    "judged_hits",
    metadata,
    Column("receipt_id", Text, primary_key=True),
    Column("assessed_as", Text, primary_key=True),
    *(Column(name, Text, nullable=False) for name in ("route", "tier")),
    Column("is_bad", Boolean),
    *(Column(name, Float, nullable=False) for name in ("at_s", "started_at_s")),
    Column("given", Boolean, nullable=False),
    Column("score", Float),
    Column("score_bin", Integer),
    *(Column(name, Text) for name in ("veto", "compared_by")),
    Column("is_same", Boolean),
    Column("decides", Boolean, nullable=False),
    *(Column(name, Text, nullable=False) for name in ("judge", "why")),
    Column("cost_nanousd", BigInteger),
    *(Column(name, Text) for name in ("kept_from", "release", "prompt_version", "model")),
    *(Column(name, Text) for name in ("customer", "end_user")),
)
Index("ix_judged_hits_route", judged_hits.c.route, judged_hits.c.started_at_s)

# How many kept answers were captured, those that would have been given too, by the hour in which
# they were asked for: what the judged ones are a sample of. `score_bin` -1: there is no score.
captured_hits = Table(
    "captured_hits",
    metadata,
    *(Column(name, Text, primary_key=True) for name in ("route", "tier")),
    Column("hour_s", BigInteger, primary_key=True),
    Column("score_bin", Integer, primary_key=True),
    Column("given", Boolean, primary_key=True),
    Column("vetoed", Boolean, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

# Routes whose kept answers should be judged and are not: since when, and why.
unjudged = Table(
    "unjudged_hits",
    metadata,
    Column("route", Text, primary_key=True),
    Column("since_s", Float, nullable=False),
    Column("why", Text, nullable=False),
)
