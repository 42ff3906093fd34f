"""Cohere's usage turned into disjoint token classes, and doubted where it contradicts.

It tells what is billed, and what the model has read and written with its template around it. Money
goes by the first; what was cached is a part of the second, and of the first only where it fits.
"""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from tidegate.core.ask import Usage
from tidegate.providers._usage import CONFLICT, are_plausible
from tidegate.text.strict_json import UNREADABLE


class _Counts(Struct):
    """Numbers on this wire may have a point."""

    input_tokens: Any = None
    output_tokens: Any = None


class _Told(Struct):
    billed_units: _Counts | None = None
    tokens: _Counts | None = None
    cached_tokens: Any = None


_decode = msgspec.json.Decoder(_Told | None).decode


def read_usage(raw: Raw, *, wants_output: bool = True) -> Usage | None:
    """None where nothing is told."""
    try:
        told = _decode(raw)
        counts = None if told is None else told.billed_units or told.tokens
        if told is None or counts is None:
            return None
        into, out = _whole(counts.input_tokens), _whole(counts.output_tokens)
        cached = _whole(told.cached_tokens)
        read = None if told.tokens is None else _whole(told.tokens.input_tokens)
    except (*UNREADABLE, ValueError, OverflowError):
        return CONFLICT
    if not wants_output:
        out = None
    if not into or (out is None and wants_output) or not are_plausible(into, out, cached):
        return CONFLICT
    if cached is not None and read is not None and cached > read:
        return CONFLICT
    if cached is None or cached > into:
        return Usage(into, None, None, out)
    return Usage(into - cached, cached, None, out)


def _whole(told: Any) -> int | None:
    """ValueError where it is no whole number."""
    if told is None:
        return None
    if isinstance(told, bool) or not isinstance(told, (int, float)) or told != int(told):
        raise ValueError("no number of tokens")
    return int(told)
