"""Cohere's `/v2/chat` on the wire, as much of it as the common middle has words for."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tidegate.core.outcome import Failure
from tidegate.core.spoken import Reason
from tidegate.providers._failures import reason_of

NULL: Final = Raw(b"null")
REASONS: Final[Mapping[str, Reason]] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "ERROR_LIMIT": "context_full",
    "TOOL_CALL": "tool_calls",
    "ERROR_TOXIC": "refusal",
}


class Function(Struct):
    name: str | None = None
    arguments: str | None = None


class Call(Struct):
    id: str | None = None
    function: Function | None = None


class Piece(Struct):
    """Of a content, or one of a whole answer's."""

    type: str | None = None
    text: str | None = None
    thinking: str | None = None


class Message(Struct):
    """What a stream has one of a whole answer has in lists."""

    content: Piece | list[Piece] | None = None
    tool_plan: str | None = None
    tool_calls: Call | list[Call] | None = None


class Delta(Struct):
    message: Message | None = None
    finish_reason: str | None = None
    usage: Raw = NULL
    error: Any = None


class Streamed(Struct):
    type: str = ""
    index: int | None = None
    id: str | None = None
    delta: Delta | None = None
    message: Any = None


class Whole(Struct):
    message: Message
    finish_reason: str
    id: str | None = None
    usage: Raw = NULL


decode = msgspec.json.Decoder(Streamed).decode
decode_whole = msgspec.json.Decoder(Whole).decode


def gone_wrong() -> Failure:
    message = "the provider reported an error in its answer"
    return Failure("unavailable", "upstream_error", message)


def ending(word: str, *, called: bool) -> Reason:
    """Failure for an end that is none."""
    if word == "TIMEOUT":
        raise Failure("timeout", "upstream_timeout", "the provider timed out")
    if word == "ERROR":
        raise gone_wrong()
    reason = reason_of(REASONS, word)
    return "tool_calls" if called and reason == "stop" else reason
