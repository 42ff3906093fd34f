"""A request in Anthropic's Messages dialect, read into the common middle."""

from typing import Final

import msgspec
from msgspec import Raw

from tidegate.core.ask import Ask
from tidegate.core.conversation import (
    CacheMark,
    Conversation,
    Document,
    Image,
    Output,
    Part,
    Reasoning,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from tidegate.dialects import _members
from tidegate.dialects._anthropic_shapes import (
    AutoChoice,
    Base64Source,
    Block,
    Body,
    Cache,
    Choice,
    ContentSource,
    DocumentBlock,
    FileSource,
    ImageBlock,
    NamedChoice,
    NoChoice,
    RedactedBlock,
    TextBlock,
    TextSource,
    ThinkingBlock,
    ToolMembers,
    ToolResultBlock,
    ToolUseBlock,
    UrlSource,
)
from tidegate.dialects._carriers import unmark

_NAMES: Final = {
    "turns": "messages",
    "instructions": "system",
    "output": "output_config.format",
    "ceiling_tokens": "max_tokens",
    "parallel_tools": "tool_choice.disable_parallel_tool_use",
    "stop": "stop_sequences",
    "budget_tokens": "thinking.budget_tokens",
    "effort": "output_config.effort",
    "reasoning": "messages[].thinking",
    "end_user": "metadata.user_id",
    "cache": "cache_control",
    "is_error": "tool_result.is_error",
    "file_id": "source.file_id",
    "file_data": "source.data",
    "url": "source.url",
    "title": "document.title",
    "context": "document.context",
}
_KNOWN: Final = frozenset(Body.__struct_fields__)
_decode = msgspec.json.Decoder(Body).decode


def read(ask: Ask) -> Conversation:
    """The request in the common middle. Refusal that names the member."""
    unread = _members.unknown(ask.members, _KNOWN)
    body = _members.read(_decode, ask.body, unread)
    said = Conversation([], unread=unread, names=_NAMES, stream=ask.stream)
    if body.system is not None:
        said.instructions = _texts(body.system)
    for message in body.messages:
        if isinstance(message.content, str):
            said.turns.append(Turn(message.role, (Text(message.content),)))
        else:
            said.turns.append(Turn(message.role, _parts(message.content, unread)))
    said.ceiling_tokens = ask.output_ceiling_tokens
    said.temperature, said.top_p, said.top_k = body.temperature, body.top_p, body.top_k
    said.stop = body.stop_sequences or []
    said.end_user = body.metadata.user_id if body.metadata else None
    said.service_tier = body.service_tier
    said.cache = _mark(body.cache_control)
    for at, tool in enumerate(body.tools or ()):
        if tool.type in (None, "custom"):
            said.tools.append(_tool(tool))
        else:
            unread[f"tools[{at}].{tool.type}"] = Raw(msgspec.json.encode(tool.type))
    if body.tool_choice is not None:
        said.tool_choice, said.parallel_tools = _choice(body.tool_choice)
    said.output = _output(body)
    said.thinking = _thinking(body)
    return said


def _mark(cache: Cache | None) -> CacheMark | None:
    return None if cache is None else CacheMark(cache.ttl)


def _texts(content: str | list[TextBlock]) -> list[Text]:
    if isinstance(content, str):
        return [Text(content)]
    return [Text(block.text, _mark(block.cache_control)) for block in content]


def _parts(blocks: list[Block], unread: dict[str, Raw]) -> tuple[Part, ...]:
    parts: list[Part] = []
    for block in blocks:
        # Most are of these, and to ask for the type is a fourth of the cost of isinstance.
        if type(block) is TextBlock:
            parts.append(Text(block.text, _mark(block.cache_control)))
        elif type(block) is ToolUseBlock:
            arguments = str(block.input, "utf-8")
            cache = _mark(block.cache_control)
            parts.append(ToolCall(block.id, block.name, arguments, cache=cache))
        elif type(block) is ToolResultBlock:
            parts.append(_result(block, unread))
        elif isinstance(block, ImageBlock):
            parts.append(_image(block))
        elif isinstance(block, DocumentBlock):
            parts.append(_document(block, unread))
        else:
            _bring_back(block, parts)
    return tuple(parts)


def _result(block: ToolResultBlock, unread: dict[str, Raw]) -> ToolResult:
    content = block.content
    parts: list[Text | Image | Document] = []
    if isinstance(content, str):
        parts.append(Text(content))
    else:
        for part in content or ():
            if isinstance(part, TextBlock):
                parts.append(Text(part.text, _mark(part.cache_control)))
            elif isinstance(part, ImageBlock):
                parts.append(_image(part))
            else:
                parts.append(_document(part, unread))
    cache = _mark(block.cache_control)
    return ToolResult(block.tool_use_id, tuple(parts), block.is_error is True, cache)


def _image(block: ImageBlock) -> Image:
    source, cache = block.source, _mark(block.cache_control)
    if isinstance(source, Base64Source):
        return Image(source.data, source.media_type, cache=cache)
    if isinstance(source, UrlSource):
        return Image(url=source.url, cache=cache)
    return Image(file_id=source.file_id, cache=cache)


def _document(block: DocumentBlock, unread: dict[str, Raw]) -> Document:
    if block.citations is not None and block.citations.enabled:
        unread["document.citations"] = Raw(b"true")
    data = media_type = url = text = file_id = None
    source = block.source
    if isinstance(source, Base64Source):
        data, media_type = source.data, source.media_type
    elif isinstance(source, UrlSource):
        url = source.url
    elif isinstance(source, FileSource):
        file_id = source.file_id
    elif isinstance(source, TextSource):
        text, media_type = source.data, source.media_type
    elif isinstance(source, ContentSource):
        text = "\n".join(part.text for part in _texts(source.content))
    cache = _mark(block.cache_control)
    return Document(data, media_type, url, text, file_id, block.title, block.context, cache)


def _bring_back(block: ThinkingBlock | RedactedBlock, parts: list[Part]) -> None:
    """Reasoning as it was, whoever signed or sealed it; what signs a call goes to the call."""
    payload = block.signature if isinstance(block, ThinkingBlock) else block.data
    wire, kind, name, payload = unmark(payload)
    text = block.thinking if isinstance(block, ThinkingBlock) else ""
    if kind == "call":
        for at, part in enumerate(parts):
            if isinstance(part, ToolCall) and part.id == name:
                parts[at] = ToolCall(part.id, part.name, part.arguments, payload, wire, part.cache)
    elif kind == "sealed" or isinstance(block, RedactedBlock):
        parts.append(Reasoning(text, None, payload, wire, name))
    else:
        parts.append(Reasoning(text, payload or None, None, wire, name))


def _tool(tool: ToolMembers) -> Tool:
    schema = _members.given(tool.input_schema)
    return Tool(tool.name, tool.description, schema, tool.strict, _mark(tool.cache_control))


def _choice(told: Choice) -> tuple[ToolChoice, bool | None]:
    if isinstance(told, NoChoice):
        return ToolChoice("none"), None
    parallel = (
        None if told.disable_parallel_tool_use is None else not told.disable_parallel_tool_use
    )
    if isinstance(told, NamedChoice):
        return ToolChoice("named", told.name), parallel
    return ToolChoice("auto" if isinstance(told, AutoChoice) else "any"), parallel


def _output(body: Body) -> Output | None:
    wanted = body.output_config.format if body.output_config is not None else None
    wanted = wanted or body.output_format
    return None if wanted is None else Output(wanted.schema, strict=True)


def _thinking(body: Body) -> Thinking | None:
    effort = body.output_config.effort if body.output_config is not None else None
    told = body.thinking
    if told is None:
        return None if effort is None else Thinking(None, effort)
    if told.type == "disabled":
        return Thinking(False, effort)
    return Thinking(
        True,
        effort,
        told.budget_tokens,
        None if told.display is None else told.display != "omitted",
    )
