"""`limits` of the plan file."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from tidegate.core.declared_scalars import Dimension, Quantity, Scope, Text

MAX_WINDOW_S = 366 * 86_400.0


class DeclaredLimit(Struct, frozen=True, omit_defaults=True):
    """One limit. Which of the keys below `only` it reads is its kind's; others are refused."""

    kind: Annotated[str, Meta(description="What it counts: a file in `limits/`.")]
    amount: Annotated[
        Quantity, Meta(description="How much is allowed: requests, tokens or calls, by the kind.")
    ]
    scope: Annotated[
        Scope | tuple[Scope, ...],
        Meta(
            description="What has a counter of its own each; several count their combinations. "
            "Default: one counter for everything."
        ),
    ] = ()
    only: Annotated[
        dict[Dimension, Text],
        Meta(description="It holds only for requests with these values. Default: for all."),
    ] = {}
    per_s: Annotated[
        float | None,
        Meta(
            ge=1,
            le=MAX_WINDOW_S,
            extra={"read": "rate_period"},
            description="The time in which `amount` is allowed.",
        ),
    ] = field(default=None, name="per")
    burst: Annotated[
        Quantity | None,
        Meta(description="How much of it at once, after a pause. Default: all of `amount`."),
    ] = None
    count: Annotated[
        Literal["input", "output", "total"] | None,
        Meta(description="Which tokens count. Default: `total`."),
    ] = None
    cached_weight: Annotated[
        float | None,
        Meta(
            ge=0,
            le=1,
            description="What a token read from the provider's cache counts. Default: 1.",
        ),
    ] = None
    on_excess: Annotated[
        Literal["refuse", "cap", "alert"] | None,
        Meta(
            description="What happens beyond it: the request is refused, or cut to what is "
            "allowed, or served and told of. Default: `refuse`."
        ),
    ] = None
