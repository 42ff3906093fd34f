"""A chunk of OpenAI's chat or text completions: the few fields that say how far an answer is."""

from typing import Any

from msgspec import Struct


class Delta(Struct, gc=False):
    """What a choice goes on with: text of one kind or another, or calls of tools."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: Any = None
    function_call: Any = None


class Choice(Struct, gc=False):
    """One choice's part of a chunk: `delta` in a chat, `text` in a completion."""

    index: int = 0
    delta: Delta | None = None
    text: str | None = None
    finish_reason: str | None = None


class Chunk(Struct, gc=False):
    """What is read of a chunk; a dialect that says more adds members."""

    choices: list[Choice] = []
    usage: Any = None
    error: Any = None
    id: str | None = None
    model: str | None = None
