"""`probe` of a target or a provider: synthetic requests that tell whether it can serve."""

from decimal import Decimal
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from tidegate.core.declared_contracts import MAX_CHARS, PatternOfContent, SchemaOfContent
from tidegate.core.declared_scalars import Seconds, Text, Usd
from tidegate.core.probe import OUTPUT_TOKENS, THINKING_OUTPUT_TOKENS, Probe
from tidegate.core.units import format_usd

_PROBE: Final = Probe()


class DeclaredExpect(Struct, frozen=True, omit_defaults=True):
    """What the answer to a probe must be; another counts as a failure of the target."""

    contains: Annotated[
        Text | None, Meta(description="The content holds this text, in capitals or not.")
    ] = None
    regex: PatternOfContent = None
    json: Annotated[bool, Meta(description="The content is one JSON value.")] = False
    json_schema: SchemaOfContent = None
    max_length: Annotated[
        int | None,
        Meta(
            ge=1,
            le=MAX_CHARS,
            extra={"read": "quantity"},
            description="The content is no longer than so many characters.",
        ),
    ] = None


class DeclaredProbe(Struct, frozen=True, omit_defaults=True):
    """A request of the gateway's own, sent to each replica with each credential of the target."""

    every_s: Annotated[
        Seconds,
        Meta(description="From one probe to the next, a tenth more or less; at least a second."),
    ] = _PROBE.every_s
    timeout_s: Annotated[
        Seconds | None,
        Meta(
            description="The whole answer must have come by then. Default: 10 seconds, or "
            "`every_s` where that is less."
        ),
    ] = None
    endpoint: Annotated[
        Literal["chat", "embeddings"], Meta(description="What kind of request it is.")
    ] = _PROBE.endpoint
    prompt: Annotated[Text, Meta(description="What the target is asked.")] = _PROBE.prompt
    system: Annotated[Text | None, Meta(description="Instructions before it. Default: none.")] = (
        None
    )
    max_tokens: Annotated[
        int | None,
        Meta(
            ge=1,
            le=100_000,
            description=f"The longest answer. Default: {OUTPUT_TOKENS}, or "
            f"{THINKING_OUTPUT_TOKENS} of a model that thinks unseen (`hidden_reasoning`).",
        ),
    ] = None
    usd_per_hour: Annotated[
        Usd,
        Meta(
            description="What the probes of a target may cost in an hour, a gateway process; "
            "beyond it none is sent."
        ),
    ] = Decimal(format_usd(_PROBE.nanousd_per_hour))
    expect: Annotated[
        DeclaredExpect | None,
        Meta(description="What the answer must be. Default: anything that is not empty."),
    ] = None
