"""`storage` of the plan file."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from tidegate.core.database_ref import DatabaseRef
from tidegate.core.declared_scalars import Size
from tidegate.core.plan import JournalBounds

_JOURNAL = JournalBounds()


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
