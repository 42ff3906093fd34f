"""The members of a request of OpenAI's Responses. What is not here is not read, and never lost
unseen (dialects._members)."""

from typing import Any, Literal

from msgspec import Raw, Struct

from tidegate.core.conversation import Effort
from tidegate.dialects._members import NULL


class Strict(Struct, forbid_unknown_fields=True, tag_field="type", gc=False):
    pass


class Breakpoint(Struct, forbid_unknown_fields=True, gc=False):
    mode: Literal["explicit"]
    ttl: str | None = None


class InputText(Strict, tag="input_text"):
    text: str
    prompt_cache_breakpoint: Breakpoint | None = None


class OutputText(Strict, tag="output_text"):
    text: str
    # What answers hold and clients send back: it says nothing to a model.
    annotations: Raw = Raw(NULL)
    logprobs: Raw = Raw(NULL)
    parsed: Raw = Raw(NULL)


class RefusalText(Strict, tag="refusal"):
    refusal: str


class SummaryText(Strict, tag="summary_text"):
    text: str


class ReasoningText(Strict, tag="reasoning_text"):
    text: str


class InputImage(Strict, tag="input_image"):
    image_url: str | None = None
    file_id: str | None = None
    detail: str | None = None
    prompt_cache_breakpoint: Breakpoint | None = None


class InputFile(Strict, tag="input_file"):
    file_data: str | None = None
    file_url: str | None = None
    file_id: str | None = None
    filename: str | None = None
    detail: str | None = None
    prompt_cache_breakpoint: Breakpoint | None = None


InPart = InputText | OutputText | RefusalText | InputImage | InputFile
Thought = SummaryText | ReasoningText
Status = Literal["in_progress", "completed", "incomplete"]


class Item(Struct, forbid_unknown_fields=True):
    """An item of whatever type; clients leave that of a message out."""

    type: str = "message"
    id: str | None = None
    status: Status | None = None
    role: Literal["user", "assistant", "system", "developer"] | None = None
    content: str | list[InPart | Thought] | None = None
    phase: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | list[InPart] | None = None
    summary: list[Thought] | None = None
    encrypted_content: str | None = None
    # Put there by OpenAI's own client where it has read the arguments.
    parsed_arguments: Raw = Raw(NULL)


class FunctionTool(Strict, tag="function"):
    name: str
    description: str | None = None
    parameters: Raw = Raw(NULL)
    strict: bool | None = None


class FunctionChoice(Strict, tag="function"):
    name: str


class PlainText(Strict, tag="text"):
    pass


class AnyObject(Strict, tag="json_object"):
    pass


class OfSchema(Strict, tag="json_schema"):
    name: str
    schema: Raw = Raw(NULL)
    description: str | None = None
    strict: bool | None = None


class TextWanted(Struct, forbid_unknown_fields=True):
    format: PlainText | AnyObject | OfSchema | None = None
    verbosity: str | None = None


class ReasoningWanted(Struct, forbid_unknown_fields=True):
    effort: Literal["none"] | Effort | None = None
    summary: str | None = None
    generate_summary: str | None = None


class Body(Struct):
    """Those of Any are judged elsewhere, or only echoed."""

    input: str | list[Item]
    model: Any = None
    stream: Any = None
    stream_options: Any = None
    max_output_tokens: Any = None
    instructions: str | None = None
    include: list[str] | None = None
    truncation: str | None = None
    store: bool | None = None
    previous_response_id: Any = None
    conversation: Any = None
    prompt: Any = None
    background: bool | None = None
    user: str | None = None
    safety_identifier: str | None = None
    metadata: dict[str, Any] | None = None
    temperature: float | None = None
    top_p: float | None = None
    service_tier: str | None = None
    tools: list[FunctionTool] | None = None
    tool_choice: Literal["auto", "none", "required"] | FunctionChoice | None = None
    parallel_tool_calls: bool | None = None
    text: TextWanted | None = None
    reasoning: ReasoningWanted | None = None
