"""The tables of online quality. Times are wall-clock seconds."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, Table, Text

from tidegate.stores.schema import metadata

# SQLite numbers rows only by a column declared INTEGER.
_RowNumber = BigInteger().with_variant(Integer, "sqlite")

# `core.assessment.Assessment`, each once. `unit` is its place (`core.arm.bucket`) less 2**63.
# `folded` once it is in a block of its release, or when it will never be.
assessments = Table(
    "assessments",
    metadata,
    Column("seq", _RowNumber, primary_key=True, autoincrement=True),
    Column("receipt_id", Text, nullable=False),
    Column("assessed_as", Text, nullable=False),
    Column("is_bad", Boolean),
    Column("at_s", Float, nullable=False),
    Column("started_at_s", Float, nullable=False),
    Column("score", Float),
    *(Column(name, Text, nullable=False) for name in ("judge", "why")),
    Column("cost_nanousd", BigInteger),
    *(Column(name, Text) for name in ("route", "release", "rollout", "arm")),
    Column("unit", BigInteger),
    *(Column(name, Text) for name in ("unit_kind", "prompt", "prompt_version", "model")),
    *(Column(name, Text) for name in ("customer", "end_user")),
    Column("folded", Boolean, nullable=False),
    Column("conversation", Text),
)
Index(
    "ix_assessments_receipt",
    assessments.c.receipt_id,
    assessments.c.assessed_as,
    unique=True,
)
Index("ix_assessments_folded", assessments.c.folded, assessments.c.seq)
Index(
    "ix_assessments_unit",
    *(assessments.c[name] for name in ("rollout", "assessed_as", "unit")),
)
Index("ix_assessments_route", assessments.c.route, assessments.c.started_at_s)

# Routes whose answers should be graded and are not: since when, and why.
ungraded = Table(
    "ungraded_routes",
    metadata,
    Column("route", Text, primary_key=True),
    Column("since_s", Float, nullable=False),
    Column("why", Text, nullable=False),
)
