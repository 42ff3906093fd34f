"""`contract` of a route: what its answers must be."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from tidegate.core.plan import Contract
from tidegate.core.resilience import OnViolation

MAX_CHARS: Final = 4_000_000
_CONTRACT: Final = Contract()

# What is asked of any content, an answer's or a probe's.
SchemaOfContent = Annotated[
    str | None,
    Meta(
        extra={"read": "json"},
        description="The content is JSON that fits this JSON Schema, written out here.",
    ),
]
PatternOfContent = Annotated[
    str | None,
    Meta(
        min_length=1,
        max_length=1000,
        description="The content matches this pattern somewhere; `^` and `$` bind it. "
        "No look-around, no back-references.",
    ),
]


class DeclaredContract(Struct, frozen=True, omit_defaults=True):
    """What an answer must be. It is checked as it comes, and what is found is on its receipt."""

    json: Annotated[bool, Meta(description="The content is one JSON value.")] = _CONTRACT.json
    json_schema: SchemaOfContent = None
    tools: Annotated[
        bool,
        Meta(
            description="Calls of tools name a tool of their request, with arguments that fit its "
            "schema."
        ),
    ] = _CONTRACT.tools
    regex: PatternOfContent = None
    max_length: Annotated[
        int | None,
        Meta(
            ge=1,
            le=MAX_CHARS,
            extra={"read": "quantity"},
            description="The content is no longer than so many characters. Default: "
            "1,000,000 where there is a contract.",
        ),
    ] = None
    on_violation: Annotated[
        OnViolation,
        Meta(
            description="`mark` notes it on the receipt and passes the answer on; `retry` asks "
            "once more, with what is wrong shown to the model; `fallback` asks the route's "
            "`fallbacks.malformed`; `fail` gives an error in its place. A stream of which "
            "something is out already ends with an error."
        ),
    ] = _CONTRACT.on_violation
    buffer: Annotated[
        bool,
        Meta(
            description="Hold a stream back until it is known to fit. Not with "
            "`on_violation: mark`."
        ),
    ] = _CONTRACT.buffer
