"""Requests that two HTTP implementations have been known to read differently, and odd good ones.

Every request of MALFORMED would, where a proxy before us or an engine behind us reads it another
way, smuggle or split; every request of ODD is unusual and right. Each is the whole send.
"""

from collections.abc import Mapping
from typing import Final

_BODY = b'{"a":1}'
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


def post(*headers: bytes, body: bytes = b"", target: bytes = b"/v1/x") -> bytes:
    """A POST with a Host and exactly these header lines."""
    lines = (b"POST " + target + b" HTTP/1.1", b"Host: x", *headers)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def get(*headers: bytes, target: bytes = b"/v1/models", host: bytes = b"x") -> bytes:
    lines = (b"GET " + target + b" HTTP/1.1", b"Host: " + host, *headers)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def chunked(body: bytes, coding: bytes = b"chunked") -> bytes:
    return post(b"Transfer-Encoding: " + coding, body=body)


_CHUNKS = b"7\r\n" + _BODY + b"\r\n0\r\n\r\n"

MALFORMED: Final[Mapping[str, bytes]] = {
    # two lengths
    "length and chunked": post(
        b"Content-Length: 7", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED
    ),
    "chunked and length": post(
        b"Transfer-Encoding: chunked", b"Content-Length: 7", body=b"0\r\n\r\n" + SMUGGLED
    ),
    "two lengths that differ": post(
        b"Content-Length: 7", b"Content-Length: 0", body=_BODY + SMUGGLED
    ),
    "two equal lengths": post(b"Content-Length: 7", b"Content-Length: 7", body=_BODY),
    "a list of lengths": post(b"Content-Length: 7, 7", body=_BODY),
    "a length with a plus": post(b"Content-Length: +7", body=_BODY),
    "a length with a minus": post(b"Content-Length: -1", body=_BODY),
    "a hexadecimal length": post(b"Content-Length: 0x7", body=_BODY),
    "an empty length": post(b"Content-Length: ", body=_BODY),
    "a length with a space inside": post(b"Content-Length: 7 7", body=_BODY),
    "a length beyond 64 bits": post(b"Content-Length: 18446744073709551623", body=_BODY),
    "a fractional length": post(b"Content-Length: 7.0", body=_BODY),
    # transfer codings
    "chunked twice in a list": chunked(_CHUNKS, b"chunked, chunked"),
    "chunked in two headers": post(
        b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=_CHUNKS
    ),
    "an unknown coding like chunked": chunked(_CHUNKS, b"xchunked"),
    "identity": post(b"Transfer-Encoding: identity", b"Content-Length: 7", body=_BODY),
    "identity alone": chunked(b"", b"identity"),
    "chunked before identity": chunked(_CHUNKS, b"chunked, identity"),
    "gzip and chunked": chunked(_CHUNKS, b"gzip, chunked"),
    "quoted chunked": chunked(_CHUNKS, b'"chunked"'),
    "chunked before a tab": chunked(_CHUNKS, b"chunked\t"),
    "chunked after a vertical tab": chunked(_CHUNKS, b"\x0bchunked"),
    "chunked with a parameter": chunked(_CHUNKS, b"chunked;q=1"),
    "an empty coding": chunked(_CHUNKS, b""),
    "chunked in HTTP/1.0": post(b"Transfer-Encoding: chunked", body=_CHUNKS).replace(
        b"HTTP/1.1", b"HTTP/1.0"
    ),
    "coding with a space before its colon": post(b"Transfer-Encoding : chunked", body=_CHUNKS),
    # chunk sizes
    "a chunk size with 0x": chunked(b"0x7\r\n" + _BODY + b"\r\n0\r\n\r\n"),
    "a negative chunk size": chunked(b"-7\r\n" + _BODY + b"\r\n0\r\n\r\n"),
    "a chunk size with a plus": chunked(b"+7\r\n" + _BODY + b"\r\n0\r\n\r\n"),
    "a chunk size after a space": chunked(b" 7\r\n" + _BODY + b"\r\n0\r\n\r\n"),
    "a chunk size before a tab": chunked(b"7\t\r\n" + _BODY + b"\r\n0\r\n\r\n"),
    "a chunk size beyond 64 bits": chunked(b"10000000000000007\r\n" + _BODY + b"\r\n0\r\n\r\n"),
    "an empty chunk size": chunked(b"\r\n" + _BODY + b"\r\n0\r\n\r\n"),
    "a chunk size with a bare line feed": chunked(b"7\n" + _BODY + b"\r\n0\r\n\r\n"),
    "a chunk size with a bare carriage return": chunked(b"7\r" + _BODY + b"\r\n0\r\n\r\n"),
    "a chunk without its line end": chunked(b"7\r\n" + _BODY + b"0\r\n\r\n"),
    "a chunk longer than it says": chunked(b"3\r\n" + _BODY + b"\r\n0\r\n\r\n"),
    "a chunk ended by a bare line feed": chunked(b"7\r\n" + _BODY + b"\n0\r\n\r\n"),
    "a chunk extension of 5 KiB": chunked(b"7;" + b"x" * 5120 + b"\r\n" + _BODY + b"\r\n0\r\n\r\n"),
    "5 KiB of extension in the last chunk": chunked(
        b"7\r\n" + _BODY + b"\r\n0;" + b"x" * 5120 + b"\r\n\r\n"
    ),
    "a chunk extension with a bare line feed": chunked(b"7;a=b\nc\r\n" + _BODY + b"\r\n0\r\n\r\n"),
    "trailers": chunked(b"7\r\n" + _BODY + b"\r\n0\r\nX-Late: 1\r\n\r\n"),
    "a length in the trailers": chunked(b"7\r\n" + _BODY + b"\r\n0\r\nContent-Length: 50\r\n\r\n"),
    # lines
    "a folded header": get(b"X-A: 1\r\n  2"),
    "a folded first header": b"GET / HTTP/1.1\r\n Host: x\r\nHost: x\r\n\r\n",
    "a bare line feed after a header": b"GET / HTTP/1.1\r\nHost: x\nX-A: 1\r\n\r\n",
    "a bare line feed after the request line": b"GET / HTTP/1.1\nHost: x\r\n\r\n",
    "only bare line feeds": b"GET / HTTP/1.1\nHost: x\n\n",
    "a bare carriage return in a value": get(b"X-A: 1\rX-B: 2"),
    "a bare carriage return for a line end": b"GET / HTTP/1.1\rHost: x\r\r",
    "NUL in a value": get(b"X-A: 1\x002"),
    "NUL in a name": get(b"X-\x00A: 1"),
    "a control character in a value": get(b"X-A: 1\x012"),
    "DEL in a value": get(b"X-A: 1\x7f2"),
    "a space before a colon": get(b"X-A : 1"),
    "a tab before a colon": get(b"X-A\t: 1"),
    "a header without a colon": get(b"X-A"),
    "a header without a name": get(b": 1"),
    "a space in a header's name": get(b"X A: 1"),
    "a bracket in a header's name": get(b"X[A]: 1"),
    "a header's name beyond ASCII": get(b"X-\xe4: 1"),
    # Host and target
    "no Host": b"GET / HTTP/1.1\r\nX-A: 1\r\n\r\n",
    "no Host in HTTP/1.0": b"GET / HTTP/1.0\r\n\r\n",
    "two Hosts": get(b"Host: y"),
    "an empty Host": get(host=b""),
    "a Host with a path": get(host=b"x/admin?"),
    "a Host with a space": get(host=b"a b"),
    "a Host with a comma": get(host=b"a,b"),
    "a Host with a user": get(host=b"user@x"),
    "a Host with a bad port": get(host=b"x:80x"),
    "a Host with a fragment": get(host=b"x#y"),
    "another Host than the target's": get(target=b"http://y/v1/models"),
    "a user in the target": get(target=b"http://user@x/v1/models"),
    "another scheme in the target": get(target=b"ftp://x/v1/models"),
    "a target without a slash": get(target=b"v1/models"),
    "a fragment": get(target=b"/v1/models#x"),
    "a space in the target": get(target=b"/v1/mo dels"),
    "a byte beyond ASCII in the target": get(target=b"/v1/m\xc3\xb6dels"),
    "a target that is a star": get(target=b"*").replace(b"GET", b"OPTIONS"),
    "a target of 9 KiB": get(target=b"/" + b"a" * 9216),
    # sizes
    "101 headers": get(*(b"X-%d: 1" % i for i in range(100))),
    "101 headers of one name": get(*(b"X-A: 1" for _ in range(100))),
    "one header of 33 KiB": get(b"X-A: " + b"a" * 33 * 1024),
    "40 KiB in 80 headers": get(*(b"X-%d: %b" % (i, b"a" * 512) for i in range(80))),
    # protocols
    "CONNECT": b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n",
    "CONNECT with a path": b"CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n",
    "CONNECT with an address": b"CONNECT http://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "a websocket": get(b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"),
    "an upgrade to h2c": get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c"),
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a TLS greeting": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 32,
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/1.2": b"GET / HTTP/1.2\r\nHost: x\r\n\r\n",
    "HTTP/2.0 in a request line": b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
    "a small http": b"GET / http/1.1\r\nHost: x\r\n\r\n",
    "an unknown method": get().replace(b"GET", b"GETT"),
    "a small method": get().replace(b"GET", b"get"),
    "an unknown expectation": post(b"Content-Length: 7", b"Expect: 200-ok", body=_BODY),
    "a tab in the request line": get().replace(b"GET ", b"GET\t"),
    "something after the version": get().replace(b"HTTP/1.1", b"HTTP/1.1 x"),
    "garbage": b"\x00\xff\xfe garbage\r\n\r\n",
}

_ABSOLUTE = b"http://x/v1/models?q=1"

ODD: Final[Mapping[str, tuple[bytes, bytes]]] = {
    "plain": (get(), b""),
    "a length of 0": (post(b"Content-Length: 0"), b""),
    "a length with leading zeros": (post(b"Content-Length: 007", body=_BODY), _BODY),
    "no space after a colon": (post(b"Content-Length:7", body=_BODY), _BODY),
    "spaces around a value": (post(b"Content-Length:  \t 7 \t ", body=_BODY), _BODY),
    "a header of no value": (get(b"X-Empty:"), b""),
    "one name twice": (get(b"X-A: 1", b"x-a: 2"), b""),
    "bytes beyond ASCII in a value": (get(b"X-A: gr\xc3\xbc\xc3\x9fe"), b""),
    "a tab in a value": (get(b"X-A: 1\t2"), b""),
    "chunks": (chunked(_CHUNKS), _BODY),
    "Chunked in capitals": (chunked(_CHUNKS, b"CHUNKED"), _BODY),
    "many chunks": (chunked(b"1\r\na\r\n" * 300 + b"0\r\n\r\n"), b"a" * 300),
    "a chunk size with leading zeros": (chunked(b"007\r\n" + _BODY + b"\r\n000\r\n\r\n"), _BODY),
    "a chunk size in capitals": (chunked(b"A\r\n0123456789\r\n0\r\n\r\n"), b"0123456789"),
    "a short chunk extension": (chunked(b"7;a=b\r\n" + _BODY + b"\r\n0\r\n\r\n"), _BODY),
    "no chunk but the last": (chunked(b"0\r\n\r\n"), b""),
    "the absolute form": (get(target=_ABSOLUTE), b""),
    "the absolute form in capitals": (get(target=b"HTTP://X/v1/models"), b""),
    "an IPv6 Host": (get(host=b"[::1]:4000"), b""),
    "a Host with a port": (get(host=b"x:4000"), b""),
    "an empty line first": (b"\r\n" + get(), b""),
    "100 headers": (get(*(b"X-%d: 1" % i for i in range(99))), b""),
    "31 KiB of headers": (get(*(b"X-%d: %b" % (i, b"a" * 992) for i in range(31))), b""),
    "a target of 8 KiB": (get(target=b"/" + b"a" * 8191), b""),
    "a body that looks like a request": (post(b"Content-Length: 35", body=SMUGGLED), SMUGGLED),
    "two spaces in the request line": (get().replace(b"GET ", b"GET  "), b""),
    "HTTP/1.0": (get().replace(b"HTTP/1.1", b"HTTP/1.0"), b""),
    "leave asked for and not waited for": (
        post(b"Content-Length: 7", b"Expect: 100-continue", body=_BODY),
        _BODY,
    ),
}
