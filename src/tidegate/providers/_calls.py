"""Calls of tools as wires want them that are stricter than their callers' own."""

import re
import zlib
from typing import Final

import msgspec
from msgspec import Raw

from tidegate.core.conversation import ToolCall
from tidegate.core.losses import Losses
from tidegate.core.outcome import Refusal
from tidegate.providers._failures import malformed
from tidegate.text.strict_json import UNREADABLE

# The schema of a tool that takes no arguments.
ANY_OBJECT: Final = Raw(b'{"type":"object","properties":{}}')
NO_ARGUMENTS: Final = Raw(b"{}")
MAX_ID_CHARS: Final = 64
_KEPT_CHARS: Final = 48
_object = msgspec.json.Decoder(dict[str, Raw]).decode


def safe_id(call_id: str, unsafe: re.Pattern[str]) -> str:
    """The id in at most MAX_ID_CHARS signs, none of them `unsafe` (a class of single signs): other
    providers' models and callers make other ones. The same id becomes the same."""
    if len(call_id) <= MAX_ID_CHARS and call_id and not unsafe.search(call_id):
        return call_id
    return f"{unsafe.sub('_', call_id)[:_KEPT_CHARS]}_{zlib.crc32(call_id.encode()):08x}"


def arguments_of(call: ToolCall, losses: Losses) -> Raw:
    """A call's arguments as the object that a wire wants. Refusal where they are none: there is no
    place for a text."""
    text = call.arguments.strip()
    if not text:
        return NO_ARGUMENTS
    try:
        _object(text)
        return Raw(text.encode())
    except (*UNREADABLE, UnicodeEncodeError):
        message = f"the arguments of the tool call {call.id[:80]!r} are no JSON object"
        raise Refusal("invalid_parameter", message, param=losses.name("turns")) from None


def text_of(arguments: Raw | bytes) -> str:
    """A model's arguments as the text that came. Failure where their bytes are none."""
    try:
        return bytes(arguments).decode()
    except UnicodeDecodeError:
        raise malformed("the provider sent a tool's arguments that are no text") from None
