"""How a request can end badly: a Refusal is our no, a Failure is theirs.

The list of codes is closed. Each says whose fault it is, the status that the caller sees, and
whether a client library may try again. The code is the metric label, and `fault` decides whether
an objective counts the request as good, bad or excluded.
"""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

Fault = Literal["caller", "policy", "provider", "gateway"]


class Code(Struct, frozen=True):
    """One row of the closed list. `type` is OpenAI's coarse error type."""

    name: str
    fault: Fault
    status: int
    type: str
    retry: bool


def _rows(fault: Fault, kind: str, rows: Mapping[str, tuple[int, bool]]) -> dict[str, Code]:
    return {name: Code(name, fault, status, kind, retry) for name, (status, retry) in rows.items()}


CODES: Final[Mapping[str, Code]] = {
    **_rows(
        "caller",
        "invalid_request_error",
        {
            "invalid_request": (400, False),
            "invalid_json": (400, False),
            "invalid_http": (400, False),
            "invalid_parameter": (400, False),
            "missing_parameter": (400, False),
            "unsupported_parameter": (400, False),
            "context_length_exceeded": (400, False),
            "rejected_by_provider": (400, False),
            "not_found": (404, False),
            "model_not_found": (404, False),
            "method_not_allowed": (405, False),
            "request_timeout": (408, True),
            "body_too_large": (413, False),
            "uri_too_long": (414, False),
            "unsupported_media_type": (415, False),
            "headers_too_large": (431, False),
            "client_closed": (499, False),
        },
    ),
    **_rows(
        "caller",
        "authentication_error",
        {
            "missing_api_key": (401, False),
            "invalid_api_key": (401, False),
            "expired_api_key": (401, False),
            "revoked_api_key": (401, False),
        },
    ),
    **_rows(
        "policy",
        "permission_error",
        {"route_not_allowed": (403, False), "caller_not_allowed": (403, False)},
    ),
    **_rows(
        "policy",
        "invalid_request_error",
        {
            "unpriced_model": (400, False),
            "input_too_long": (400, False),
            "output_too_long": (400, False),
        },
    ),
    **_rows(
        "policy",
        "rate_limit_error",
        {
            "rate_limit_exceeded": (429, True),
            "concurrency_limit_exceeded": (429, True),
            "session_limit_exceeded": (429, False),
            "turn_limit_exceeded": (429, False),
            "larger_than_limit": (429, False),
        },
    ),
    **_rows("policy", "insufficient_quota", {"insufficient_quota": (429, False)}),
    **_rows("provider", "rate_limit_error", {"upstream_rate_limited": (429, True)}),
    **_rows(
        "provider",
        "api_error",
        {
            "upstream_error": (502, True),
            "upstream_auth": (502, False),
            "upstream_unreachable": (502, True),
            "upstream_tls": (502, False),
            "upstream_malformed": (502, True),
            "upstream_invalid_answer": (502, False),
            "upstream_interrupted": (502, True),
            "upstream_too_large": (502, False),
            "upstream_overloaded": (503, True),
            "upstream_timeout": (504, True),
        },
    ),
    **_rows(
        "gateway",
        "api_error",
        {
            "internal": (500, True),
            "credential_missing": (503, False),
            "no_plan": (503, True),
            "route_off": (503, True),
            "batch_only": (503, True),
            "store_unavailable": (503, True),
            "issuer_unavailable": (503, True),
            "ledger_unavailable": (503, True),
            "overloaded": (503, True),
            "deadline_too_short": (503, False),
            "limits_unavailable": (503, True),
            "draining": (503, True),
        },
    ),
}

FailureKind = Literal[
    "unavailable",
    "rate_limited",
    "overflow",
    "malformed",
    "interrupted",
    "refused_by_safety",
    "timeout",
    "rejected",
]


class Excess(Struct, frozen=True):
    """Which limit said no, for whom, and how it stands. Amounts are the limit's own."""

    limit: str
    scope: str
    used: int
    allowed: int


class Refusal(Exception):
    """Our no. `message` is shown to the caller and must hold no secret and no caller's text.

    `excess` is there when a limit has spoken.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        param: str | None = None,
        retry_after_s: float | None = None,
        excess: Excess | None = None,
    ) -> None:
        super().__init__(message)
        self.code = CODES[code]
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s
        self.excess = excess


class Failure(Exception):
    """Their no: what a provider or the way to it did.

    `status` is what the caller sees; it differs from the code's own only where the provider
    rejected the request itself (`rejected`) and its status belongs to the caller.
    """

    def __init__(
        self,
        kind: FailureKind,
        code: str,
        message: str,
        *,
        param: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = CODES[code]
        self.message = message
        self.status = self.code.status
        self.param = param
        self.retry_after_s = retry_after_s
