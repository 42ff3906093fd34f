"""Where caller and target speak the same wire, a kept answer comes in either form of it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.gateway.cached import house
from tests.gateway.rig import run, target
from tests.gateway.upstream import Exchange, answer_bytes
from tests.providers import responses_wire

from tidegate.providers._openai_responses_forms import stream_of

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n"
ANSWER: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [{"type": "text", "text": "high tide"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 11, "output_tokens": 9},
}
BEGUN = {**ANSWER, "content": [], "stop_reason": None, "usage": {"input_tokens": 11}}
EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {**BEGUN, "usage": ANSWER["usage"]}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "high tide"},
    },
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 9},
    },
    {"type": "message_stop"},
]
WHOLE_RESPONSE = msgspec.json.encode(responses_wire.response())


def streamed_message() -> bytes:
    told = (b"event: %b\ndata: %b\n\n" % (it["type"].encode(), encode(it)) for it in EVENTS)
    return b"".join(told)


encode = msgspec.json.encode
WIRES: dict[str, tuple[str, dict[str, Any], bytes, bytes]] = {
    "anthropic": (
        "/v1/messages",
        {"model": "small", "max_tokens": 99, "messages": [{"role": "user", "content": "hi"}]},
        encode(ANSWER),
        streamed_message(),
    ),
    "openai": (
        "/v1/responses",
        {"model": "small", "input": "hi", "store": False},
        WHOLE_RESPONSE,
        stream_of(WHOLE_RESPONSE) or b"",
    ),
}


def script_of(whole: bytes, stream: bytes) -> Any:
    async def script(exchange: Exchange) -> None:
        if exchange.json.get("stream"):
            exchange.send(HEAD % len(stream) + stream)
        else:
            exchange.send(answer_bytes(200, whole))

    return script


@pytest.mark.parametrize("first", [False, True], ids=["whole-first", "stream-first"])
@pytest.mark.parametrize("wire", sorted(WIRES))
def test_a_kept_answer_comes_in_either_form(tmp_path: Path, wire: str, first: bool) -> None:
    path, body, whole, stream = WIRES[wire]

    async def main() -> None:
        aim = target(1, dialect=wire)
        async with house(tmp_path, script_of(whole, stream), aim, deterministic="any") as it:
            for streamed in (first, first, not first):
                reply = await it.it.ask(path, {**body, "stream": streamed})
                assert reply.status == 200, reply.raw
                assert b"high tide" in reply.body
                if not streamed:
                    usage = reply.json["usage"]
                    assert (usage["input_tokens"], usage["output_tokens"]) == (11, 9)
                else:
                    last = {"anthropic": b"message_stop", "openai": b"response.completed"}[wire]
                    assert b"event: %b\n" % last in reply.body
            assert await it.outcomes(3) == ["miss", "hit", "hit"]
            assert it.asked == 1

    run(main())


def test_what_a_provider_stores_is_not_kept_here_too(tmp_path: Path) -> None:
    path, body, whole, stream = WIRES["openai"]

    async def main() -> None:
        aim = target(1, dialect="openai")
        async with house(tmp_path, script_of(whole, stream), aim, deterministic="any") as it:
            for _ in range(2):
                await it.it.ask(path, {"model": body["model"], "input": body["input"]})
            assert await it.outcomes(2) == ["bypass", "bypass"]

    run(main())
