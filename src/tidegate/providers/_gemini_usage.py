"""Gemini's `usageMetadata` turned into disjoint token classes, and doubted where it contradicts.

It counts cached tokens inside the prompt, thoughts beside the candidates, and what its own tools
found beside the prompt; of the prompt it tells how much was heard. Counts that are 0 are left out
on this wire.
"""

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import Usage
from tidegate.providers._usage import CONFLICT, are_plausible
from tidegate.text.strict_json import UNREADABLE


class _OfKind(Struct, rename="camel"):
    """How many of a class's tokens are of one kind."""

    modality: str | None = None
    token_count: int | None = None


class _Counts(Struct, rename="camel"):
    prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    total_token_count: int | None = None
    prompt_tokens_details: list[_OfKind] | None = None
    cache_tokens_details: list[_OfKind] | None = None


_decode = msgspec.json.Decoder(_Counts).decode


def read_usage(told: Raw, *, wrote: bool) -> Usage:
    """Usage so far. `wrote` says that a candidate has content already: then no count of it is
    unknown. Otherwise it is 0, where the total proves that."""
    try:
        counts = _decode(told)
    except UNREADABLE:
        return CONFLICT
    prompt, cached = counts.prompt_token_count, counts.cached_content_token_count
    candidates, thoughts = counts.candidates_token_count, counts.thoughts_token_count
    found = counts.tool_use_prompt_token_count or 0
    if (
        not prompt
        or not are_plausible(prompt, cached, candidates, thoughts, found)
        or (cached or 0) > prompt
    ):
        return CONFLICT
    known = prompt + (candidates or 0) + (thoughts or 0) + found
    total = counts.total_token_count
    if total is not None and total != known:
        return CONFLICT
    output = candidates or None
    if output is None and not wrote and (candidates == 0 or total is not None):
        output = 0
    plain = prompt - (cached or 0) + found
    heard = _heard(counts.prompt_tokens_details) - _heard(counts.cache_tokens_details)
    if not 0 <= heard <= plain:
        return CONFLICT
    return Usage(plain, cached or 0, None, output, thoughts, audio_input_tokens=heard or None)


def _heard(details: list[_OfKind] | None) -> int:
    """The tokens of audio, which cost more than those of text."""
    return sum(one.token_count or 0 for one in details or () if one.modality == "AUDIO")


def final(usage: Usage) -> Usage:
    """Usage at the end of an answer, where a count that is missing is a contradiction."""
    return CONFLICT if usage.output_tokens is None else usage
