"""Fingerprints: of a prompt, equal for prompts that are nearly the same, and of a conversation,
equal for all of its turns."""

from zlib import crc32

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import OPENAI_RESPONSES, Ask, turns_of

_LETTERS = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz")
_DROPPED = bytes(b for b in range(128) if not chr(b).isalpha())
# Conversations of one application begin alike; the end of their beginning tells them apart.
_TOLD_APART_BY_BYTES = 1024


class _Call(Struct):
    function: Raw = Raw(b"")


class _Message(Struct):
    """Without what an agent's framework draws anew each time, such as the id of a tool call."""

    role: str | None = None
    content: Raw = Raw(b"")
    tool_calls: list[_Call] | None = None


class _Item(Struct):
    """Of Responses, without ids as well."""

    type: str | None = None
    role: str | None = None
    content: Raw = Raw(b"")
    name: Raw = Raw(b"")
    arguments: Raw = Raw(b"")
    output: Raw = Raw(b"")


_messages = msgspec.json.Decoder(list[_Message]).decode
_items = msgspec.json.Decoder(list[_Item]).decode
# What the model's first answer may begin with.
_ANSWERS = (b'"assistant"', b'"reasoning"', b'"function_call"')


def prompt_fingerprint(ask: Ask) -> str | None:
    """Of a conversation's last message, or of the whole prompt; None where there is none. What a
    tool has answered is taken together with how it was called.

    Letters count, in either case; digits, spaces and signs do not: counters and times that run on
    make no other prompt. 32 bits: enough to tell apart a session's prompts, too few to prove one.
    """
    called = b""
    match ask.endpoint:
        case "chat":
            last = _last_item if ask.dialect == OPENAI_RESPONSES else _last
            text, called = last(turns_of(ask))
        case "completions":
            text = ask.members.get("prompt")
        case _:
            text = ask.members.get("input")
    if text is None:
        return None
    letters = bytes(text).translate(_LETTERS, _DROPPED)
    # Prompts of figures alone are told apart by them.
    return f"{crc32(letters or bytes(text), crc32(called)):08x}"


def conversation(messages: Raw, *, items: bool = False) -> int:
    """Of how a conversation begins, up to its first answer; below 2**62. `items` are Responses'.

    It is read as bytes: whoever sends a conversation's turns writes what has been said the same
    way each time.
    """
    text = bytes(messages)
    answer = _first_answer(text) if items else text.find(b'"assistant"')
    end = (text.rfind(b"}") if answer < 0 else text.rfind(b"}", 0, answer)) + 1
    if items and text[:1] == b'"':
        end = len(text)  # a single text
    start = end - _TOLD_APART_BY_BYTES if end > _TOLD_APART_BY_BYTES else 0
    return (end & 0x3FFF_FFFF) << 32 | crc32(text[start:end])


def has_answer(messages: Raw, *, items: bool = False) -> bool:
    """Whether the model has answered before: then this is no conversation's first turn."""
    text = bytes(messages)
    return (_first_answer(text) if items else text.find(b'"assistant"')) >= 0


def _first_answer(items: bytes) -> int:
    """Where the first of the model's items says what it is; -1 where there is none."""
    return min((at for at in map(items.find, _ANSWERS) if at >= 0), default=-1)


def _last(messages: Raw | None) -> tuple[bytes | Raw | None, bytes]:
    """The last message, and the calls that it answers where a tool has written it."""
    if messages is None:
        return None, b""
    try:
        told = _messages(messages)
    except (msgspec.DecodeError, RecursionError):
        return messages, b""
    if not told:
        return None, b""
    text = (told[-1].role or "").encode() + bytes(told[-1].content)
    called = b""
    if told[-1].role == "tool":
        asked = next((one for one in reversed(told) if one.tool_calls), None)
        called = b"".join(bytes(call.function) for call in (asked and asked.tool_calls) or ())
    return text, called


def _last_item(items: Raw | None) -> tuple[bytes | Raw | None, bytes]:
    """The same of Responses: of items, or of a text alone."""
    if items is None:
        return None, b""
    try:
        told = _items(items)
    except (msgspec.DecodeError, RecursionError):
        return items, b""
    if not told:
        return None, b""
    last = told[-1]
    text = (last.role or last.type or "").encode()
    text += bytes(last.content) + bytes(last.name) + bytes(last.arguments) + bytes(last.output)
    called = b""
    if (last.type or "").endswith("_call_output"):
        for item in reversed(told):
            if (item.type or "").endswith("_call"):
                called = bytes(item.name) + bytes(item.arguments) + called
            elif called:
                break
    return text, called
