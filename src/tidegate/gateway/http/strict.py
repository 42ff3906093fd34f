"""What we refuse although the parser lets it pass. Pure checks on one request's head.

httptools (llhttp) already refuses conflicting lengths, bare line feeds, folded headers and control
characters. Here stand the rest: one Host and a sane one, one transfer coding, sizes and counts.
"""

import re

from tidegate.core.outcome import Refusal

MAX_TARGET_BYTES = 8 * 1024
MAX_HEAD_BYTES = 32 * 1024
MAX_HEADERS = 100
# Chunk size lines and their extensions, over the whole of one chunked body.
MAX_CHUNK_EXTENSION_BYTES = 4 * 1024
CHUNK_FRAMING_BYTES = 24

_HOST = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,253}))(?::[0-9]{1,5})?"
)
_TARGET = re.compile(rb"/[!-~]*")
_ABSOLUTE = re.compile(rb"https?://([^/?#]+)(/[!-~]*)?", re.IGNORECASE)

# A second one of these could be read differently by us and by whoever stands before or behind us.
SINGLE = frozenset(
    {
        b"host",
        b"authorization",
        b"x-api-key",
        b"api-key",
        b"content-type",
        b"content-length",
        b"content-encoding",
        b"transfer-encoding",
        b"expect",
        b"connection",
    }
)

Headers = dict[bytes, bytes]


def add_header(headers: Headers, name: bytes, value: bytes) -> None:
    """Adds one header as it comes off the wire. Refusal when it must not be there."""
    name = name.lower()
    if name in headers:
        if name in SINGLE:
            raise Refusal("invalid_http", f"the header {name.decode('latin-1')} came twice")
        headers[name] = headers[name] + b", " + value
        return
    if len(headers) >= MAX_HEADERS:
        raise Refusal("headers_too_large", f"more than {MAX_HEADERS} headers")
    headers[name] = value


def check_head(headers: Headers, http_minor: int, host_seen: bytes | None) -> bytes:
    """Checks framing and Host of a complete head; the valid Host value.

    `host_seen` is a value that this connection has already shown to be valid.
    """
    host = headers.get(b"host")
    if host is None:
        raise Refusal("invalid_http", "the Host header is missing")
    if host != host_seen and not _HOST.fullmatch(host):
        raise Refusal("invalid_http", "the Host header is malformed")
    coding = headers.get(b"transfer-encoding")
    if coding is not None:
        if http_minor == 0:
            raise Refusal("invalid_http", "HTTP/1.0 has no Transfer-Encoding")
        if coding.lower() != b"chunked":
            raise Refusal("invalid_http", "the only transfer coding accepted is chunked")
        if b"content-length" in headers:
            raise Refusal("invalid_http", "Content-Length and Transfer-Encoding together")
    return host


def split_target(target: bytes, host: bytes) -> tuple[bytes, bytes]:
    """(path, query) of a request target. Nothing is decoded: a path matches as it came or not.

    An absolute form must name the same authority as Host.
    """
    if len(target) > MAX_TARGET_BYTES:
        raise Refusal("uri_too_long", f"the request target is longer than {MAX_TARGET_BYTES} bytes")
    if not _TARGET.fullmatch(target):
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is None or absolute[1].lower() != host.lower():
            raise Refusal("invalid_http", "the request target is malformed")
        target = absolute[2] or b"/"
    if b"#" in target:
        raise Refusal("invalid_http", "the request target holds a fragment")
    path, _, query = target.partition(b"?")
    return path, query


def expects_continue(headers: Headers, http_minor: int) -> bool:
    """Whether the sender holds its body back until we say so. Refusal for other expectations."""
    if headers[b"expect"].lower() != b"100-continue":
        raise Refusal("invalid_http", "the only expectation known is 100-continue")
    return http_minor == 1 and (b"content-length" in headers or b"transfer-encoding" in headers)
