"""What Converse says at the end of an answer, and a whole answer."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import Usage
from tidegate.core.conversation import Reasoning, Text, ToolCall, Wire
from tidegate.core.outcome import Failure
from tidegate.core.spoken import Choice, Reason, Spoken, SpokenPart
from tidegate.providers._calls import text_of
from tidegate.providers._failures import malformed, no_answer, unknown_end
from tidegate.providers._usage import CONFLICT, are_plausible, has_no_output
from tidegate.text.strict_json import UNREADABLE

REASONS: Final[Mapping[str, Reason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "model_context_window_exceeded": "context_full",
    "tool_use": "tool_calls",
    "guardrail_intervened": "refusal",
    "content_filtered": "refusal",
}
# The model wrote what Bedrock could not read: no answer, whatever came before.
_UNREADABLE_TO_BEDROCK: Final = frozenset({"malformed_model_output", "malformed_tool_use"})


NULL: Final = Raw(b"null")


class _Written(Struct, rename="camel"):
    """What of the writes to the cache is kept for how long."""

    ttl: str | None = None
    input_tokens: int | None = None


class Tokens(Struct, rename="camel"):
    """`usage`: the input excludes what was read from and written to the cache."""

    input_tokens: int
    output_tokens: int
    total_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_write_input_tokens: int | None = None
    cache_details: list[_Written] | None = None


class Extra(Struct):
    """What `additionalModelResponseFieldPaths` asked for."""

    stop_sequence: str | None = None


class _ToolUse(Struct, rename="camel"):
    tool_use_id: str
    name: str
    input: Raw = Raw(b"{}")


class _ReasoningText(Struct):
    text: str = ""
    signature: str | None = None


class _ReasoningContent(Struct, rename="camel"):
    reasoning_text: _ReasoningText | None = None
    redacted_content: str | None = None


class _CitedText(Struct):
    text: str | None = None


class _Cited(Struct):
    content: list[_CitedText] = []


class _Block(Struct, rename="camel"):
    """A union of one member; a kind that is not here tells nothing that the middle has a word
    for."""

    text: str | None = None
    tool_use: _ToolUse | None = None
    reasoning_content: _ReasoningContent | None = None
    citations_content: _Cited | None = None


class _Message(Struct):
    content: list[_Block]


class _Output(Struct):
    message: _Message


class _Answer(Struct, rename="camel"):
    output: _Output
    stop_reason: str
    usage: Raw = NULL
    additional_model_response_fields: Extra | None = None


_decode = msgspec.json.Decoder(_Answer).decode
_decode_tokens = msgspec.json.Decoder(Tokens | None).decode


def read_usage(told: Raw, *, has_parts: bool) -> Usage | None:
    """The `usage` member, whatever it is: an answer whose usage cannot be read is one all the same.
    With parts there was some output."""
    try:
        tokens = _decode_tokens(told)
    except UNREADABLE:
        return CONFLICT
    usage = None if tokens is None else usage_of(tokens)
    return CONFLICT if has_parts and usage is not None and has_no_output(usage) else usage


def usage_of(tokens: Tokens) -> Usage:
    """Disjoint classes; figures that no answer has are a conflict."""
    read, written = tokens.cache_read_input_tokens, tokens.cache_write_input_tokens
    each = (tokens.input_tokens, tokens.output_tokens, read or 0, written or 0)
    plain = tokens.input_tokens + tokens.output_tokens
    possible = are_plausible(*each) and sum(each) > 0
    # The total is told with the cache by some models and without it by others.
    if not possible or tokens.total_tokens not in (None, plain, sum(each)):
        return CONFLICT
    kept = [one.input_tokens or 0 for one in tokens.cache_details or () if one.ttl == "1h"]
    hour = sum(kept)
    if not are_plausible(*kept) or hour > (written or 0):
        return CONFLICT
    told = (tokens.input_tokens, read, written, tokens.output_tokens)
    return Usage(*told, cache_write_1h_tokens=hour or None)


def reason_of(word: str) -> Reason | Failure:
    """A finish reason; a word that nobody knows is not guessed at."""
    if word in _UNREADABLE_TO_BEDROCK:
        return malformed("the model's answer could not be read by its provider")
    return REASONS.get(word) or unknown_end()


def read_spoken(body: bytes, seals: Wire = "anthropic") -> Spoken:
    """A whole answer. Failure where it is none."""
    try:
        answer = _decode(body)
    except UNREADABLE:
        raise no_answer() from None
    reason = reason_of(answer.stop_reason)
    if isinstance(reason, Failure):
        raise reason
    parts = [part for block in answer.output.message.content for part in _parts(block, seals)]
    usage = read_usage(answer.usage, has_parts=bool(parts))
    extra = answer.additional_model_response_fields
    stopped_at = extra.stop_sequence if extra is not None else None
    return Spoken(None, None, usage, [Choice(parts, reason, stopped_at)])


def _parts(block: _Block, seals: Wire) -> list[SpokenPart]:
    if block.tool_use is not None:
        call = block.tool_use
        return [ToolCall(call.tool_use_id, call.name, text_of(call.input))]
    if block.reasoning_content is not None:
        thought = block.reasoning_content
        said = thought.reasoning_text or _ReasoningText()
        sealed = thought.redacted_content
        return [Reasoning(said.text, said.signature, sealed, seals)]
    text = block.text
    if block.citations_content is not None:
        text = "".join(one.text or "" for one in block.citations_content.content)
    return [Text(text)] if text else []
