"""The bytes of heads and errors that we write ourselves."""

import math
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus

import msgspec
from msgspec import Struct

from tidegate.core.outcome import Excess, Failure, Refusal

# Clients retry by `retry-after`; a refusal that says "later" without one gets this.
DEFAULT_RETRY_AFTER_S = 1.0
# Beyond that a request is better given up than held back by its client.
LONGEST_WAIT_S = 60.0
REQUEST_ID = "x-request-id"

_STATUS_LINES: Mapping[int, bytes] = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}
_JSON = b"content-type: application/json\r\n"
_SSE = (
    b"content-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\nx-accel-buffering: no\r\n"
)
STREAM_HEAD = _STATUS_LINES[200] + _SSE
JSON_HEAD = _STATUS_LINES[200] + _JSON
# Of a stream that says otherwise how long it may be kept.
KEPT_STREAM_HEAD = _STATUS_LINES[200] + (
    b"content-type: text/event-stream; charset=utf-8\r\nx-accel-buffering: no\r\n"
)


class ErrorBody(Struct):
    """OpenAI's error object."""

    message: str
    type: str
    param: str | None
    code: str


class LimitBody(ErrorBody):
    """The same, and the limit that spoke."""

    limit: Excess


def status_line(status: int) -> bytes:
    return _STATUS_LINES.get(status) or b"HTTP/1.1 %d Unknown\r\n" % status


def json_head(status: int) -> bytes:
    return status_line(status) + _JSON


def text_head(status: int) -> bytes:
    return status_line(status) + b"content-type: text/plain; charset=utf-8\r\n"


def typed_head(content_type: bytes) -> bytes:
    """Of an answer that is neither JSON nor events. Nobody is to guess what else it may be."""
    nosniff = b"x-content-type-options: nosniff\r\n"
    return b"%bcontent-type: %b\r\n%b" % (_STATUS_LINES[200], content_type, nosniff)


def date_header(now_s: float) -> bytes:
    """The Date header of the second `now_s`."""
    return f"date: {formatdate(now_s, usegmt=True)}\r\n".encode()


def request_id_header(request_id: str, name: str = REQUEST_ID) -> bytes:
    return f"{name}: {request_id}\r\n".encode()


def rung_header(rung: str) -> bytes:
    """Which rung of its route's ladder a request came to last, as its receipt says."""
    return f"x-tidegate-rung: {rung}\r\n".encode("latin-1", "replace")


def error_body(no: Refusal | Failure) -> bytes:
    """`{"error": {...}}` for a whole answer or, after `data: `, for a stream."""
    code = no.code
    error = ErrorBody(message=no.message, type=code.type, param=no.param, code=code.name)
    if isinstance(no, Refusal) and no.excess is not None:
        error = LimitBody(error.message, error.type, error.param, error.code, no.excess)
    return msgspec.json.encode({"error": error})


def error_event(no: Refusal | Failure) -> bytes:
    """The one server-sent event that ends a stream which failed. No `[DONE]` follows it."""
    return b"data: " + error_body(no) + b"\n\n"


def error_head(no: Refusal | Failure, status: int | None = None) -> bytes:
    """Status line and headers of a refusal or failure, with what a client may do next. `status` is
    a dialect's own."""
    if status is None:
        status = no.code.status if isinstance(no, Refusal) else no.status
    head = json_head(status)
    # Client libraries wait as long as they are told, some for days, or come again too soon.
    soon = no.retry_after_s is None or no.retry_after_s <= LONGEST_WAIT_S
    head += b"x-should-retry: true\r\n" if no.code.retry and soon else b"x-should-retry: false\r\n"
    # Nobody is sent away for a time after which the answer would be the same.
    if status in (429, 503, 529) and (no.code.retry or no.retry_after_s is not None):
        wait_s = DEFAULT_RETRY_AFTER_S if no.retry_after_s is None else no.retry_after_s
        head += b"retry-after: %d\r\nretry-after-ms: %d\r\n" % (
            math.ceil(wait_s),
            math.ceil(wait_s * 1000),
        )
    if status == 401:
        head += b"www-authenticate: Bearer\r\n"
    return head


def bare_refusal(refusal: Refusal) -> bytes:
    """A whole refusal for a connection whose request could not be read."""
    body = error_body(refusal)
    return b"%bcontent-length: %d\r\nconnection: close\r\n\r\n%b" % (
        error_head(refusal),
        len(body),
        body,
    )


TOO_MANY_CONNECTIONS = bare_refusal(
    Refusal("overloaded", "too many connections", retry_after_s=DEFAULT_RETRY_AFTER_S)
)
