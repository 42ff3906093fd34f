"""The members of a request in OpenAI's chat dialect. What is not here is not read, and never lost
unseen (dialects._members)."""

from typing import Any, Literal, final

from msgspec import Raw, Struct

from tidegate.core.conversation import Effort
from tidegate.dialects._carriers import Detail
from tidegate.dialects._members import NULL


class Cache(Struct, gc=False):
    type: Literal["ephemeral"]
    ttl: str | None = None


class Strict(Struct, forbid_unknown_fields=True, tag_field="type", gc=False):
    pass


class TextPart(Strict, tag="text"):
    text: str
    cache_control: Cache | None = None


class RefusalPart(Strict, tag="refusal"):
    refusal: str


class ImageUrl(Struct, forbid_unknown_fields=True, gc=False):
    url: str
    detail: str | None = None


class ImagePart(Strict, tag="image_url"):
    image_url: ImageUrl
    cache_control: Cache | None = None


class FileMembers(Struct, forbid_unknown_fields=True, gc=False):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FilePart(Strict, tag="file"):
    file: FileMembers
    cache_control: Cache | None = None


class FunctionCall(Struct, forbid_unknown_fields=True, gc=False):
    name: str
    arguments: str = ""
    # Put there by OpenAI's own client where it has read the arguments.
    parsed_arguments: Raw = Raw(NULL)


class Call(Strict, tag="function"):
    id: str
    function: FunctionCall
    # Written by clients that keep what a stream told them; an index says nothing any more.
    index: int | None = None


class Thought(Struct, gc=False):
    """An entry of `thinking_blocks`: Anthropic's own block."""

    type: str
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None


class Message(Struct, forbid_unknown_fields=True, tag_field="role"):
    pass


class SystemMessage(Message, tag="system"):
    content: str | list[TextPart]
    name: str | None = None
    cache_control: Cache | None = None


class DeveloperMessage(SystemMessage, tag="developer"):
    pass


@final
class UserMessage(Message, tag="user"):
    content: str | list[TextPart | ImagePart | FilePart]
    name: str | None = None
    cache_control: Cache | None = None


@final
class AssistantMessage(Message, tag="assistant"):
    content: str | list[TextPart | RefusalPart] | None = None
    refusal: str | None = None
    name: str | None = None
    tool_calls: list[Call] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[Detail] | None = None
    thinking_blocks: list[Thought] | None = None
    cache_control: Cache | None = None
    # What answers hold and clients send back: it says nothing to a model.
    annotations: Raw = Raw(NULL)
    parsed: Raw = Raw(NULL)
    provider_specific_fields: Raw = Raw(NULL)
    function_call: None = None
    audio: None = None


@final
class ToolMessage(Message, tag="tool"):
    content: str | list[TextPart]
    tool_call_id: str
    name: str | None = None
    cache_control: Cache | None = None


class Definition(Struct, forbid_unknown_fields=True):
    name: str
    description: str | None = None
    parameters: Raw = Raw(NULL)
    strict: bool | None = None


class FunctionTool(Strict, tag="function"):
    function: Definition
    cache_control: Cache | None = None


class Named(Struct, forbid_unknown_fields=True):
    name: str


class FunctionChoice(Strict, tag="function"):
    function: Named


class Schema(Struct, forbid_unknown_fields=True):
    name: str
    schema: Raw = Raw(NULL)
    description: str | None = None
    strict: bool | None = None


class PlainText(Strict, tag="text"):
    pass


class AnyObject(Strict, tag="json_object"):
    pass


class OfSchema(Strict, tag="json_schema"):
    json_schema: Schema


class ReasoningWanted(Struct, forbid_unknown_fields=True):
    """OpenRouter's member."""

    effort: Literal["none"] | Effort | None = None
    max_tokens: int | None = None
    exclude: bool | None = None
    enabled: bool | None = None


class ThinkingWanted(Struct, forbid_unknown_fields=True):
    """Anthropic's member, as LiteLLM's clients send it here."""

    type: Literal["enabled", "disabled", "adaptive"]
    budget_tokens: int | None = None


class Body(Struct):
    messages: list[SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage]
    model: Any = None
    stream: Any = None
    stream_options: Any = None
    n: Any = None
    max_tokens: Any = None
    max_completion_tokens: Any = None
    user: str | None = None
    safety_identifier: str | None = None
    metadata: dict[str, Any] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    service_tier: str | None = None
    tools: list[FunctionTool] | None = None
    tool_choice: Literal["auto", "none", "required"] | FunctionChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: PlainText | AnyObject | OfSchema | None = None
    reasoning_effort: Literal["none"] | Effort | None = None
    reasoning: ReasoningWanted | None = None
    thinking: ThinkingWanted | None = None
