"""`batch` of a target: files of requests that its provider answers within a day."""

from typing import Annotated

from msgspec import Meta, Struct

from tidegate.core.batches import MAX_LINES


class DeclaredBatch(Struct, frozen=True, omit_defaults=True):
    """Files of requests (`/v1/files`, `/v1/batches`) that the target's provider takes. What a line
    costs is the price's `service_tiers.batch`, where that is written, else a share of the price."""

    price_share: Annotated[
        float | None,
        Meta(
            gt=0,
            le=1,
            extra={"read": "share"},
            description="What a line costs, of what the same request costs at once, as in 50%. "
            "Default: what the provider's kind is known for, else 100%.",
        ),
    ] = None
    max_lines: Annotated[
        int, Meta(ge=1, le=1_000_000, description="The most lines of one file.")
    ] = MAX_LINES
