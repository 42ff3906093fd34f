"""What the control API answers when it says no: OpenAI's error shape, a closed list of codes."""

from typing import Final, Literal

import msgspec
from msgspec import Struct

ErrorCode = Literal[
    "invalid_request",
    "invalid_json",
    "missing_token",
    "invalid_token",
    "role_too_low",
    "grant_too_wide",
    "host_not_allowed",
    "origin_not_allowed",
    "not_found",
    "taken",
    "changed_on_both_sides",
    "uncertified",
    "method_not_allowed",
    "body_too_large",
    "unsupported_media_type",
    "plan_refused",
    "too_many_failures",
    "internal",
    "store_unavailable",
    "stand_by",
]

_ROWS: Final[dict[ErrorCode, tuple[int, str]]] = {
    "invalid_request": (400, "invalid_request_error"),
    "invalid_json": (400, "invalid_request_error"),
    "missing_token": (401, "authentication_error"),
    "invalid_token": (401, "authentication_error"),
    "role_too_low": (403, "permission_error"),
    "grant_too_wide": (403, "permission_error"),
    "host_not_allowed": (403, "permission_error"),
    "origin_not_allowed": (403, "permission_error"),
    "not_found": (404, "invalid_request_error"),
    "taken": (409, "invalid_request_error"),
    "changed_on_both_sides": (409, "invalid_request_error"),
    "uncertified": (409, "invalid_request_error"),
    "method_not_allowed": (405, "invalid_request_error"),
    "body_too_large": (413, "invalid_request_error"),
    "unsupported_media_type": (415, "invalid_request_error"),
    "plan_refused": (422, "invalid_request_error"),
    "too_many_failures": (429, "rate_limit_error"),
    "internal": (500, "api_error"),
    "store_unavailable": (503, "api_error"),
    "stand_by": (503, "api_error"),
}


class ErrorBody(Struct):
    """The member `error` of a refusal. `problems` lists what is wrong with a refused plan."""

    message: str
    type: str
    param: str | None
    code: str
    problems: list[str] | None = None


class ApiError(Exception):
    """A refusal of the control API. `message` is shown to the operator."""

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        param: str | None = None,
        problems: list[str] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status, kind = _ROWS[code]
        self.retry_after_s = retry_after_s
        self._body = ErrorBody(message, kind, param, code, problems)

    def json(self) -> bytes:
        fields = msgspec.structs.asdict(self._body)
        if fields["problems"] is None:
            del fields["problems"]
        return msgspec.json.encode({"error": fields})
