"""A request in OpenAI's chat dialect, read into the common middle.

Besides OpenAI's own members it knows those by which its clients reach other models: `top_k`,
`cache_control` on parts, `reasoning`, `thinking`, and the reasoning of earlier turns in
`reasoning_details` (OpenRouter) or `thinking_blocks` (LiteLLM).
"""

from typing import Final, Literal

import msgspec

from tidegate.core.ask import Ask
from tidegate.core.conversation import (
    CacheMark,
    Conversation,
    Document,
    Image,
    Output,
    Part,
    Reasoning,
    Refused,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)
from tidegate.dialects import _members
from tidegate.dialects._carriers import from_details
from tidegate.dialects._data_url import data_of
from tidegate.dialects._openai_chat_shapes import (
    AnyObject,
    AssistantMessage,
    Body,
    Cache,
    FileMembers,
    FunctionChoice,
    FunctionTool,
    ImagePart,
    ImageUrl,
    OfSchema,
    PlainText,
    TextPart,
    Thought,
    ToolMessage,
    UserMessage,
)
from tidegate.dialects._openai_members import output_of, tool_choice

_NAMES: Final = {
    "turns": "messages",
    "instructions": "messages",
    "output": "response_format",
    "ceiling_tokens": "max_completion_tokens",
    "choices": "n",
    "parallel_tools": "parallel_tool_calls",
    "thinking": "reasoning_effort",
    "budget_tokens": "thinking.budget_tokens",
    "effort": "reasoning_effort",
    "reasoning": "reasoning_details",
    "end_user": "user",
    "cache": "cache_control",
    "name": "messages[].name",
    "detail": "image_url.detail",
    "url": "image_url.url",
    "title": "file.filename",
    "file_id": "file.file_id",
    "file_data": "file.file_data",
}
_KNOWN: Final = frozenset(Body.__struct_fields__)
_decode = msgspec.json.Decoder(Body).decode


def read(ask: Ask) -> Conversation:
    """The request in the common middle. Refusal that names the member."""
    unread = _members.unknown(ask.members, _KNOWN)
    body = _members.read(_decode, ask.body, unread)
    said = Conversation([], unread=unread, names=_NAMES, stream=ask.stream)
    _read_messages(body, said)
    said.ceiling_tokens = ask.output_ceiling_tokens
    said.choices = ask.choices
    said.temperature, said.top_p, said.top_k = body.temperature, body.top_p, body.top_k
    # Zero is what happens without one.
    said.presence_penalty = body.presence_penalty or None
    said.frequency_penalty = body.frequency_penalty or None
    said.seed, said.service_tier = body.seed, body.service_tier
    said.end_user = body.user or body.safety_identifier
    if body.stop:
        said.stop = [body.stop] if isinstance(body.stop, str) else body.stop
    if body.metadata:
        said.metadata = {name: str(value) for name, value in body.metadata.items()}
    if body.tools:
        said.tools = [_tool(tool) for tool in body.tools]
    choice = body.tool_choice
    if isinstance(choice, FunctionChoice):
        said.tool_choice = tool_choice(None, choice.function.name)
    else:
        said.tool_choice = tool_choice(choice, None)
    said.parallel_tools = body.parallel_tool_calls
    said.output = _output(body.response_format)
    said.thinking = _thinking(body)
    return said


def _read_messages(body: Body, said: Conversation) -> None:
    turns = said.turns
    results: list[Part] = []
    for message in body.messages:
        # To ask for the type is a fourth of the cost of isinstance.
        if type(message) is ToolMessage:
            results.append(_result(message))
            continue
        if results:
            turns.append(Turn("user", tuple(results)))
            results = []
        if type(message) is UserMessage:
            turns.append(Turn("user", _user_parts(message), message.name))
        elif type(message) is AssistantMessage:
            turns.append(Turn("assistant", _assistant_parts(message), message.name))
        elif turns:
            turns.append(Turn("system", tuple(_texts(message.content, message.cache_control))))
        else:
            said.instructions += _texts(message.content, message.cache_control)
    if results:
        turns.append(Turn("user", tuple(results)))


def _mark(cache: Cache | None) -> CacheMark | None:
    return None if cache is None else CacheMark(cache.ttl)


def _texts(content: str | list[TextPart], cache: Cache | None) -> list[Text]:
    """A message's own mark stands on its last part."""
    if isinstance(content, str):
        return [Text(content, _mark(cache))]
    texts = [Text(part.text, _mark(part.cache_control)) for part in content]
    if cache is not None and texts:
        texts[-1] = Text(texts[-1].text, _mark(cache))
    return texts


def _result(message: ToolMessage) -> ToolResult:
    content, cache = message.content, message.cache_control
    parts = (Text(content),) if isinstance(content, str) else tuple(_texts(content, None))
    if cache is None:
        return ToolResult(message.tool_call_id, parts)
    return ToolResult(message.tool_call_id, parts, cache=_mark(cache))


def _user_parts(message: UserMessage) -> tuple[Part, ...]:
    content = message.content
    if isinstance(content, str):
        cache = message.cache_control
        return (Text(content) if cache is None else Text(content, _mark(cache)),)
    parts: list[Part] = []
    last = len(content) - 1
    for at, part in enumerate(content):
        cache = part.cache_control or (message.cache_control if at == last else None)
        if isinstance(part, TextPart):
            parts.append(Text(part.text, _mark(cache)))
        elif isinstance(part, ImagePart):
            parts.append(_image(part.image_url, _mark(cache)))
        else:
            parts.append(_document(part.file, _mark(cache)))
    return tuple(parts)


def _image(told: ImageUrl, cache: CacheMark | None) -> Image:
    media_type, data = data_of(told.url, "messages")
    detail = None if told.detail == "auto" else told.detail
    if data is None:
        return Image(url=told.url, detail=detail, cache=cache)
    return Image(data, media_type, detail=detail, cache=cache)


def _document(told: FileMembers, cache: CacheMark | None) -> Document:
    if told.file_data is None:
        return Document(file_id=told.file_id, title=told.filename, cache=cache)
    media_type, data = data_of(told.file_data, "messages")
    if data is None:
        # OpenAI takes base64 without its media type as well, and goes by the name.
        return Document(told.file_data, "application/pdf", title=told.filename, cache=cache)
    return Document(data, media_type, title=told.filename, cache=cache)


def _assistant_parts(message: AssistantMessage) -> tuple[Part, ...]:
    calls: list[ToolCall] = []
    for call in message.tool_calls or ():
        function = call.function
        calls.append(ToolCall(call.id, function.name, function.arguments))
    parts: list[Part] = []
    if message.reasoning_details:
        parts += from_details(message.reasoning_details, calls)
    elif message.thinking_blocks:
        parts += [_thought(one) for one in message.thinking_blocks]
    elif message.reasoning_content or message.reasoning:
        parts.append(Reasoning(message.reasoning_content or message.reasoning or ""))
    if isinstance(message.content, str):
        parts.append(Text(message.content, _mark(message.cache_control)))
    elif message.content:
        for part in message.content:
            if isinstance(part, TextPart):
                parts.append(Text(part.text, _mark(part.cache_control)))
            else:
                parts.append(Refused(part.refusal))
    if message.refusal:
        parts.append(Refused(message.refusal))
    return (*parts, *calls)


def _thought(told: Thought) -> Reasoning:
    wire: Literal["anthropic"] | None = "anthropic" if told.signature or told.data else None
    return Reasoning(told.thinking or "", told.signature or None, told.data, wire)


def _tool(tool: FunctionTool) -> Tool:
    told = tool.function
    cache = _mark(tool.cache_control)
    return Tool(told.name, told.description, _members.given(told.parameters), told.strict, cache)


def _output(told: PlainText | AnyObject | OfSchema | None) -> Output | None:
    if isinstance(told, OfSchema):
        return output_of(told.json_schema)
    return Output() if isinstance(told, AnyObject) else None


def _thinking(body: Body) -> Thinking | None:
    if body.thinking is not None:
        told = body.thinking
        word = None if body.reasoning_effort == "none" else body.reasoning_effort
        return Thinking(told.type != "disabled", word, told.budget_tokens)
    effort, budget, shown, enabled = body.reasoning_effort, None, None, None
    if body.reasoning is not None:
        wanted = body.reasoning
        effort = effort or wanted.effort
        budget, enabled = wanted.max_tokens, wanted.enabled
        shown = False if wanted.exclude else None
    if effort == "none" or enabled is False:
        return Thinking(False)
    if effort is None and budget is None and not enabled:
        return None
    return Thinking(True, effort, budget, shown)
