"""prompt: what of a request is text, for a tokenizer to count, and how much of it is none."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import OPENAI_RESPONSES, Ask, content_name
from tidegate.gateway.media import held_in

# Template tokens around each message of a chat, as in OpenAI's published counting recipe.
TOKENS_A_MESSAGE: Final = 4
# JSON that templates put before the messages, or that a grammar is made of.
_WRITTEN_OUT: Final = frozenset(
    {"tools", "functions", "tool_choice", "function_call", "response_format", "structured_outputs"}
    | {"guided_json", "guided_regex", "guided_choice", "guided_grammar"}
)
# What no provider puts before its model: how to sample, whom to name, what to answer with.
_NEVER_SHOWN: Final = frozenset(
    {"model", "stream", "stream_options", "n", "best_of", "echo", "stop", "seed", "user", "store"}
    | {"max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "min_p"}
    | {"presence_penalty", "frequency_penalty", "repetition_penalty", "logit_bias", "logprobs"}
    | {"top_logprobs", "parallel_tool_calls", "metadata", "service_tier", "modalities"}
    | {"reasoning_effort", "verbosity", "safety_identifier", "prompt_cache_key"}
    | {"encoding_format", "dimensions"}
)
_NEVER_SHOWN_IN_RESPONSES: Final = frozenset(
    {"max_output_tokens", "max_tool_calls", "include", "truncation", "background", "reasoning"}
    | {"previous_response_id", "prompt_cache_retention"}
)
# Where an item of Responses has parts as a message has them in its content.
_PARTS_OF_ITEMS: Final = frozenset({"content", "output", "summary"})
_PARTS_OF_MESSAGES: Final = frozenset({"content"})
_ROLES: Final = frozenset(
    b'"%b"' % role
    for role in (b"system", b"developer", b"user", b"assistant", b"tool", b"function")
)
_NULL: Final = Raw(b"null")
_MOST_TYPE_BYTES: Final = 32

_messages = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_parts = msgspec.json.Decoder(list[dict[str, Raw] | str]).decode
_text = msgspec.json.Decoder(str).decode
_texts = msgspec.json.Decoder(str | list[str]).decode
_ids = msgspec.json.Decoder(list[int | list[int]]).decode
_UNREADABLE: Final = (msgspec.DecodeError, RecursionError)


class Prompt(Struct):
    """`pieces` are its texts as UTF-8, `tokens` what is known without a tokenizer, and
    `other_bytes` are those of the body that are neither, nor an image or a file, nor JSON's own
    signs around them. What was not looked at is among them, so that nothing goes uncounted."""

    pieces: list[bytes]
    tokens: int = 0
    other_bytes: int = 0


def read_prompt(ask: Ask) -> Prompt:
    """The request's text."""
    prompt = Prompt([], 0, len(ask.body))
    prompt.other_bytes -= 1  # its braces, less the comma that a last member has not
    content, responses = content_name(ask), ask.dialect == OPENAI_RESPONSES
    for name, raw in ask.members.items():
        if name == content:
            _see(prompt, name, b"")
            if responses:
                _read_items(prompt, raw)
            else:
                (_read_messages if ask.endpoint == "chat" else _read_texts)(prompt, raw)
        elif name in _WRITTEN_OUT or (responses and name == "text"):
            prompt.pieces.append(bytes(raw))
            _see(prompt, name, raw)
        elif name == "suffix" or (responses and name == "instructions"):
            _see(prompt, name, b"")
            _read_texts(prompt, raw)
        elif name == "system":
            _see(prompt, name, b"")
            (_read_parts if memoryview(raw)[0] == 0x5B else _read_texts)(prompt, raw)
        elif name in _NEVER_SHOWN or (responses and name in _NEVER_SHOWN_IN_RESPONSES):
            _see(prompt, name, raw)
    prompt.other_bytes = max(prompt.other_bytes, 0)
    return prompt


def _see(prompt: Prompt, name: str, value: bytes | Raw) -> None:
    """Takes a member off what is left: name, quotes, colon, comma and value."""
    prompt.other_bytes -= len(name) + 4 + len(memoryview(value))


def _read_texts(prompt: Prompt, raw: Raw) -> None:
    try:
        if raw == _NULL:
            told: Iterable[str] = ()
        else:
            found = _texts(raw)
            told = [found] if isinstance(found, str) else found
        prompt.pieces += [text.encode() for text in told]
    except _UNREADABLE:
        try:
            _ids(raw)
        except _UNREADABLE:
            return  # a shape of its own: its bytes stay
        prompt.tokens += bytes(raw).count(b",") + 1
    prompt.other_bytes -= len(memoryview(raw))


def _read_items(prompt: Prompt, raw: Raw) -> None:
    """Of Responses: a text, or items that are messages, or what a tool was asked and has answered,
    or what a model has thought."""
    if memoryview(raw)[0] == 0x5B:
        _read_messages(prompt, raw, _PARTS_OF_ITEMS)
    else:
        prompt.tokens += TOKENS_A_MESSAGE
        _read_texts(prompt, raw)


def _read_messages(
    prompt: Prompt, raw: Raw, holds_parts: AbstractSet[str] = _PARTS_OF_MESSAGES
) -> None:
    try:
        messages = _messages(raw)
    except _UNREADABLE:
        return
    prompt.tokens += TOKENS_A_MESSAGE * len(messages)
    # Two brackets, and of each message two braces and a comma, less the comma of a last member.
    prompt.other_bytes -= 2 + sum(2 if message else 3 for message in messages) - bool(messages)
    for message in messages:
        for name, value in message.items():
            first = memoryview(value)[0]
            if first == 0x22:  # a text, whatever it is called
                if name != "role" or bytes(value) not in _ROLES:
                    prompt.pieces.append(_text(value).encode())
                _see(prompt, name, value)
            elif name in holds_parts and first == 0x5B:
                _see(prompt, name, b"")
                _read_parts(prompt, value)
            elif name in ("tool_calls", "function_call"):
                prompt.pieces.append(bytes(value))
                _see(prompt, name, value)
            elif value == _NULL:
                _see(prompt, name, value)


def _read_parts(prompt: Prompt, raw: Raw, *, inner: bool = False) -> None:
    """`inner`: these are the parts of a part, of what a tool has answered."""
    try:
        parts = _parts(raw)
    except _UNREADABLE:
        return
    for part in parts:
        if isinstance(part, str):
            prompt.pieces.append(part.encode())
            prompt.other_bytes -= len(prompt.pieces[-1])
            continue
        try:
            held = held_in(part)
        except _UNREADABLE:
            continue  # a shape of its own: its bytes stay
        for name, value in part.items():
            if name in held or (name == "type" and len(memoryview(value)) <= _MOST_TYPE_BYTES):
                _see(prompt, name, value)
            elif memoryview(value)[0] == 0x22:
                prompt.pieces.append(_text(value).encode())
                _see(prompt, name, value)
            elif name == "content" and not inner and memoryview(value)[0] == 0x5B:
                _see(prompt, name, b"")
                _read_parts(prompt, value, inner=True)
        prompt.other_bytes -= 2 if part else 3
    prompt.other_bytes -= 2 - bool(parts)
