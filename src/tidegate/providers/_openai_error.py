"""What a provider's error means: whose fault, whether to retry, and what the caller may read.

A message of the provider reaches the caller only where the caller is at fault, cleaned of
anything that looks like a secret.
"""

import datetime
import email.utils
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.core.outcome import Failure, FailureKind
from tidegate.providers._failures import interrupted
from tidegate.text.redact import redact
from tidegate.text.strict_json import UNREADABLE

_encode = msgspec.json.Encoder().encode
MAX_MESSAGE_CHARS = 2000
MAX_RETRY_AFTER_S = 60.0

_OVERFLOW_CODES = frozenset({"context_length_exceeded", "string_above_max_length"})
# Azure's filter, and OpenAI's own where it has one.
_SAFETY_CODES = frozenset({"content_filter", "content_policy_violation", "moderation_blocked"})
# A prompt that OpenAI's policy flags has the code of one that cannot be read.
_FLAGGED = "invalid_prompt"
# What the process beside the gateways says of a provider whose SDK it has not.
_NOT_INSTALLED = "provider_not_installed"
_FLAGGED_WORDS = ("flagged", "for safety reasons")
_OVERFLOW_WORDS = (
    "maximum context length",
    "context size",
    "context window",
    "context length",
    "max_model_len",
    "prompt is too long",
    "exceed context limit",
    "too many tokens",
)
_ADAPTER_WORDS = ("lora", "adapter")

# Finish reasons that end nothing: whoever made the answer gave it up.
_BROKEN_OFF = frozenset({"abort", "aborted"})
_GONE_WRONG = frozenset({"error", "network_error"})
_NO_ROOM = "insufficient_system_resource"
ENDS_NOTHING: Final = _BROKEN_OFF | _GONE_WRONG | {_NO_ROOM}
# What a number says in an error that comes with status 200.
_STATUSES: Mapping[str, tuple[FailureKind, str]] = {
    "401": ("unavailable", "upstream_auth"),
    "402": ("unavailable", "upstream_auth"),
    "408": ("timeout", "upstream_timeout"),
    "503": ("unavailable", "upstream_overloaded"),
    "504": ("timeout", "upstream_timeout"),
    "529": ("unavailable", "upstream_overloaded"),
}


class _Error(Struct):
    message: str | None = None
    type: str | None = None
    param: str | None = None
    code: str | int | None = None


class _Body(Struct):
    """OpenAI nests the error; vLLM and others have it at the top, or say `detail`. A message may be
    what a reader of the request found wrong (Mistral)."""

    error: Any = None
    message: Any = None
    detail: Any = None
    code: str | int | None = None
    param: str | None = None
    type: str | None = None


def _read(body: bytes) -> _Error:
    """The error in a body, as far as there is one to be read."""
    try:
        outer = msgspec.json.decode(body, type=_Body, strict=False)
    except UNREADABLE:
        return _Error()
    if outer.error:
        return _from(outer.error)
    told = outer.detail if outer.message is None else outer.message
    message = told if told is None or isinstance(told, str) else _encode(told).decode()
    return _Error(message, outer.type, outer.param, outer.code)


def _from(told: Any) -> _Error:
    if isinstance(told, str):
        return _Error(message=told)
    try:
        return msgspec.convert(told, _Error, strict=False)
    except msgspec.ValidationError:
        return _Error()


def retry_after_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """Seconds to wait, from `retry-after-ms` or `retry-after` (number or date), within bounds.

    None when absent or unreadable; a date in the past or a negative number is 0.
    """
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name)
        if text is None:
            continue
        try:
            wait_s = float(text) * unit_s
        except ValueError:
            at_s = _date_s(text)
            if at_s is None:
                continue
            wait_s = at_s - now_s
        if wait_s == wait_s:  # noqa: PLR0124 - only NaN differs from itself
            return min(max(wait_s, 0.0), MAX_RETRY_AFTER_S)
    return None


def _date_s(text: str) -> float | None:
    """The wall-clock second that a date of HTTP names; None for other text, and for dates that no
    calendar here reaches."""
    try:
        at = email.utils.parsedate_to_datetime(text)
        return (at if at.tzinfo is not None else at.replace(tzinfo=datetime.UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def failure_of(status: int, headers: Mapping[str, str], body: bytes, now_s: float) -> Failure:
    """The Failure that an answer with an error status means."""
    error = _read(body)
    wait_s = retry_after_s(headers, now_s)
    if status == 429:
        return Failure(
            "rate_limited",
            "upstream_rate_limited",
            "the provider limits our rate",
            retry_after_s=wait_s,
        )
    if status in (401, 402, 403):
        # Our credential, not the caller's: the caller's key was good, so 401 is never passed on.
        return Failure(
            "unavailable", "upstream_auth", f"the provider refused our credential ({status})"
        )
    if status in (408, 504):
        return Failure("timeout", "upstream_timeout", f"the provider timed out ({status})")
    if error.code == _NOT_INSTALLED:
        what = "any-llm's extra for that provider is not installed beside the gateways"
        return Failure("unavailable", "upstream_error", what)
    if status in (503, 529):
        return Failure(
            "unavailable",
            "upstream_overloaded",
            f"the provider is overloaded or down ({status})",
            retry_after_s=wait_s,
        )
    if 400 <= status < 500 and status not in (404, 405):
        return _rejected(status, error)
    why = ": it has no such model, or nothing at that address" if status == 404 else ""
    return Failure("unavailable", "upstream_error", f"the provider answered {status}{why}")


def is_no_adapter(status: int, body: bytes) -> bool:
    """Whether an engine that was asked for an adapter by its name says that it has none such: vLLM
    knows no such model, SGLang and TGI speak of adapters."""
    if status == 404:
        return True
    message = (_read(body).message or "").lower()
    return 400 <= status <= 500 and any(word in message for word in _ADAPTER_WORDS)


def _rejected(status: int, error: _Error) -> Failure:
    message = redact(error.message or f"the provider rejected the request ({status})")
    message = message[:MAX_MESSAGE_CHARS]
    lowered = message.lower()
    if str(error.code) in _OVERFLOW_CODES or any(w in lowered for w in _OVERFLOW_WORDS):
        return Failure("overflow", "context_length_exceeded", message, param=error.param)
    if _is_filtered(error):
        return Failure("refused_by_safety", "rejected_by_provider", message, param=error.param)
    failure = Failure("rejected", "rejected_by_provider", message, param=error.param)
    if status in (409, 413, 415, 422):
        failure.status = status
    return failure


def _is_filtered(error: _Error) -> bool:
    if error.code != _FLAGGED:
        return error.code in _SAFETY_CODES
    message = (error.message or "").lower()
    return any(words in message for words in _FLAGGED_WORDS)


def failure_in_answer(told: Any) -> Failure:
    """The Failure that the `error` member of an answer or stream with status 200 means."""
    error = _from(told)
    code = str(error.code or "")
    if code == "429" or "rate" in code or "rate_limit" in (error.type or ""):
        return Failure("rate_limited", "upstream_rate_limited", "the provider limits our rate")
    if code in _OVERFLOW_CODES:
        return Failure("overflow", "context_length_exceeded", "the context is too long")
    if _is_filtered(error):
        message = "the provider's safety rules ended its answer"
        return Failure("refused_by_safety", "rejected_by_provider", message)
    kind, name = _STATUSES.get(code, ("unavailable", "upstream_error"))
    return Failure(kind, name, "the provider reported an error in its answer")


def broken_off(finish_reason: str) -> Failure:
    """The Failure that a finish reason means which ends no answer, one of ENDS_NOTHING."""
    if finish_reason in _BROKEN_OFF:
        return interrupted("the provider broke its answer off")
    if finish_reason in _GONE_WRONG:
        message = "the provider reported an error in its answer"
        return Failure("unavailable", "upstream_error", message)
    message = "the provider broke its answer off for want of room"
    return Failure("unavailable", "upstream_overloaded", message)
