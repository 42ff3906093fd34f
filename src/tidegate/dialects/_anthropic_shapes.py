"""The members of a request in Anthropic's Messages dialect. What is not here is not read, and never
lost unseen (dialects._members)."""

from typing import Any, Literal, final

from msgspec import Raw, Struct

from tidegate.core.conversation import Effort
from tidegate.dialects._members import NULL


class Cache(Struct, gc=False):
    type: Literal["ephemeral"]
    ttl: str | None = None


class Strict(Struct, forbid_unknown_fields=True, tag_field="type"):
    pass


@final
class TextBlock(Strict, tag="text", gc=False):
    text: str
    cache_control: Cache | None = None
    # What an answer's text was drawn from: clients send it back, and it says nothing to a model.
    citations: Raw = Raw(NULL)


class Base64Source(Strict, tag="base64", gc=False):
    media_type: str
    data: str


class UrlSource(Strict, tag="url", gc=False):
    url: str


class FileSource(Strict, tag="file", gc=False):
    file_id: str


class TextSource(Strict, tag="text", gc=False):
    data: str
    media_type: str = "text/plain"


class ContentSource(Strict, tag="content"):
    content: str | list[TextBlock]


class ImageBlock(Strict, tag="image"):
    source: Base64Source | UrlSource | FileSource
    cache_control: Cache | None = None


class Citations(Struct, forbid_unknown_fields=True, gc=False):
    enabled: bool | None = None


class DocumentBlock(Strict, tag="document"):
    source: Base64Source | UrlSource | FileSource | TextSource | ContentSource
    title: str | None = None
    context: str | None = None
    citations: Citations | None = None
    cache_control: Cache | None = None


@final
class ToolUseBlock(Strict, tag="tool_use"):
    id: str
    name: str
    input: Raw
    cache_control: Cache | None = None
    caller: Raw = Raw(NULL)


@final
class ToolResultBlock(Strict, tag="tool_result"):
    tool_use_id: str
    content: str | list[TextBlock | ImageBlock | DocumentBlock] | None = None
    is_error: bool | None = None
    cache_control: Cache | None = None


class ThinkingBlock(Strict, tag="thinking", gc=False):
    thinking: str
    signature: str = ""


class RedactedBlock(Strict, tag="redacted_thinking", gc=False):
    data: str


Block = (
    TextBlock
    | ImageBlock
    | DocumentBlock
    | ToolUseBlock
    | ToolResultBlock
    | ThinkingBlock
    | RedactedBlock
)


class Message(Struct, forbid_unknown_fields=True):
    role: Literal["user", "assistant", "system"]
    content: str | list[Block]


class ToolMembers(Struct, forbid_unknown_fields=True):
    """A tool of the caller's own. One with another `type` is Anthropic's to run."""

    name: str
    type: str | None = None
    description: str | None = None
    input_schema: Raw = Raw(NULL)
    strict: bool | None = None
    cache_control: Cache | None = None
    eager_input_streaming: bool | None = None


class AutoChoice(Strict, tag="auto", gc=False):
    disable_parallel_tool_use: bool | None = None


class AnyChoice(Strict, tag="any", gc=False):
    disable_parallel_tool_use: bool | None = None


class NoChoice(Strict, tag="none", gc=False):
    pass


class NamedChoice(Strict, tag="tool", gc=False):
    name: str
    disable_parallel_tool_use: bool | None = None


Choice = AutoChoice | AnyChoice | NoChoice | NamedChoice


class ThinkingMembers(Struct, forbid_unknown_fields=True, gc=False):
    type: Literal["enabled", "disabled", "adaptive", "between_tools"]
    budget_tokens: int | None = None
    display: Literal["summarized", "omitted"] | None = None


class Format(Struct, forbid_unknown_fields=True):
    type: Literal["json_schema"]
    schema: Raw


class OutputConfig(Struct, forbid_unknown_fields=True):
    effort: Effort | None = None
    format: Format | None = None


class Metadata(Struct, forbid_unknown_fields=True, gc=False):
    user_id: str | None = None


class Body(Struct):
    messages: list[Message]
    model: Any = None
    max_tokens: Any = None
    stream: Any = None
    system: str | list[TextBlock] | None = None
    metadata: Metadata | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    tools: list[ToolMembers] | None = None
    tool_choice: Choice | None = None
    thinking: ThinkingMembers | None = None
    output_config: OutputConfig | None = None
    output_format: Format | None = None
    service_tier: str | None = None
    cache_control: Cache | None = None
