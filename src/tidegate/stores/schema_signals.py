"""The tables of signals and of releases' blocks, and how far receipts are in them.

Times are wall-clock seconds at which a span begins, money is integer nano-dollars. Rows of several
recorders are added up by who reads them. Histograms and `detail` are MessagePack.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
)

from tidegate.core.bin import COUNTS, HISTOGRAMS
from tidegate.stores.schema import metadata

# Those that rows of an older program lack.
_FIRST: Final = {name: "0" for name in COUNTS if name.startswith(("turn_time_", "prefix_"))}


def _key() -> tuple[Column[Any], ...]:
    return (
        Column("span_s", Integer, primary_key=True),
        Column("scope", Integer, primary_key=True),
        Column("start_s", BigInteger, primary_key=True),
        Column("node", Text, primary_key=True),
    )


# Whose signals: rows name it by its number.
signal_scopes = Table(
    "signal_scopes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("route", Text, nullable=False),
    Column("arm", Text, nullable=False),
    Column("release", Text, nullable=False),
    Column("target", Text, nullable=False),
)
Index(
    "ix_signal_scopes",
    *(signal_scopes.c[name] for name in ("route", "arm", "release", "target")),
    unique=True,
)

# What receipts add up to, by minute, hour, day and week (`span_s`). `changed` rises with each time
# that rows are added to, so that a reader asks for what is new.
signals = Table(
    "signals",
    metadata,
    *_key(),
    Column("changed", BigInteger, nullable=False),
    *(Column(name, BigInteger, nullable=False, server_default=_FIRST.get(name)) for name in COUNTS),
    sqlite_with_rowid=False,
)
Index("ix_signals_start", signals.c.span_s, signals.c.start_s)
Index("ix_signals_changed", signals.c.span_s, signals.c.changed)

# What belongs to each row of `signals` and is longer than it: apart, so that sums over many rows
# need not pass over it.
signal_details = Table(
    "signal_details",
    metadata,
    *_key(),
    *(Column(f"{name}_histogram", LargeBinary) for name in HISTOGRAMS),
    Column("detail", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_signal_details_start", signal_details.c.span_s, signal_details.c.start_s)

# Up to which receipt (`seq`) each recorder's are in `signals` and `release_blocks`, and the newest
# number of `signals.changed`.
signal_marks = Table(
    "signal_marks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

# What arms of a release did between two looks, by the receipts of this recorder after `after_seq`
# up to `upto_seq`.
release_blocks = Table(
    "release_blocks",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("rollout", Text, nullable=False),
    Column("node", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("began_s", Float, nullable=False),
    Column("ended_s", Float, nullable=False),
    Column("after_seq", BigInteger, nullable=False),
    Column("upto_seq", BigInteger, nullable=False),
    Column("weight", Float),
    Column("payload", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_release_blocks", release_blocks.c.rollout, release_blocks.c.seq)
Index("ix_release_blocks_number", release_blocks.c.rollout, release_blocks.c.number, unique=True)
