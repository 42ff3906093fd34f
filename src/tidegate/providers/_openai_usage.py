"""OpenAI's usage object turned into disjoint token classes, and doubted where it contradicts.

OpenAI counts cached tokens inside `prompt_tokens` and reasoning inside `completion_tokens`; we
keep each token in one class. Some (xAI, Google) count reasoning beside `completion_tokens`: that is
believed where `total_tokens` proves it. Figures that cannot be true are marked, never repaired.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from tidegate.core.ask import Usage
from tidegate.providers._usage import CONFLICT, MAX_PLAUSIBLE_TOKENS


class _PromptDetails(Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None


class _CompletionDetails(Struct):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None


class OpenAIUsage(Struct):
    """The `usage` member as far as it is read."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    # What was cached, in DeepSeek's own word and in Moonshot's.
    prompt_cache_hit_tokens: int | None = None
    cached_tokens: int | None = None


def read_usage(told: Any, *, wants_output: bool) -> Usage:
    """Usage from a provider's `usage` member, whatever that is.

    `wants_output` says that the endpoint has output at all (embeddings have none).
    """
    try:
        usage = told if type(told) is OpenAIUsage else msgspec.convert(told, OpenAIUsage)
    except msgspec.ValidationError:
        return CONFLICT
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    if completion is None and not wants_output:
        completion = 0
    if prompt is None or completion is None:
        return CONFLICT
    into, out = usage.prompt_tokens_details, usage.completion_tokens_details
    cached = written = reasoning = heard = said = None
    if into is not None:
        cached, written, heard = into.cached_tokens, into.cache_write_tokens, into.audio_tokens
    if out is not None:
        reasoning, said = out.reasoning_tokens, out.audio_tokens
    if cached is None:
        cached = usage.prompt_cache_hit_tokens
        cached = usage.cached_tokens if cached is None else cached
    beside = 0
    if reasoning and usage.total_tokens == prompt + completion + reasoning:
        beside = reasoning
    plain_input, plain_output = prompt, completion
    if cached or written or reasoning or heard or said:
        plain_input -= (cached or 0) + (written or 0)
        plain_output -= (reasoning or 0) - beside
        if (
            not 0 <= plain_input <= prompt
            or not 0 <= plain_output <= completion
            or (reasoning or 0) < 0
            or (cached or 0) < 0
            or (written or 0) < 0
            or not 0 <= (heard or 0) <= prompt
            or not 0 <= (said or 0) <= completion
        ):
            return CONFLICT
    whole = usage.total_tokens
    if whole is not None and whole != prompt + completion + beside:
        return CONFLICT
    if not (0 < prompt <= MAX_PLAUSIBLE_TOKENS and 0 <= completion <= MAX_PLAUSIBLE_TOKENS):
        return CONFLICT
    shown = plain_output if wants_output else None
    return Usage(plain_input, cached, written, shown, reasoning, False, heard, said)


def total(parts: Iterable[Usage]) -> Usage:
    """The usage of several choices together; a class that none of them tells stays unknown."""
    whole = Usage()
    for part in parts:
        whole = Usage(
            _sum(whole.input_tokens, part.input_tokens),
            _sum(whole.cache_read_tokens, part.cache_read_tokens),
            _sum(whole.cache_write_tokens, part.cache_write_tokens),
            _sum(whole.output_tokens, part.output_tokens),
            _sum(whole.reasoning_tokens, part.reasoning_tokens),
            whole.conflict or part.conflict,
            _sum(whole.audio_input_tokens, part.audio_input_tokens),
            _sum(whole.audio_output_tokens, part.audio_output_tokens),
        )
    return CONFLICT if whole.conflict else whole


def _sum(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one if other is None else other
    return one + other
