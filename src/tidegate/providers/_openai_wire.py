"""OpenAI's chat wire, as much of a chunk or a whole answer as the common middle has words for."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from tidegate.core.spoken import Reason
from tidegate.providers._failures import reason_of
from tidegate.providers._gemini_wire import REFUSALS

# Engines' and gateways' words beside OpenAI's own.
REASONS: dict[str, Reason] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "end_turn": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "context_full",
    "model_context_window_exceeded": "context_full",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "refusal",
    "sensitive": "refusal",
    # Google's chat completions say it in the words of Gemini's own API.
    **dict.fromkeys(REFUSALS, "refusal"),
}


class Function(Struct, gc=False):
    name: str | None = None
    arguments: Any = None


class Call(Struct, gc=False):
    index: int | None = None
    id: str | None = None
    function: Function | None = None


class Delta(Struct, gc=False):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None


class WireChoice(Struct, gc=False):
    index: int = 0
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None
    # vLLM's: the stop sequence that it met.
    stop_reason: Any = None


class Chunk(Struct, gc=False):
    choices: list[WireChoice] = []
    id: str | None = None
    model: str | None = None
    usage: Raw = Raw(b"null")


decode_chunk = msgspec.json.Decoder(Chunk).decode


def text_of(told: Any) -> str:
    """As text: some engines write the object itself."""
    if isinstance(told, str):
        return told
    return "" if told is None else msgspec.json.encode(told).decode()


def ending(choice: WireChoice, *, called: bool) -> tuple[Reason, str | None]:
    """How a choice ended; of a call that was forced by its name OpenAI and vLLM say that it just
    stopped. Failure."""
    reason = reason_of(REASONS, choice.finish_reason or "")
    if reason == "stop" and isinstance(choice.stop_reason, str):
        return "stop_sequence", choice.stop_reason
    if reason == "stop" and called:
        return "tool_calls", None
    return reason, None
