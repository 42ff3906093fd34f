"""Fingerprints: of a prompt, equal for prompts that are nearly the same, and of a conversation,
equal for all of its turns."""

from zlib import crc32

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import Ask

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


_messages = msgspec.json.Decoder(list[_Message]).decode


def prompt_fingerprint(ask: Ask) -> str | None:
    """Of a conversation's last message, or of the whole prompt; None where there is none. What a
    tool has answered is taken together with how it was called.

    Letters count, in either case; digits, spaces and signs do not: counters and times that run on
    make no other prompt. 32 bits: enough to tell apart a session's prompts, too few to prove one.
    """
    called = b""
    match ask.endpoint:
        case "chat":
            text, called = _last(ask.members.get("messages"))
        case "completions":
            text = ask.members.get("prompt")
        case _:
            text = ask.members.get("input")
    if text is None:
        return None
    letters = bytes(text).translate(_LETTERS, _DROPPED)
    # Prompts of figures alone are told apart by them.
    return f"{crc32(letters or bytes(text), crc32(called)):08x}"


def conversation(messages: Raw) -> int:
    """Of how a conversation begins, up to its first answer; below 2**62.

    It is read as bytes: whoever sends a conversation's turns writes what has been said the same
    way each time.
    """
    text = bytes(messages)
    answer = text.find(b'"assistant"')
    end = (text.rfind(b"}") if answer < 0 else text.rfind(b"}", 0, answer)) + 1
    start = end - _TOLD_APART_BY_BYTES if end > _TOLD_APART_BY_BYTES else 0
    return (end & 0x3FFF_FFFF) << 32 | crc32(text[start:end])


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
