"""What an error of Anthropic's API means. Its statuses are those of all; its words are its own."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from tidegate.core.outcome import Failure
from tidegate.providers._openai_error import failure_of
from tidegate.text.strict_json import UNREADABLE

# Told as a bad request, and nothing that the caller could mend.
_OUR_ACCOUNT = ("credit balance is too low", "usage limit")
_FILTERED = "content filtering policy"


class _Error(Struct, frozen=True):
    type: str = ""
    message: str = ""


class _Body(Struct):
    error: _Error = _Error()


def fault(status: int, headers: Mapping[str, str], body: bytes, now_s: float) -> Failure:
    """The Failure that an answer with an error status means."""
    if status == 400:
        try:
            message = msgspec.json.decode(body, type=_Body).error.message.lower()
        except UNREADABLE:
            message = ""
        if any(words in message for words in _OUR_ACCOUNT):
            return Failure("unavailable", "upstream_auth", "the provider refused our account (400)")
        if _FILTERED in message:
            return _filtered()
    return failure_of(status, headers, body, now_s)


def failure_in_answer(told: Any) -> Failure:
    """The Failure that an `error` in an answer or a stream with status 200 means."""
    try:
        error = msgspec.convert(told, _Error)
    except msgspec.ValidationError:
        error = _Error()
    if _FILTERED in error.message.lower():
        return _filtered()
    if error.type == "overloaded_error":
        return Failure("unavailable", "upstream_overloaded", "the provider is overloaded")
    if error.type == "rate_limit_error":
        return Failure("rate_limited", "upstream_rate_limited", "the provider limits our rate")
    if error.type == "timeout_error":
        return Failure("timeout", "upstream_timeout", "the provider timed out")
    if error.type in ("authentication_error", "permission_error", "billing_error"):
        return Failure("unavailable", "upstream_auth", "the provider refused our credential")
    return Failure("unavailable", "upstream_error", "the provider reported an error in its answer")


def _filtered() -> Failure:
    message = "the provider's safety rules ended its answer"
    return Failure("refused_by_safety", "rejected_by_provider", message)
