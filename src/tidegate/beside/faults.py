"""What an exception of any-llm comes to in OpenAI's API: a status, a code, whose fault it is.

Classes are told by their names: only the process that asks has them.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from tidegate.beside.asking import WrongRequest
from tidegate.core.secret import CONCEALED, Secret

# Status, OpenAI's type and code. The status that a provider told goes before.
_KINDS: Final[dict[str, tuple[int, str, str | None]]] = {
    "RateLimitError": (429, "rate_limit_error", "rate_limit_exceeded"),
    "AuthenticationError": (401, "authentication_error", "invalid_api_key"),
    "MissingApiKeyError": (401, "authentication_error", "invalid_api_key"),
    "InsufficientFundsError": (402, "insufficient_quota", "insufficient_quota"),
    "InvalidRequestError": (400, "invalid_request_error", None),
    "ContentFilterError": (400, "invalid_request_error", "content_filter"),
    "ContextLengthExceededError": (400, "invalid_request_error", "context_length_exceeded"),
    "UnsupportedParameterError": (400, "invalid_request_error", "unsupported_parameter"),
    "ModelNotFoundError": (404, "invalid_request_error", "model_not_found"),
    "UnsupportedProviderError": (404, "invalid_request_error", "model_not_found"),
    "GatewayTimeoutError": (504, "api_error", None),
    "APITimeoutError": (504, "api_error", None),
    "TimeoutException": (504, "api_error", None),
    "TimeoutError": (504, "api_error", None),
    "NotImplementedError": (400, "invalid_request_error", "unsupported_parameter"),
    "Busy": (503, "api_error", "overloaded"),
    # The extra of a provider's SDK is not installed: nothing that a caller could mend.
    "ImportError": (503, "api_error", "provider_not_installed"),
}
_OTHER: Final = (502, "api_error", None)
_REQUEST: Final = "CompletionParams"  # any-llm's own reading of what it was asked
_MOST_CHARS: Final = 2000
_encode = msgspec.json.Encoder().encode


class Fault(Struct, frozen=True):
    """`retry_after` is a header's value, where the provider told one."""

    status: int
    body: bytes
    retry_after: str | None = None


def fault_of(error: BaseException, key: Secret | None) -> Fault:
    """The credential that was asked with is not in it."""
    if isinstance(error, WrongRequest):
        told = (error.status, "invalid_request_error", error.code)
        return Fault(error.status, _body(str(error), told, error.param))
    names = [kind.__name__ for kind in type(error).__mro__]
    kind = next((_KINDS[name] for name in names if name in _KINDS), _OTHER)
    if "ValidationError" in names and getattr(error, "title", None) == _REQUEST:
        kind = _KINDS["InvalidRequestError"]
    status = getattr(error, "status_code", None)
    if not isinstance(status, int) or not 400 <= status <= 599:
        status = kind[0]
    told_code = getattr(error, "code", None)
    code = kind[2] or (told_code if isinstance(told_code, str) else None)
    param = getattr(error, "param", None) or getattr(error, "parameter_name", None)
    text = str(getattr(error, "message", None) or str(error) or names[0])
    if key is not None and key.reveal():  # before anything is cut off
        text = text.replace(key.reveal(), CONCEALED.decode())
    body = _body(text[:_MOST_CHARS], (status, kind[1], code), param)
    after = getattr(error, "retry_after", None)
    return Fault(
        status,
        body if key is None or not key.reveal() else key.conceal(body),
        after if isinstance(after, str) and after.isascii() and after.isprintable() else None,
    )


def _body(message: str, told: tuple[int, str, str | None], param: Any) -> bytes:
    _, kind, code = told
    name = param if isinstance(param, str) else None
    return _encode({"error": {"message": message, "type": kind, "code": code, "param": name}})
