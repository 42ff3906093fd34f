"""What we refuse although the parser lets it pass. Pure checks on one request's head.

httptools (llhttp) already refuses conflicting lengths, bare line feeds, folded headers and control
characters. Here stand the rest: one Host and a sane one, one transfer coding, sizes and counts.
"""

import re

from tidegate.core.outcome import Refusal

MAX_TARGET_BYTES = 8 * 1024
MAX_HEAD_BYTES = 32 * 1024
# The same with its blanks and its request line, for a head that does not come to its end.
MAX_HEAD_RAW_BYTES = 2 * MAX_HEAD_BYTES
MAX_HEADERS = 100
# Extensions over the whole of one chunked body: this many pass and twice as many do not, wherever
# the reads were cut.
MAX_CHUNK_EXTENSION_BYTES = 2 * 1024
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


def add_header(headers: Headers, name: bytes, value: bytes) -> bool:
    """Adds one header as it comes off the wire; whether its name was there. Refusal."""
    name = name.lower()
    if name not in headers:
        headers[name] = value
        return False
    if name in SINGLE:
        raise Refusal("invalid_http", f"the header {name.decode('latin-1')} came twice")
    headers[name] = headers[name] + b", " + value
    return True


def check_count(lines: int) -> None:
    """Bounds the header lines of one head."""
    if lines > MAX_HEADERS:
        raise Refusal("headers_too_large", f"more than {MAX_HEADERS} headers")


def check_size(headers: Headers) -> None:
    """Bounds the headers of a whole head, in bytes as they would be written shortest."""
    if sum(len(name) + len(value) + 3 for name, value in headers.items()) > MAX_HEAD_BYTES:
        raise head_too_large()


def head_too_large() -> Refusal:
    return Refusal("headers_too_large", f"the headers exceed {MAX_HEAD_BYTES} bytes")


def http_minor(version: str) -> int:
    """0 or 1, of HTTP/1.0 and 1.1. Refusal for any other version."""
    if version == "1.1":
        return 1
    if version == "1.0":
        return 0
    raise Refusal("invalid_http", "only HTTP/1.1 and HTTP/1.0 are spoken here")


def check_head(headers: Headers, http_minor: int, host_seen: bytes | None) -> bytes:
    """Checks framing and Host of a complete head; the valid Host value.

    `host_seen` is a value that this connection has already shown to be valid.
    """
    host = headers.get(b"host")
    if host is None:
        raise Refusal("invalid_http", "the Host header is missing")
    if host != host_seen and not _HOST.fullmatch(host):
        raise Refusal("invalid_http", "the Host header is malformed")
    if b"upgrade" in headers:
        raise Refusal("invalid_http", "no protocol upgrade is offered here")
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
