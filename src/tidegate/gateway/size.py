"""size: how much the request is, before anybody works on it."""

from typing import Any

import msgspec
from msgspec import Struct

from tidegate.core.ask import Ask
from tidegate.core.receipt import Receipt
from tidegate.text import tokens
from tidegate.text.fingerprint import conversation

# Template tokens around each message of a chat, as in OpenAI's published counting recipe.
TOKENS_A_MESSAGE = 4
MAX_COUNTED_BYTES = 1024 * 1024


class _Part(Struct):
    text: str | None = None


class _Message(Struct):
    content: str | list[_Part] | None = None
    tool_calls: Any = None


def size(ask: Ask, receipt: Receipt) -> None:
    """Notes the bytes that bound the input from above and the caller's own output ceiling."""
    receipt.input_bytes = len(ask.body)
    receipt.output_ceiling_tokens = ask.output_ceiling_tokens


def note_conversation(ask: Ask, receipt: Receipt) -> None:
    """Tells sessions apart by their conversations, where their callers tell nothing of them."""
    if receipt.session_id is None and receipt.end_user is None and receipt.conversation is None:
        messages = ask.members.get("messages")
        if messages is not None and ask.endpoint == "chat":
            receipt.conversation = conversation(messages)


def estimate_input_tokens(ask: Ask, tokenizer: str | None) -> int:
    """Input tokens by our own count, for when the provider does not say.

    The text is counted exactly where the tokenizer is known; what a chat template adds is not
    known to us, which is why the figure stays labelled as estimated.
    """
    pieces, messages = _texts(ask)
    text = b"\n".join(pieces)
    if len(text) > MAX_COUNTED_BYTES:
        return tokens.estimate(len(text)) + TOKENS_A_MESSAGE * messages
    return tokens.count(text, tokenizer) + TOKENS_A_MESSAGE * messages


def _texts(ask: Ask) -> tuple[list[bytes], int]:
    """The caller's texts as UTF-8, and how many messages hold them."""
    raw = ask.members.get({"chat": "messages", "completions": "prompt"}.get(ask.endpoint, "input"))
    if raw is None:
        return [], 0
    try:
        if ask.endpoint != "chat":
            told = msgspec.json.decode(raw, type=str | list[str])
            return [t.encode() for t in ([told] if isinstance(told, str) else told)], 0
        messages = msgspec.json.decode(raw, type=list[_Message])
    except (msgspec.DecodeError, RecursionError):
        return [bytes(raw)], 0  # token ids or a shape of its own: bounded by its bytes
    pieces: list[bytes] = []
    for message in messages:
        if isinstance(message.content, str):
            pieces.append(message.content.encode())
        elif message.content is not None:
            pieces += [part.text.encode() for part in message.content if part.text]
        if message.tool_calls:
            pieces.append(msgspec.json.encode(message.tool_calls))
    tools = ask.members.get("tools")
    if tools is not None:
        pieces.append(bytes(tools))
    return pieces, len(messages)
