"""What each fault puts on the wire: heads, bodies, events and usage figures, as bytes."""

import gzip
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any, Final

import msgspec

from tidegate.core import clock
from tidegate.gateway.http import answers
from tidegate.sim.script import Cue

HUGE_TOKENS: Final = 10**15
MALFORMED_EVENT: Final = b'{"id":"chatcmpl-broken","choices":[{"delta":{"content":"half'
AFTER_DONE: Final = b'{"id":"late","object":"chat.completion.chunk","choices":[]}'
BAD_CHUNK: Final = b"ZZ\r\nthis chunk has no size\r\n"
_HTML: Final = (
    b"<!doctype html><html><head><title>502 Bad Gateway</title></head>"
    b"<body><h1>502 Bad Gateway</h1><script>alert(1)</script></body></html>"
)
# What a provider must not be able to set in a client, and hop-by-hop fields.
_INJECTED: Final = (
    b"set-cookie: session=stolen; Path=/\r\n"
    b"access-control-allow-origin: *\r\n"
    b"keep-alive: timeout=1\r\n"
    b"proxy-authenticate: Basic\r\n"
    b"x-request-id: not-yours\r\n"
    b"location: https://evil.example/\r\n"
)
_BAD_HEADER: Final = b"x-split: a\nx-smuggled: yes\r\nx-nul: a\x00b\r\n"
DEFAULT_HEADERS = 10_000
DEFAULT_GIANT_BYTES = 128 * 1024 * 1024
DEFAULT_SHORTFALL_BYTES = 10

_TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    429: "rate_limit_error",
}


def error_payload(cue: Cue) -> bytes:
    """The error object, as OpenAI nests it or as older vLLM has it at the top."""
    status = cue.status
    message = f"simulated fault {status}"
    if cue.shape == "vllm":
        return msgspec.json.encode(
            {
                "object": "error",
                "message": message,
                "type": "InternalServerError" if status >= 500 else "BadRequestError",
                "param": None,
                "code": status,
            }
        )
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    error = {"message": message, "type": kind, "param": None, "code": None}
    return msgspec.json.encode({"error": error})


def status_answer(cue: Cue) -> tuple[bytes, bytes]:
    """(head, body) of the fault `status`."""
    head = answers.status_line(cue.status)
    body = b""
    if cue.body == "json":
        body = error_payload(cue)
        head += b"content-type: application/json\r\n"
    elif cue.body == "html":
        body = _HTML
        head += b"content-type: text/html\r\n"
    if cue.retry_after is not None:
        head += f"retry-after: {_retry_after(cue.retry_after)}\r\n".encode()
    return head, body


def _retry_after(text: str) -> str:
    """As written, except `date+30`: the date that is so many seconds from now."""
    if text.startswith(("date+", "date-")):
        return formatdate(clock.wall_s() + float(text[4:]), usegmt=True)
    return text.replace("\r", "").replace("\n", "")


def extra_headers(cue: Cue | None) -> bytes:
    """Header lines that the fault adds to a head."""
    if cue is None:
        return b""
    if cue.fault == "headers":
        count = DEFAULT_HEADERS if cue.size is None else cue.size
        return b"".join(b"x-many-%d: %d\r\n" % (i, i) for i in range(count))
    if cue.fault == "inject":
        return _INJECTED
    if cue.fault == "bad_header":
        return _BAD_HEADER
    return b"content-encoding: gzip\r\n" if cue.fault == "gzip" else b""


def usage_reports(cue: Cue | None, usage: dict[str, Any]) -> list[dict[str, Any]]:
    """What is said of usage, and how many times; an empty list says nothing."""
    if cue is None or cue.fault not in ("usage", "doubled"):
        return [usage]
    told = dict(usage)
    if cue.fault == "doubled":
        if cue.doubled == "reported":
            told["completion_tokens"] = usage.get("completion_tokens", 0) * 2
            told["total_tokens"] = told["completion_tokens"] + usage["prompt_tokens"]
        return [told]
    if cue.usage == "missing":
        return []
    if cue.usage == "twice":
        return [usage, usage]
    if cue.usage == "contradictory":
        told["total_tokens"] = usage["prompt_tokens"] // 2
        told["prompt_tokens_details"] = {"cached_tokens": usage["prompt_tokens"] * 3 + 7}
        return [told]
    value = {"zero": 0, "negative": -17, "huge": HUGE_TOKENS}[cue.usage]
    return [{name: value for name, v in usage.items() if isinstance(v, int)}]


def whole_body(cue: Cue, body: bytes) -> bytes:
    """The body of a whole answer as the fault leaves it."""
    if cue.fault == "malformed":
        return body[: len(body) * 2 // 3]
    if cue.fault == "gzip":
        return gzip.compress(body if cue.size is None else bytes(cue.size), mtime=0)
    if cue.fault in ("ok_error", "error"):
        return error_payload(cue)
    return body


def event_bytes(cue: Cue | None, payload: bytes) -> bytes:
    """One server-sent event, in the form that the fault gives it."""
    fault = None if cue is None else cue.fault
    if fault == "crlf":
        return b"data: " + payload + b"\r\n\r\n"
    if fault == "comments":
        return b": a comment\n\nid: 7\nretry: 100\ndata:" + payload + b"\n: inside\n\n"
    if fault == "multiline" and b',"' in payload:
        first, rest = payload.split(b',"', 1)
        return b"data: " + first + b',\ndata: "' + rest + b"\n\n"
    return b"data: " + payload + b"\n\n"
