"""Streams of Anthropic's Messages, put together by hand."""

from typing import Any

import msgspec

PING = b'event: ping\ndata: {"type": "ping"}\n\n'
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


def sent(name: str, **members: Any) -> bytes:
    told = msgspec.json.encode({"type": name, **members})
    return b"event: %b\ndata: %b\n\n" % (name.encode(), told)


def start(**usage: Any) -> bytes:
    told = {"input_tokens": 7, "output_tokens": 1} | usage
    return sent("message_start", message={"id": "msg", "model": "served", "usage": told})


def block(index: int, kind: str = "text", **members: Any) -> bytes:
    content = {"type": kind, **members} if members else {"type": kind, "text": ""}
    return sent("content_block_start", index=index, content_block=content)


def delta(index: int, kind: str = "text_delta", **members: Any) -> bytes:
    return sent("content_block_delta", index=index, delta={"type": kind, **members})


def stop(index: int) -> bytes:
    return sent("content_block_stop", index=index)


def text(index: int, *pieces: str) -> bytes:
    return block(index) + b"".join(delta(index, text=one) for one in pieces) + stop(index)


def end(reason: str | None = "end_turn", sequence: str | None = None, **usage: Any) -> bytes:
    told = {"output_tokens": 3} | usage
    members = {"stop_reason": reason, "stop_sequence": sequence}
    return sent("message_delta", delta=members, usage=told)
