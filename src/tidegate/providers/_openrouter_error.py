"""OpenRouter's errors: 403 is a credential's, or a prompt's that moderation has flagged."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from tidegate.core.outcome import Failure
from tidegate.providers._openai_error import failure_of
from tidegate.text.strict_json import UNREADABLE


class _Metadata(Struct):
    reasons: Any = None
    flagged_input: Any = None


class _Error(Struct):
    metadata: _Metadata | None = None


class _Body(Struct):
    error: _Error


_decode = msgspec.json.Decoder(_Body).decode


def fault(status: int, headers: Mapping[str, str], body: bytes, now_s: float) -> Failure:
    """The Failure that an answer with an error status means."""
    if status == 403 and _is_flagged(body):
        message = "the provider's moderation flagged the prompt"
        return Failure("refused_by_safety", "rejected_by_provider", message)
    return failure_of(status, headers, body, now_s)


def _is_flagged(body: bytes) -> bool:
    try:
        told = _decode(body).error.metadata
    except UNREADABLE:
        return False
    return told is not None and bool(told.reasons or told.flagged_input)
