"""Writes AWS's frames, for tests; what it writes is held against botocore's reader."""

import struct
from collections.abc import Mapping
from typing import Any
from zlib import crc32


def headers_of(headers: Mapping[str, Any]) -> bytes:
    """Booleans, texts and bytes as themselves; anything else as (kind, its bytes)."""
    out = b""
    for name, value in headers.items():
        out += bytes([len(name.encode())]) + name.encode()
        if isinstance(value, bool):
            out += b"\x00" if value else b"\x01"
        elif isinstance(value, bytes):
            out += b"\x06" + struct.pack("!H", len(value)) + value
        elif isinstance(value, str):
            out += b"\x07" + struct.pack("!H", len(value.encode())) + value.encode()
        else:
            kind, raw = value
            out += bytes([kind]) + raw
    return out


def frame(headers: Mapping[str, Any] | bytes, payload: bytes) -> bytes:
    raw = headers if isinstance(headers, bytes) else headers_of(headers)
    prelude = struct.pack("!II", 16 + len(raw) + len(payload), len(raw))
    body = prelude + struct.pack("!I", crc32(prelude)) + raw + payload
    return body + struct.pack("!I", crc32(body))


def told(name: str, payload: bytes) -> bytes:
    """One event of a service's stream."""
    kinds = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return frame(kinds, payload)


def thrown(name: str, payload: bytes) -> bytes:
    """One exception in a service's stream."""
    kinds = {":exception-type": name, ":content-type": "application/json"}
    return frame({**kinds, ":message-type": "exception"}, payload)
