"""OpenAI's usage object turned into disjoint token classes, and doubted where it contradicts.

OpenAI counts cached tokens inside `prompt_tokens` and reasoning inside `completion_tokens`; we
keep each token in one class. Figures that cannot be true are marked, never repaired.
"""

from typing import Any

import msgspec
from msgspec import Struct

from tidegate.core.ask import Usage

# No request of today's models comes near; beyond it a figure is noise.
MAX_PLAUSIBLE_TOKENS = 100_000_000

CONFLICT = Usage(conflict=True)


class _PromptDetails(Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _CompletionDetails(Struct):
    reasoning_tokens: int | None = None


class _Usage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None


def read_usage(told: Any, *, has_output: bool, wants_output: bool) -> Usage:
    """Usage from a provider's `usage` member, whatever that is.

    `has_output` says that content was seen, so 0 output tokens cannot be true; `wants_output`
    that the endpoint has output at all (embeddings have none).
    """
    try:
        usage = msgspec.convert(told, _Usage)
    except msgspec.ValidationError:
        return CONFLICT
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    if completion is None and not wants_output:
        completion = 0
    if prompt is None or completion is None:
        return CONFLICT
    prompt_details = usage.prompt_tokens_details or _PromptDetails()
    completion_details = usage.completion_tokens_details or _CompletionDetails()
    cached, written = prompt_details.cached_tokens, prompt_details.cache_write_tokens
    reasoning = completion_details.reasoning_tokens
    plain_input = prompt - (cached or 0) - (written or 0)
    plain_output = completion - (reasoning or 0)
    figures = (prompt, completion, cached or 0, written or 0, reasoning or 0)
    if (
        min(figures) < 0
        or max(figures) > MAX_PLAUSIBLE_TOKENS
        or plain_input < 0
        or plain_output < 0
        or prompt == 0
        or (completion == 0 and has_output)
        or (usage.total_tokens is not None and usage.total_tokens != prompt + completion)
    ):
        return CONFLICT
    return Usage(
        input_tokens=plain_input,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        output_tokens=plain_output if wants_output else None,
        reasoning_tokens=reasoning,
    )
