"""The common middle of the dialects, requests: what any caller may say to any target.

A caller's dialect reads its bytes into a Conversation, a provider writes one in its own wire. Same
dialect in and out never comes here. What the middle has no word for stays in `unread` under the
caller's own name, so that a provider refuses it or leaves it out by that name. What a model has
written and will read again (arguments, signatures, sealed reasoning) is kept to the byte.
"""

from collections.abc import Mapping
from typing import Final, Literal, final

from msgspec import Raw, Struct

from tidegate.core.setters import plain_setters

# Whose model sealed or signed a piece of reasoning: nobody else's can read it. Claude's is its
# maker's wherever it is served; of Bedrock's other models it is Bedrock's.
Wire = Literal["anthropic", "openai_responses", "gemini", "bedrock"]
Effort = Literal["minimal", "low", "medium", "high", "xhigh", "max"]
Role = Literal["user", "assistant", "system"]


class CacheMark(Struct, frozen=True, gc=False):
    """A caller's wish that the prompt up to here be cached; `ttl` as its wire writes it: `1h`."""

    ttl: str | None = None


@final
class Text(Struct, frozen=True, gc=False):
    text: str
    cache: CacheMark | None = None


class Image(Struct, frozen=True, gc=False):
    """One of `data` (base64, with its `media_type`), `url` and `file_id` is there."""

    data: str | None = None
    media_type: str | None = None
    url: str | None = None
    file_id: str | None = None
    detail: str | None = None
    cache: CacheMark | None = None


class Document(Struct, frozen=True, gc=False):
    """One of `data` (base64, with its `media_type`), `url`, `text` and `file_id` is there."""

    data: str | None = None
    media_type: str | None = None
    url: str | None = None
    text: str | None = None
    file_id: str | None = None
    title: str | None = None
    context: str | None = None
    cache: CacheMark | None = None


@final
class ToolCall(Struct, frozen=True, gc=False):
    """`arguments` is the JSON text that the model wrote, whether or not it is JSON. A `signature`
    is `wire`'s proof of the reasoning that led to the call."""

    id: str
    name: str
    arguments: str
    signature: str | None = None
    wire: Wire | None = None
    cache: CacheMark | None = None


@final
class ToolResult(Struct, frozen=True):
    call_id: str
    parts: "tuple[Text | Image | Document, ...]" = ()
    is_error: bool = False
    cache: CacheMark | None = None


class Reasoning(Struct, frozen=True, gc=False):
    """What a model thought: shown as `text`, or `sealed` (encrypted) so that only `wire`'s models
    read it. `signature` is `wire`'s proof of the text; without it only a reader understands it.
    `id` is the item's own name on wires that name it."""

    text: str = ""
    signature: str | None = None
    sealed: str | None = None
    wire: Wire | None = None
    id: str | None = None


class Refused(Struct, frozen=True, gc=False):
    """What a model said instead of an answer."""

    text: str


Part = Text | Image | Document | ToolCall | ToolResult | Reasoning | Refused


class Turn(Struct, frozen=True):
    """`system` is an instruction that stands in the middle of the conversation."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None


class Tool(Struct, frozen=True, gc=False):
    """A function that the model may call. `schema` is the JSON Schema of its arguments as it came,
    None where the caller gave none."""

    name: str
    description: str | None = None
    schema: Raw | None = None
    strict: bool | None = None
    cache: CacheMark | None = None


class ToolChoice(Struct, frozen=True, gc=False):
    """`any`: some tool must be called; `named`: this one."""

    mode: Literal["auto", "none", "any", "named"]
    name: str | None = None


class Output(Struct, frozen=True, gc=False):
    """The answer's form: any JSON object where `schema` is None, otherwise one of that schema."""

    schema: Raw | None = None
    name: str | None = None
    description: str | None = None
    strict: bool | None = None


class Thinking(Struct, frozen=True, gc=False):
    """How much the model is to think before it answers. With neither effort nor budget the model
    decides. `shown` False: the caller does not want to read it. `enabled` None: only an effort is
    told, which to Claude is one of all that it writes and no wish to think."""

    enabled: bool | None = True
    effort: Effort | None = None
    budget_tokens: int | None = None
    shown: bool | None = None


@plain_setters
class Conversation(Struct):
    """One request, in no dialect. `names` are the caller's names of these members, where they
    differ: what a refusal names. `ceiling_tokens` is for each choice."""

    turns: list[Turn]
    instructions: list[Text] = []
    tools: list[Tool] = []
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    output: Output | None = None
    ceiling_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    stop: list[str] = []
    seed: int | None = None
    choices: int = 1
    thinking: Thinking | None = None
    end_user: str | None = None
    metadata: dict[str, str] = {}
    service_tier: str | None = None
    cache: CacheMark | None = None
    stream: bool = False
    unread: dict[str, Raw] = {}
    names: Mapping[str, str] = {}


# Members that change no answer: left out and named even where others would be refused.
HINTS: Final = frozenset(
    {"prompt_cache_key", "prompt_cache_retention", "safety_identifier", "metadata", "cache"}
    | {"reasoning", "diagnostics", "detail", "is_error", "end_user", "title", "store"}
)
