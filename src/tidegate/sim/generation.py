"""What an answer will say, decided whole before the engine paces it out, token by token.

Text, tool calls and JSON are drawn from the request's seed and the digest of its prompt: the
same request gets the same answer, from any simulated engine with the same seed.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from tidegate.capacity.blocks import chain_keys
from tidegate.capacity.request import Request
from tidegate.sim import asked as ask
from tidegate.sim import structured, text
from tidegate.sim.asked import (
    MAX_CHOICES,
    Asked,
    Chat,
    Completion,
    Message,
    NamedTool,
    Problem,
    Tool,
)

_END = text.token_ids(["<|end|>"])
_MAX_KEPT_CHARS = 16_384


class ToolCall(Struct, frozen=True):
    id: str
    name: str
    arguments: str


class Choice(Struct, frozen=True):
    """One choice. `tokens[i]` is what the i-th generated token shows; the last may show nothing.

    `calls` are tool calls; their tokens are one for each call's head and then its arguments'.
    """

    tokens: Sequence[str]
    generated: int
    finish_reason: str
    calls: tuple[ToolCall, ...] = ()


class Job(Struct, frozen=True):
    """All that one request will be answered with, and what the engine is to compute for it."""

    prompt_tokens: int
    prompts: int
    choices: list[Choice]
    requests: list[Request]


class Bounds(Struct, frozen=True):
    """What the engine's operator fixed. `output_tokens` fixes the length of every answer."""

    seed: int
    context_tokens: int
    block_tokens: int
    output_tokens: int | None = None


def chat_job(asked: Chat, request_id: str, bounds: Bounds) -> Job:
    """The job of a chat request. Problem."""
    if not asked.messages:
        raise Problem(400, "`messages` must not be empty", "messages")
    prompt = _render(asked.messages, asked.tools)
    limit = asked.max_completion_tokens or asked.max_tokens
    if limit is None:
        limit = max(1, bounds.context_tokens - len(prompt))
    _check(asked, len(prompt), limit, bounds)
    seed = text.seed_of(bounds.seed, asked.seed, text.digest_of(prompt))
    drawn = [_chat_choice(asked, seed + at, limit, bounds) for at in range(asked.n or 1)]
    return _job(asked, request_id, bounds, [(prompt, drawn)])


def completion_job(asked: Completion, request_id: str, bounds: Bounds) -> Job:
    """The job of a text completion, one prompt or several. Problem."""
    limit = 16 if asked.max_tokens is None else asked.max_tokens
    answered = []
    for prompt_in in ask.inputs(asked.prompt, "prompt"):
        prompt = ask.ids_of(prompt_in)
        if not prompt:
            raise Problem(400, "`prompt` must not be empty", "prompt")
        _check(asked, len(prompt), limit, bounds)
        seed = text.seed_of(bounds.seed, asked.seed, text.digest_of(prompt))
        drawn = [_text_choice(asked, seed + at, limit, bounds) for at in range(asked.n or 1)]
        answered.append((prompt, drawn))
    return _job(asked, request_id, bounds, answered)


def _job(
    asked: Asked,
    request_id: str,
    bounds: Bounds,
    answered: Sequence[tuple[list[int], list[tuple[Choice, list[str]]]]],
) -> Job:
    choices: list[Choice] = []
    requests: list[Request] = []
    salt = f"{asked.model}\x1f{asked.cache_salt or ''}".encode()
    for prompt, drawn in answered:
        for choice, generated in drawn:
            ids = prompt + text.token_ids(generated)
            requests.append(
                Request(
                    id=f"{request_id}-{len(choices)}",
                    prompt_tokens=len(prompt),
                    output_tokens=choice.generated,
                    keys=chain_keys(ids, bounds.block_tokens, salt),
                    priority=asked.priority,
                    reason="length" if choice.finish_reason == "length" else "stop",
                )
            )
            choices.append(choice)
    prompt_tokens = sum(len(prompt) for prompt, _ in answered)
    return Job(prompt_tokens, len(answered), choices, requests)


def embedding_requests(
    prompts: Sequence[list[int]], request_id: str, bounds: Bounds
) -> list[Request]:
    """What the engine computes for embeddings: prompts only."""
    return [
        Request(f"{request_id}-{at}", len(ids), 0, chain_keys(ids, bounds.block_tokens, b"embed"))
        for at, ids in enumerate(prompts)
    ]


def _render(messages: Sequence[Message], tools: Sequence[Tool]) -> list[int]:
    """Token ids of a conversation. An answer sent back renders as the tokens that it was."""
    ids: list[int] = []
    if tools:
        ids += _cut(msgspec.json.encode(tools).decode())
    for message in messages:
        ids += text.token_ids([f"<|{message.role}|>"])
        content = message.content
        if isinstance(content, list):
            parts = [part.get("text") if part.get("type") == "text" else part for part in content]
            content = "".join(
                part if isinstance(part, str) else msgspec.json.encode(part).decode()
                for part in parts
            )
        if content:
            ids += _ids(content) if len(content) <= _MAX_KEPT_CHARS else _cut(content)
        if bytes(message.tool_calls) != b"null":
            ids += _cut(bytes(message.tool_calls).decode())
        ids += _END
    return ids + text.token_ids(["<|assistant|>"])


def _cut(content: str) -> list[int]:
    return text.token_ids(text.pieces(content))


@lru_cache(maxsize=64)
def _ids(content: str) -> tuple[int, ...]:
    """What many requests have in common, such as what a system says, is cut up once."""
    return tuple(_cut(content))


def _check(asked: Asked, prompt_tokens: int, limit: int, bounds: Bounds) -> None:
    if limit < 1:
        raise Problem(400, f"max_tokens must be at least 1, got {limit}.", "max_tokens")
    if asked.n is not None and not 1 <= asked.n <= MAX_CHOICES:
        raise Problem(400, f"n must be between 1 and {MAX_CHOICES}, got {asked.n}.", "n")
    if asked.include_usage and not asked.stream:
        raise Problem(400, "Stream options can only be defined when `stream=True`.")
    total = prompt_tokens + limit
    if total > bounds.context_tokens:
        raise Problem(
            400,
            f"This model's maximum context length is {bounds.context_tokens} tokens. However, you "
            f"requested {total} tokens ({prompt_tokens} in the messages, {limit} in the "
            "completion). Please reduce the length of the messages or completion.",
        )


def _length(asked: Asked, seed: int, limit: int, bounds: Bounds) -> int:
    """Tokens that this answer would have without stop sequences."""
    if asked.ignore_eos:
        return limit
    natural = bounds.output_tokens or max(text.natural_tokens(seed), asked.min_tokens)
    return min(natural, limit)


def _text_choice(asked: Asked, seed: int, limit: int, bounds: Bounds) -> tuple[Choice, list[str]]:
    """A choice of plain text, and its tokens as the engine made them."""
    count = _length(asked, seed, limit, bounds)
    tokens = text.words(seed, count)
    shown, generated, stopped = text.until_stop(tokens, asked.stops())
    cut = count == limit and not stopped
    return Choice(shown, generated, "length" if cut else "stop"), tokens[:generated]


def _chat_choice(asked: Chat, seed: int, limit: int, bounds: Bounds) -> tuple[Choice, list[str]]:
    try:
        calls = _tool_calls(asked, seed)
        if calls:
            return _limited(_call_tokens(calls), limit, "tool_calls", calls)
        written = asked.response_format
        if written is not None and written.type != "text":
            schema = written.json_schema.schema if written.json_schema else None
            value: Any = {} if schema is None else structured.instance(schema)
            tokens = text.pieces(msgspec.json.encode(value).decode())
            return _limited(tokens, limit, "stop", ())
    except (structured.SchemaProblem, TypeError, ValueError) as error:
        raise Problem(400, f"Invalid schema: {error}") from None
    return _text_choice(asked, seed, limit, bounds)


def _limited(
    tokens: list[str], limit: int, reason: str, calls: tuple[ToolCall, ...]
) -> tuple[Choice, list[str]]:
    cut = len(tokens) > limit
    tokens = tokens[:limit]
    return Choice(tokens, len(tokens), "length" if cut else reason, calls), tokens


def _call_tokens(calls: Sequence[ToolCall]) -> list[str]:
    """A token for each call's head, empty in text, then its arguments' tokens."""
    return [piece for call in calls for piece in ("", *text.pieces(call.arguments))]


def _tool_calls(asked: Chat, seed: int) -> tuple[ToolCall, ...]:
    """The calls that this answer makes; with `auto` every second seed makes some."""
    choice = asked.tool_choice
    if not asked.tools:
        if choice is not None and choice not in ("none", "auto"):
            raise Problem(400, "`tool_choice` needs `tools`.", "tool_choice")
        return ()
    if choice == "none" or (choice in (None, "auto") and seed % 2):
        return ()
    picked = [asked.tools[seed // 2 % len(asked.tools)]]
    if isinstance(choice, NamedTool):
        picked = [tool for tool in asked.tools if tool.function.name == choice.function.name][:1]
        if not picked:
            raise Problem(400, f"there is no tool {choice.function.name!r}", "tool_choice")
    elif asked.parallel_tool_calls and len(asked.tools) > 1:
        picked = asked.tools[:2]
    return tuple(
        ToolCall(
            id=f"call_{text.seed_of(seed, at):016x}",
            name=tool.function.name,
            arguments=msgspec.json.encode(
                structured.instance(tool.function.parameters or {"type": "object"})
            ).decode(),
        )
        for at, tool in enumerate(picked)
    )
