"""What Bedrock's errors mean: by their type, in a header, a body or a frame; else by the status."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from tidegate.core.outcome import Failure, FailureKind
from tidegate.providers._openai_error import MAX_MESSAGE_CHARS, failure_of, retry_after_s
from tidegate.text.redact import redact
from tidegate.text.strict_json import UNREADABLE


class _Meaning(NamedTuple):
    kind: FailureKind
    code: str
    message: str


_AUTH: Final = _Meaning("unavailable", "upstream_auth", "the provider refused our credential")
_CLOCK: Final = _Meaning("unavailable", "upstream_auth", "the provider finds our clock wrong")
_BROKEN: Final = _Meaning("unavailable", "upstream_error", "the provider failed")
_BUSY: Final = _Meaning("unavailable", "upstream_overloaded", "the provider is overloaded or down")
_LIMITED: Final = _Meaning("rate_limited", "upstream_rate_limited", "the provider limits our rate")
_LATE: Final = _Meaning("timeout", "upstream_timeout", "the provider timed out")

# By type without its ending and case: `throttlingException` in a frame, `ThrottlingException` in a
# header. A type that is not here means what its status says.
_MEANINGS: Final[Mapping[str, _Meaning]] = {
    "throttling": _LIMITED,
    "toomanyrequests": _LIMITED,
    "servicequotaexceeded": _LIMITED,
    "modelnotready": _BUSY,
    "serviceunavailable": _BUSY,
    "modeltimeout": _LATE,
    "internalserver": _BROKEN,
    "internalfailure": _BROKEN,
    "modelerror": _BROKEN,
    "modelstreamerror": _BROKEN,
    "resourcenotfound": _BROKEN,
    "accessdenied": _AUTH,
    "expiredtoken": _AUTH,
    "incompletesignature": _AUTH,
    "invalidclienttokenid": _AUTH,
    "invalidsignature": _AUTH,
    "missingauthenticationtoken": _AUTH,
    "notauthorized": _AUTH,
    "optinrequired": _AUTH,
    "requestexpired": _CLOCK,
    "requesttimetooskewed": _CLOCK,
    "signaturedoesnotmatch": _AUTH,
    "unrecognizedclient": _AUTH,
}
_INVALID: Final = "validation"
# A signature is refused so far from the time that it was made at, whatever the key.
_TOO_OLD: Final = ("signature expired", "signature not yet current")
_FILTERED: Final = "blocked by our content filters"
_TOO_LONG: Final = (
    "input is too long",
    "prompt is too long",
    "exceed context limit",
    "input tokens exceeded",
    "too many input tokens",
    "maximum context length",
    "context window",
)


class _Body(Struct):
    """Some services write `message` with a capital, and say the type in the body."""

    message: str | None = None
    Message: str | None = None
    type: str | None = msgspec.field(default=None, name="__type")


def fault(status: int, headers: Mapping[str, str], body: bytes, now_s: float) -> Failure:
    """The Failure that an answer with an error status means."""
    told = _read(body)
    name = headers.get("x-amzn-errortype") or told.type or ""
    failure = _meant(name, told, retry_after_s(headers, now_s))
    return failure or failure_of(status, headers, body, now_s)


def failure_in_stream(name: str, payload: bytes) -> Failure:
    """The Failure that an exception in the stream means."""
    return _meant(name, _read(payload), None) or Failure(*_BROKEN)


def _read(body: bytes) -> _Body:
    try:
        return msgspec.json.decode(body, type=_Body)
    except UNREADABLE:
        return _Body()


def _meant(name: str, told: _Body, wait_s: float | None) -> Failure | None:
    """By the type's name, which may have a namespace before it and an address behind it."""
    plain = name.partition(":")[0].rpartition("#")[2].strip().lower().removesuffix("exception")
    if plain == _INVALID:
        return _rejected(told.message or told.Message)
    meaning = _MEANINGS.get(plain)
    if meaning is None:
        return None
    message = (told.message or told.Message or "").lower()
    if meaning is _AUTH and message.startswith(_TOO_OLD):
        meaning = _CLOCK
    wait_s = wait_s if meaning in (_LIMITED, _BUSY) else None
    return Failure(meaning.kind, meaning.code, meaning.message, retry_after_s=wait_s)


def _rejected(told: str | None) -> Failure:
    message = redact(told or "the provider rejected the request")[:MAX_MESSAGE_CHARS]
    lowered = message.lower()
    if any(words in lowered for words in _TOO_LONG):
        return Failure("overflow", "context_length_exceeded", message)
    if _FILTERED in lowered:
        return Failure("refused_by_safety", "rejected_by_provider", message)
    return Failure("rejected", "rejected_by_provider", message)
