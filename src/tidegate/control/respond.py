"""Answers of the control API as bytes: JSON or plain text, never HTML, never cached."""

from typing import Any

import msgspec
from starlette.responses import Response

from tidegate.control.errors import ApiError

_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'",
}


class Text(msgspec.Struct, frozen=True):
    """An answer that is not JSON."""

    body: bytes
    media_type: str = "text/plain; charset=utf-8"


def answer(value: Any, status: int = 200) -> Response:
    if isinstance(value, Text):
        return Response(value.body, status, dict(_HEADERS), value.media_type)
    body = msgspec.json.encode(value)
    return Response(body, status, dict(_HEADERS), "application/json")


def refusal(error: ApiError) -> Response:
    headers = dict(_HEADERS)
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    if error.retry_after_s is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after_s)))
    return Response(error.json(), error.status, headers, "application/json")
