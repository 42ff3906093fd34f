"""`ladder` of a route in the plan file."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from tidegate.core.declared_route_prompt import DeclaredRoutePrompt
from tidegate.core.declared_scalars import BaseUrl, Name, Prompt, Seconds, Text
from tidegate.core.ladder import FailureWord, QualityWord
from tidegate.core.secret import SecretRef

_Tokens = Annotated[int, Meta(ge=1, le=100_000_000)]
_Turns = Annotated[int, Meta(ge=0, le=10_000)]
MAX_STALE_S = 30 * 86_400.0


class DeclaredWhen(Struct, frozen=True, omit_defaults=True):
    """What leads to a rung: any of it does. Without anything only the lever `ladder_floor` does."""

    failure: Annotated[
        tuple[Literal["any", FailureWord], ...],
        Meta(
            description="What the route itself could not be had for, its retries and fallbacks "
            "included; `any` is all of them. A `timeout` is `unavailable` too."
        ),
    ] = ()
    budget: Annotated[
        int | None,
        Meta(
            ge=1,
            le=100,
            extra={"read": "percent"},
            description="So much of a budget with `degrade: true` is spent or held, or the request "
            "does not fit into what is left of one.",
        ),
    ] = None
    forecast: Annotated[
        int | None,
        Meta(
            ge=1,
            le=1000,
            extra={"read": "percent"},
            description="At the pace so far, so much of a budget with `degrade: true` will be "
            "spent at the end of its period; of one without an end, and in the first twentieth of "
            "a period, nothing is foreseen.",
        ),
    ] = None
    slow_first_token_s: Annotated[
        Seconds | None,
        Meta(description="A stream has no first token for so long after its request came."),
    ] = field(default=None, name="slow_first_token")
    slow_answer_s: Annotated[
        Seconds | None,
        Meta(description="A whole answer is not there for so long after its request came."),
    ] = field(default=None, name="slow_answer")
    quality: Annotated[
        tuple[QualityWord, ...],
        Meta(
            description="What is wrong with an answer of which nothing has been passed on: it "
            "broke the route's contract (`invalid`), held nothing, was cut at its limit of tokens, "
            "or refuses."
        ),
    ] = ()
    pressure: Annotated[
        bool,
        Meta(
            description="The gateway sheds requests of this priority, being short of memory or "
            "processor, or because a change has it so."
        ),
    ] = False


class DeclaredOutput(Struct, frozen=True, omit_defaults=True):
    """A shorter answer."""

    max_tokens: Annotated[_Tokens, Meta(description="The most that an answer has.")]


class DeclaredHistory(Struct, frozen=True, omit_defaults=True):
    """A shorter conversation. A turn is what a user says with all that follows it. The system
    prompt and the last turn always stay, and no tool's call without its result."""

    keep_first_turns: Annotated[
        _Turns, Meta(description="So many at the beginning stay, where others go.")
    ] = 0
    keep_last_turns: Annotated[
        Annotated[int, Meta(ge=1, le=10_000)] | None,
        Meta(description="So many at the end stay. Default: all."),
    ] = None
    max_tokens: Annotated[
        _Tokens | None,
        Meta(description="Then the oldest go until about so many tokens are left. Default: none."),
    ] = None
    tool_results: Annotated[
        Literal["keep", "drop"],
        Meta(
            description="Whether what tools have said stays once the model has answered to it. "
            "Dropped is its text: call and result stay."
        ),
    ] = "keep"
    whitespace: Annotated[
        Literal["keep", "squeeze"],
        Meta(
            description="Whether blanks at the ends of lines, and more than one empty line, stay."
        ),
    ] = "keep"


class DeclaredRungPrompt(Struct, frozen=True, omit_defaults=True):
    """A smaller prompt."""

    template: Annotated[
        DeclaredRoutePrompt | None,
        Meta(
            extra={"shorthand": "name"},
            description="Another prompt in the place of the route's, rendered with those of its "
            "caller's variables that it has.",
        ),
    ] = None
    history: Annotated[
        DeclaredHistory | None, Meta(description="What of the conversation is left.")
    ] = None


class DeclaredHandover(Struct, frozen=True, omit_defaults=True):
    """A person takes over: an address is told, and the caller gets a stated answer."""

    url: Annotated[
        BaseUrl,
        Meta(description="Where it is told, by a POST of JSON that is sent until it is 2xx."),
    ]
    answer: Annotated[Prompt, Meta(description="What the caller is told.")]
    token: Annotated[
        SecretRef | None,
        Meta(
            extra={"read": "secret"},
            description="Where the bearer token that the address wants is found.",
        ),
    ] = None
    conversation: Annotated[
        bool, Meta(description="Whether what was said goes along. Default: only whose and what.")
    ] = False
    ca_file: Annotated[
        str | None,
        Meta(extra={"read": "path"}, description="Certificates (PEM) of a private CA to trust."),
    ] = None


class DeclaredRung(Struct, frozen=True, omit_defaults=True):
    """One rung. It says all that it changes: nothing of the rungs before it holds. `output`,
    `prompt`, `target` and `system_prompt` go together; each of the others stands alone."""

    name: Annotated[Name, Meta(description="What receipts, metrics and answers call it.")]
    when: Annotated[DeclaredWhen, Meta(description="What leads there.")] = DeclaredWhen()
    output: Annotated[DeclaredOutput | None, Meta(description="A shorter answer.")] = None
    prompt: Annotated[DeclaredRungPrompt | None, Meta(description="A smaller prompt.")] = None
    target: Annotated[
        Text | None,
        Meta(
            description="Another model, or the same elsewhere: a name in `targets`, or "
            "`provider/model`. Default: the route's own."
        ),
    ] = None
    system_prompt: Annotated[
        Prompt | None,
        Meta(description="In the place of the route's own: a narrower scope, a stricter form."),
    ] = None
    stale_s: Annotated[
        Annotated[float, Meta(gt=0, le=MAX_STALE_S, extra={"read": "duration"})] | None,
        Meta(
            description="An answer of the exact cache that is no longer fresh, by so much at most."
        ),
    ] = field(default=None, name="stale")
    batch_only: Annotated[
        bool,
        Meta(description="Only requests of priority `batch` are served; others are told so."),
    ] = False
    handover: Annotated[DeclaredHandover | None, Meta(description="A person takes over.")] = None
    apology: Annotated[
        Prompt | None, Meta(description="What the caller is told, as a valid answer.")
    ] = None
