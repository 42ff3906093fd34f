"""Streams of chunks, put together by hand."""

from typing import Any

import msgspec
from msgspec import Raw

from tidegate.core.ask import Ask


def asked(**more: Any) -> Ask:
    body = b'{"model":"m","messages":[],"stream":true}'
    members = msgspec.json.decode(body, type=dict[str, Raw])
    return Ask(**{"endpoint": "chat", "body": body, "members": members, "model": "m", **more})


def sent(chunk: Any) -> bytes:
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"


def choice(index: int = 0, finish: str | None = None, **delta: Any) -> bytes:
    one = {"index": index, "delta": delta, "finish_reason": finish}
    return sent({"id": "c", "model": "served", "choices": [one]})


def usage(told: Any) -> bytes:
    return sent({"choices": [], "usage": told})


DONE = b"data: [DONE]\n\n"
