"""`routes` of the plan file."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from tidegate.core.declared_cache import DeclaredCache
from tidegate.core.declared_capture import DeclaredCapture
from tidegate.core.declared_contracts import DeclaredContract
from tidegate.core.declared_ladder import DeclaredRung
from tidegate.core.declared_objectives import DeclaredSlo
from tidegate.core.declared_quality import DeclaredQuality
from tidegate.core.declared_route_prompt import DeclaredRoutePrompt
from tidegate.core.declared_scalars import Prompt, Seconds, Text, Usd
from tidegate.core.declared_targets import DeclaredTarget
from tidegate.core.plan import PrefixTtl
from tidegate.core.resilience import FAILURE_CLASSES, Balance, Retry
from tidegate.core.units import format_usd

_RETRY: Final = Retry()
_Names = tuple[Text, ...]
Weight = Annotated[float, Meta(ge=0.001, le=1_000_000)]


class DeclaredFallbacks(Struct, frozen=True, omit_defaults=True):
    """Other targets, in order, by what went wrong; each is a name or `provider/model`."""

    unavailable: Annotated[
        _Names, Meta(description="Down, unreachable, silent for too long, or cut off.")
    ] = ()
    rate_limited: Annotated[_Names, Meta(description="It takes no more of us for now.")] = ()
    overflow: Annotated[
        _Names, Meta(description="The prompt is too long for it: targets with a larger context.")
    ] = ()
    malformed: Annotated[_Names, Meta(description="Its answer is none.")] = ()
    refused_by_safety: Annotated[
        _Names, Meta(description="The provider's content filter said no.")
    ] = ()


class DeclaredRetry(Struct, frozen=True, omit_defaults=True):
    """How often a request that failed is sent again, before the first token of its answer."""

    attempts: Annotated[
        int, Meta(ge=1, le=10, description="Attempts at one target, the first included.")
    ] = _RETRY.attempts
    base_s: Annotated[
        Seconds,
        Meta(description="The longest pause before the second attempt; doubled for each after it."),
    ] = _RETRY.base_s
    cap_s: Annotated[Seconds, Meta(description="The longest pause.")] = _RETRY.cap_s
    retry_after_cap_s: Annotated[
        Seconds,
        Meta(description="A target that asks to be left alone for longer is not tried again."),
    ] = _RETRY.retry_after_cap_s
    budget_percent: Annotated[
        int,
        Meta(
            ge=0,
            le=1000,
            description="Of a hundred requests of a minute, so many may be sent once more, to "
            "whichever target.",
        ),
    ] = _RETRY.budget_percent
    budget_least: Annotated[
        int,
        Meta(ge=0, le=100_000, description="So many a minute in any case, for little traffic."),
    ] = _RETRY.budget_least
    wasted_usd_per_hour: Annotated[
        Usd,
        Meta(description="What failed attempts may cost in an hour before none is made again."),
    ] = Decimal(format_usd(_RETRY.wasted_nanousd_per_hour))


class DeclaredRoute(Struct, frozen=True, omit_defaults=True):
    """What an application calls (the API's `model`).

    A plain text stands for its `target`.
    """

    target: Annotated[
        Text | DeclaredTarget | None,
        Meta(
            description="A name in `targets`, `provider/model` (split at the first slash), or a "
            "target written out here. This or `targets` is required."
        ),
    ] = None
    targets: Annotated[
        dict[Text, Weight],
        Meta(
            description="Several targets that share the requests, each with its weight: names in "
            "`targets`, or `provider/model`."
        ),
    ] = {}
    balance: Annotated[
        Balance, Meta(description="How `targets` share the requests. Default: by their weights.")
    ] = "weighted"
    fallbacks: Annotated[
        DeclaredFallbacks, Meta(description="What else is asked when these have failed.")
    ] = DeclaredFallbacks()
    retry: Annotated[
        DeclaredRetry, Meta(description="How often a failed request is sent again.")
    ] = DeclaredRetry()
    unsupported: Annotated[
        Literal["refuse", "drop"],
        Meta(
            description="What becomes of a request that asks for something which its target's API "
            "has no place for: refused, or served without it, named in the header "
            "`x-tidegate-dropped` and on the receipt. Bounds on tokens are never left out."
        ),
    ] = "refuse"
    contract: Annotated[
        DeclaredContract | None,
        Meta(description="What the answers must be. Default: nothing is asked of them."),
    ] = None
    slo: Annotated[
        DeclaredSlo | None,
        Meta(
            extra={"shorthand": "preset"},
            description="What share of its requests is to be good. Default: nobody minds.",
        ),
    ] = None

    parameters: Annotated[
        str | None,
        Meta(
            extra={"read": "json"},
            description="Members of a request's body, such as `{temperature: 0.2}`, that it has "
            "unless its caller has said otherwise, by their names in OpenAI's chat completions. "
            "What a caller's API has no place for is left out. Chats only.",
        ),
    ] = None
    system_prompt: Annotated[
        Prompt | None,
        Meta(
            description="What the model is told before the conversation, ahead of the caller's own "
            "system prompt. Chats only."
        ),
    ] = None
    prompt: Annotated[
        DeclaredRoutePrompt | None,
        Meta(
            extra={"shorthand": "name"},
            description="The prompt that its models are asked by. Chats only.",
        ),
    ] = None
    prefix_marks: Annotated[
        PrefixTtl | None,
        Meta(
            description="Mark the end of tools and of the system prompt for Claude's cache, which "
            "keeps them for so long, where the caller marks nothing. Writes to it cost more than "
            "plain input. Default: not."
        ),
    ] = None
    capture: Annotated[
        DeclaredCapture | None,
        Meta(
            extra={"shorthand": "share"},
            description="Which requests are kept with what was said. Default: none.",
        ),
    ] = None
    cache: Annotated[
        DeclaredCache | None,
        Meta(description="Which answers are kept to be given again. Default: none."),
    ] = None
    ladder: Annotated[
        tuple[DeclaredRung, ...],
        Meta(
            description="What serves instead when the route itself cannot, each rung a step "
            "further down. Chats only. Default: nothing."
        ),
    ] = ()
    quality: Annotated[
        DeclaredQuality | None,
        Meta(
            description="What captured answers are graded by in the background. Default: nothing."
        ),
    ] = None

    def wanted(self) -> Iterator[tuple[tuple[str, ...], str | DeclaredTarget]]:
        """Every target that it names or writes out, with the path to it from the route."""
        if self.target is not None:
            yield ("target",), self.target
        for name in self.targets:
            yield ("targets", name), name
        for failure in FAILURE_CLASSES:
            for index, name in enumerate(getattr(self.fallbacks, failure)):
                yield ("fallbacks", failure, str(index)), name
        for index, rung in enumerate(self.ladder):
            if rung.target is not None:
                yield ("ladder", str(index), "target"), rung.target
