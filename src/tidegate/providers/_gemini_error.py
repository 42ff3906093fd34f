"""What an error of Google's APIs means. Its statuses are those of all, but a key that is bad and an
account that may not ask are told as bad requests: nothing that the caller could mend."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from tidegate.core.outcome import Failure
from tidegate.providers._openai_error import failure_of
from tidegate.text.strict_json import UNREADABLE

_OUR_KEY = frozenset({"API_KEY_INVALID", "API_KEY_SERVICE_BLOCKED", "SERVICE_DISABLED"})
_OVERFLOW_WORDS = "exceeds the maximum number of tokens"


class _Detail(Struct, rename="camel"):
    """One entry of `details`: an ErrorInfo has a reason, a RetryInfo a delay, as in `34.07s`."""

    reason: str | None = None
    retry_delay: str | None = None


class _Error(Struct):
    code: int = 0
    message: str = ""
    status: str = ""
    details: list[_Detail] = []


class _Body(Struct):
    error: _Error


def fault(status: int, headers: Mapping[str, str], body: bytes, now_s: float) -> Failure:
    """The Failure that an answer with an error status means."""
    return _failure(status, headers, _read(body), now_s)


def failure_in_answer(told: Any) -> Failure:
    """The Failure that the `error` member of an answer or stream with status 200 means."""
    try:
        error = msgspec.convert(told, _Error)
    except msgspec.ValidationError:
        error = _Error()
    if not 400 <= error.code <= 599:
        error = _Error(500)
    return _failure(error.code, {}, error, 0.0)


def _read(body: bytes) -> _Error:
    """The error in a body; where a stream was asked for it may stand in a list."""
    try:
        if body.lstrip()[:1] == b"[":
            bodies = msgspec.json.decode(body, type=list[_Body])
            return bodies[0].error if bodies else _Error()
        return msgspec.json.decode(body, type=_Body).error
    except UNREADABLE:
        return _Error()


def _failure(status: int, headers: Mapping[str, str], error: _Error, now_s: float) -> Failure:
    if status == 400 and (
        error.status == "FAILED_PRECONDITION"
        or any(detail.reason in _OUR_KEY for detail in error.details)
    ):
        return Failure("unavailable", "upstream_auth", "the provider refused our account (400)")
    delays = [detail.retry_delay for detail in error.details if detail.retry_delay]
    if delays and "retry-after" not in headers:
        headers = {**headers, "retry-after": delays[0].removesuffix("s")}
    plain = {"message": error.message} if error.message else {}
    failure = failure_of(status, headers, msgspec.json.encode({"error": plain}), now_s)
    if failure.kind == "rejected" and _OVERFLOW_WORDS in failure.message:
        return Failure("overflow", "context_length_exceeded", failure.message)
    return failure
