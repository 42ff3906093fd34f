"""A prompt's fingerprint: equal for prompts that are nearly the same."""

from hashlib import blake2b
from zlib import crc32

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import Ask

_LETTERS = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz")
_DROPPED = bytes(b for b in range(128) if not chr(b).isalpha())


class _Message(Struct):
    """Without what an agent's framework draws anew each time, such as the id of a tool call."""

    role: str | None = None
    content: Raw = Raw(b"")


_messages = msgspec.json.Decoder(list[_Message]).decode


def prompt_fingerprint(ask: Ask) -> str | None:
    """Of a conversation's last message, or of the whole prompt; None where there is none.

    Letters count, in either case; digits, spaces and signs do not: counters and times that run on
    make no other prompt. 32 bits: enough to tell apart a session's prompts, too few to prove one.
    """
    match ask.endpoint:
        case "chat":
            text = _last(ask.members.get("messages"))
        case "completions":
            text = ask.members.get("prompt")
        case _:
            text = ask.members.get("input")
    if text is None:
        return None
    letters = bytes(text).translate(_LETTERS, _DROPPED)
    # Prompts of figures alone are told apart by them.
    return f"{crc32(letters or bytes(text)):08x}"


def conversation_fingerprint(ask: Ask) -> str | None:
    """Of how a conversation begins, up to its first answer: the same for all of its turns. None
    where there is no conversation."""
    raw = ask.members.get("messages") if ask.endpoint == "chat" else None
    if raw is None:
        return None
    try:
        told = _messages(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    digest = blake2b(digest_size=8)
    for message in told:
        if message.role == "assistant":
            break
        digest.update((message.role or "").encode() + b"\0" + bytes(message.content) + b"\0")
    return f"conversation-{digest.hexdigest()}"


def _last(messages: Raw | None) -> bytes | Raw | None:
    if messages is None:
        return None
    try:
        told = _messages(messages)
    except (msgspec.DecodeError, RecursionError):
        return messages
    if not told:
        return None
    return (told[-1].role or "").encode() + bytes(told[-1].content)
