"""The tables of judges: what they were found to say of anchors. Times are wall-clock seconds."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, Table, Text

from tidegate.stores.schema import metadata

# Each judge that was held against people, by its digest, as it was the last time, and how it has
# kept to that since: `sum_now` is that of `stats.cusum` with its reference and limit. `figures` and
# `bridge` are JSON. With `alarm_since_s` it decides nothing, and `alarm` says why.
judges = Table(
    "judges",
    metadata,
    Column("judge", Text, primary_key=True),
    *(Column(name, Text, nullable=False) for name in ("route", "name", "model")),
    Column("generation", Integer, nullable=False),
    Column("calibrated_at_s", Float, nullable=False),
    Column("expires_at_s", Float, nullable=False),
    Column("author", Text, nullable=False),
    Column("is_calibrated", Boolean, nullable=False),
    Column("anchors", Integer, nullable=False),
    Column("anchors_digest", Text, nullable=False),
    *(Column(name, Integer, nullable=False) for name in ("errors", "known", "agreed")),
    *(Column(name, Float) for name in ("kappa", "kappa_low", "kappa_high")),
    *(Column(name, Text, nullable=False) for name in ("figures", "bridge")),
    *(Column(name, Float) for name in ("reference", "sum_limit")),
    Column("sum_now", Float, nullable=False),
    Column("looked_week", Integer),
    Column("looked_at_s", Float),
    Column("alarm_since_s", Float),
    Column("alarm", Text, nullable=False),
)

# What a judge said of an anchor, once for each time that it was asked; `passes` NULL where it gave
# no verdict. Nothing of its words is kept. `occasion` is a calibration or a week.
judge_scores = Table(
    "judge_scores",
    metadata,
    *(Column(name, Text, primary_key=True) for name in ("judge", "occasion", "anchor")),
    Column("turn", Integer, primary_key=True),
    Column("passes", Boolean),
    Column("agrees", Boolean),
    Column("score", Float),
    Column("at_s", Float, nullable=False),
)
Index("ix_judge_scores_at", judge_scores.c.at_s)

# Weekly looks at a judge, each once.
judge_looks = Table(
    "judge_looks",
    metadata,
    Column("judge", Text, primary_key=True),
    *(Column(name, Integer, primary_key=True) for name in ("generation", "week")),
    Column("at_s", Float, nullable=False),
    *(Column(name, Integer, nullable=False) for name in ("asked", "known", "agreed")),
    Column("sum_now", Float, nullable=False),
    Column("is_over", Boolean, nullable=False),
)

# Where a plan has a judge look: a route that is asked by a check's prompt with parameters, whoever
# answers there. `judge` is who did last, since `changed_at_s`, and `earlier` who did before.
judge_seats = Table(
    "judge_seats",
    metadata,
    Column("seat", Text, primary_key=True),
    *(Column(name, Text, nullable=False) for name in ("route", "name", "used_by")),
    *(Column(name, Text, nullable=False) for name in ("judge", "model", "earlier")),
    Column("changed_at_s", Float),
    Column("at_s", Float, nullable=False),
    Column("to_ask", BigInteger),
    Column("problem", Text, nullable=False),
)
