"""`storage` of the plan file."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from tidegate.core.database_ref import (
    CountersMode,
    CountersRef,
    CounterStore,
    DatabaseRef,
    VectorsRef,
)
from tidegate.core.declared_scalars import Size
from tidegate.core.plan import JournalBounds

_JOURNAL = JournalBounds()


class DeclaredCounters(Struct, frozen=True, omit_defaults=True):
    """Redis 7 or Valkey, which counts limits and budgets for several gateways."""

    url: Annotated[
        CountersRef,
        Meta(
            extra={"read": "counters"},
            description="`redis://`, `rediss://` (TLS) or `unix://`, with a password as "
            "`redis://:${PASSWORD}@host`; or `${NAME}` or `file:/path` for the whole address.",
        ),
    ]
    mode: Annotated[
        CountersMode,
        Meta(
            description="`slice`: each gateway takes a hundredth of a limit at a time. `exact`: "
            "each request asks, and no limit is ever passed."
        ),
    ] = "slice"

    def store(self) -> CounterStore:
        """As the plan has it."""
        return CounterStore(self.mode, self.url.env, self.url.file, self.url.url)


class DeclaredStorage(Struct, frozen=True, omit_defaults=True):
    """Where receipts, keys and journals lie, and for how long."""

    dir: Annotated[
        str,
        Meta(
            extra={"read": "path"},
            description="The state directory; a relative path counts from the plan file.",
        ),
    ] = ".tidegate"
    database: Annotated[
        DatabaseRef | None,
        Meta(
            extra={"read": "database"},
            description="PostgreSQL in place of a file in `dir`, for several machines: "
            "`postgresql://user:${PASSWORD}@host/database`, or `${NAME}` or `file:/path` for the "
            "whole address. Read at the start.",
        ),
    ] = None
    limits: Annotated[
        DeclaredCounters | None,
        Meta(description="Where limits and budgets are counted for several gateway processes."),
    ] = None
    vectors: Annotated[
        VectorsRef | None,
        Meta(
            extra={"read": "vectors"},
            description="Where the vectors of `cache.semantic` with `store: shared` are: "
            "`redis://`, `rediss://` or `unix://` (Redis 8, Redis Stack, or Valkey with search), "
            "`postgresql://` (pgvector) or `http://`, `https://` (Qdrant, whose key is written as "
            "`https://:${KEY}@host`); or `${NAME}` or `file:/path` for the whole address. Default: "
            "the Redis of `limits`, which has to have search.",
        ),
    ] = None
    retention_days: Annotated[
        int, Meta(ge=1, le=3660, description="Days that receipts stay in the ledger.")
    ] = 90
    durability: Annotated[
        Literal["process", "disk", "store"],
        Meta(
            description="What an answer's last byte waits for: `process` (the journal write, "
            "safe against kill -9), `disk` (fsync), `store` (the ledger)."
        ),
    ] = _JOURNAL.durability
    journal_max_bytes: Annotated[
        Size,
        Meta(description="Journal size, a gateway, at which new paid work is refused."),
    ] = field(default=_JOURNAL.max_bytes, name="journal_max")
    segment_bytes: Annotated[Size, Meta(le=1 << 30, description="Size of one journal segment.")] = (
        field(default=_JOURNAL.segment_bytes, name="segment")
    )
