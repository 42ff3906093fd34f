"""The items of a conversation in OpenAI's Responses, put together into turns.

A turn of the model is many items there: its reasoning, its texts, its calls.
"""

import msgspec
from msgspec import Raw

from tidegate.core.conversation import (
    CacheMark,
    Conversation,
    Document,
    Image,
    Part,
    Reasoning,
    Refused,
    Role,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from tidegate.core.outcome import Refusal
from tidegate.dialects._carriers import unmark
from tidegate.dialects._data_url import data_of
from tidegate.dialects._openai_responses_shapes import (
    Breakpoint,
    InputFile,
    InputImage,
    InputText,
    Item,
    OutputText,
    ReasoningText,
    RefusalText,
    SummaryText,
)


class _Turns:
    """Puts items of one speaker together."""

    def __init__(self, said: Conversation) -> None:
        self._said = said
        self._role: Role | None = None
        self.parts: list[Part] = []

    def put(self, role: Role, new: list[Part], *, alone: bool = False) -> None:
        """`alone`: what was said before is a turn of its own."""
        if role != self._role or alone:
            self.close()
            self._role = role
        self.parts += new

    def close(self) -> None:
        if self._role is not None and self.parts:
            self._said.turns.append(Turn(self._role, tuple(self.parts)))
        self._role, self.parts = None, []

    def at_start(self) -> bool:
        return self._role is None and not self._said.turns

    def calls(self) -> list[Part]:
        """What the model has said so far in this turn."""
        return self.parts if self._role == "assistant" else []


def read_items(items: list[Item], said: Conversation) -> None:
    """Adds the items' turns. Refusal for what an item must have and has not."""
    turns = _Turns(said)
    results = False
    for at, item in enumerate(items):
        were_results, results = results, item.type == "function_call_output"
        match item.type:
            case "message":
                _read_message(item, at, turns, said)
            case "reasoning":
                thoughts = _thoughts(item, turns.calls())
                if thoughts:
                    turns.put("assistant", thoughts)
            case "function_call":
                turns.put("assistant", [_call(item, at)])
            case "function_call_output":
                turns.put("user", [_result(item, at)], alone=not were_results)
            case "item_reference":
                place = _place(at)
                message = f"`{place}` names an item that is kept somewhere; send the item itself"
                raise Refusal("unsupported_parameter", message, param=place)
            case _:
                said.unread[_place(at)] = Raw(msgspec.json.encode(item.type))
    turns.close()


def _place(at: int) -> str:
    return f"input[{at}]"


def _read_message(item: Item, at: int, turns: _Turns, said: Conversation) -> None:
    role, parts = _message(item, at)
    if role == "system" and turns.at_start():
        said.instructions += [part for part in parts if isinstance(part, Text)]
    else:
        turns.put(role, parts, alone=role != "assistant")


def _missing(path: str) -> Refusal:
    return Refusal("missing_parameter", f"`{path}` is missing", param=path)


def _message(item: Item, at: int) -> tuple[Role, list[Part]]:
    if item.role is None:
        raise _missing(f"{_place(at)}.role")
    if item.content is None:
        raise _missing(f"{_place(at)}.content")
    role: Role = "system" if item.role == "developer" else item.role
    if isinstance(item.content, str):
        return role, [Text(item.content)]
    place = _place(at)
    return role, [_part(part, f"{place}.content[{i}]") for i, part in enumerate(item.content)]


def _part(part: object, place: str) -> Text | Image | Document | Refused:
    if isinstance(part, InputText):
        return Text(part.text, _mark(part.prompt_cache_breakpoint))
    if isinstance(part, OutputText):
        return Text(part.text)
    if isinstance(part, RefusalText):
        return Refused(part.refusal)
    if isinstance(part, InputImage):
        return _image(part, place)
    if isinstance(part, InputFile):
        return _document(part, place)
    raise Refusal("invalid_parameter", f"`{place}` is no part of a message", param=place)


def _mark(told: Breakpoint | None) -> CacheMark | None:
    return None if told is None else CacheMark()


def _image(told: InputImage, place: str) -> Image:
    detail = None if told.detail == "auto" else told.detail
    cache = _mark(told.prompt_cache_breakpoint)
    if told.image_url is None:
        if told.file_id is None:
            raise _missing(f"{place}.image_url")
        return Image(file_id=told.file_id, detail=detail, cache=cache)
    media_type, data = data_of(told.image_url, place)
    if data is None:
        return Image(url=told.image_url, detail=detail, cache=cache)
    return Image(data, media_type, detail=detail, cache=cache)


def _document(told: InputFile, place: str) -> Document:
    cache, title = _mark(told.prompt_cache_breakpoint), told.filename
    if told.file_data is not None:
        media_type, data = data_of(told.file_data, place)
        if data is None:  # base64 without its media type is taken as well, and goes by the name
            media_type, data = "application/pdf", told.file_data
        return Document(data, media_type, title=title, cache=cache)
    if told.file_url is None and told.file_id is None:
        raise _missing(f"{place}.file_data")
    return Document(url=told.file_url, file_id=told.file_id, title=title, cache=cache)


def _call(item: Item, at: int) -> ToolCall:
    if item.call_id is None:
        raise _missing(f"{_place(at)}.call_id")
    if item.name is None:
        raise _missing(f"{_place(at)}.name")
    if item.arguments is None:
        raise _missing(f"{_place(at)}.arguments")
    return ToolCall(item.call_id, item.name, item.arguments)


def _result(item: Item, at: int) -> ToolResult:
    if item.call_id is None:
        raise _missing(f"{_place(at)}.call_id")
    if item.output is None:
        raise _missing(f"{_place(at)}.output")
    if isinstance(item.output, str):
        return ToolResult(item.call_id, (Text(item.output),))
    place = _place(at)
    parts = [_part(part, f"{place}.output[{i}]") for i, part in enumerate(item.output)]
    kept = tuple(Text(part.text) if isinstance(part, Refused) else part for part in parts)
    return ToolResult(item.call_id, kept)


def _thoughts(item: Item, calls: list[Part]) -> list[Part]:
    """Reasoning as it was, whoever signed or sealed it. What signs one of `calls` is put to it
    there, and is no part by itself."""
    told: list[object] = [*(item.summary or ())]
    if not isinstance(item.content, str):
        told += item.content or ()
    text = "\n\n".join(part.text for part in told if isinstance(part, (SummaryText, ReasoningText)))
    if item.encrypted_content is None:
        return [Reasoning(text, id=item.id)]
    wire, kind, name, payload = unmark(item.encrypted_content, "openai_responses")
    if kind == "signature":
        return [Reasoning(text, payload, None, wire, name)]
    if kind != "call":
        return [Reasoning(text, None, payload, wire, name if kind else item.id)]
    for at, part in enumerate(calls):
        if isinstance(part, ToolCall) and part.id == name:
            calls[at] = ToolCall(part.id, part.name, part.arguments, payload, wire, part.cache)
    return []
