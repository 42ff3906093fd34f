"""A whole answer of OpenAI's chat, completions and embeddings, and what its choices say."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import Said
from tidegate.providers._failures import no_answer
from tidegate.providers._openai_chunk import calls_of
from tidegate.providers._openai_usage import OpenAIUsage
from tidegate.text.strict_json import UNREADABLE

_encode = msgspec.json.Encoder().encode


class Message(Struct):
    content: Any = None
    refusal: Any = None
    tool_calls: Any = None
    function_call: Any = None
    reasoning_content: Any = None
    reasoning: Any = None


class AnswerChoice(Struct):
    message: Message | None = None
    text: str | None = None
    finish_reason: str | None = None


class WholeAnswer(Struct):
    choices: list[AnswerChoice] | None = None
    data: Raw = Raw()
    usage: OpenAIUsage | None = None
    error: Any = None
    id: str | None = None
    model: str | None = None
    service_tier: Any = None
    system_fingerprint: Any = None


class OddAnswer(WholeAnswer):
    """An answer whose usage has not the usual shape is an answer all the same."""

    usage: Any = None


decode_answer = msgspec.json.Decoder(WholeAnswer).decode
_decode_odd_answer = msgspec.json.Decoder(OddAnswer).decode


def read_odd_answer(body: bytes) -> WholeAnswer:
    """One that `decode_answer` could not read. Failure."""
    try:
        return _decode_odd_answer(body)
    except UNREADABLE:
        raise no_answer() from None


def has_output(choice: AnswerChoice) -> bool:
    """Whether anything was generated for it."""
    message = choice.message
    if message is None:
        return bool(choice.text)
    thought = message.reasoning_content or message.reasoning
    return bool(message.content or message.tool_calls or thought)


def said_of(choice: AnswerChoice) -> Said:
    """What it says to the caller."""
    message = choice.message
    if message is None:
        return Said(choice.text or "")
    content = message.content if isinstance(message.content, str) else ""
    calls = message.tool_calls or message.function_call
    if not calls:
        return Said(content, True) if message.refusal else Said(content)
    told = tuple([(name, arguments) for _, name, arguments in calls_of(calls)])
    return Said(content, bool(message.refusal), told, acts=not told)


def text_of(choice: AnswerChoice) -> bytes:
    """All that was generated for it, thoughts and calls among it."""
    message = choice.message
    if message is None:
        return (choice.text or "").encode()
    thought = message.reasoning_content or message.reasoning
    parts = (thought, message.content, message.tool_calls)
    return b"".join(
        part.encode() if isinstance(part, str) else _encode(part) for part in parts if part
    )
