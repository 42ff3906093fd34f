"""Callers and targets that speak different wires, and callers that speak the target's own."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs
from tests.gateway.reply import Reply
from tests.gateway.rig import CHAT, HELLO, Gateway, gateway, run, target
from tests.gateway.upstream import (
    STREAM_HEAD,
    Exchange,
    Script,
    Upstream,
    chunk,
    completion,
    streaming,
    whole,
)

from tidegate.core.plan import Plan, Release, Route, Target

MESSAGES = "/v1/messages"
ASKED: dict[str, Any] = {**HELLO, "max_tokens": 50}
SAID: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "served",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 7, "cache_read_input_tokens": 4, "output_tokens": 5},
}
STREAMED = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message",'
    b'"role":"assistant","model":"served","content":[],"stop_reason":null,"stop_sequence":null,'
    b'"usage":{"input_tokens":7,"output_tokens":1}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
    b'"content_block":{"type":"text","text":""}}\n\n'
    b'event: ping\ndata: {"type": "ping"}\n\n'
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"hello"}}\n\n'
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn",'
    b'"stop_sequence":null},"usage":{"output_tokens":5}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)


def anthropic(port: int) -> Target:
    return target(port, dialect="anthropic")


async def stream(exchange: Exchange) -> None:
    """All of Anthropic's stream at once."""
    exchange.send(STREAM_HEAD + chunk(STREAMED) + b"0\r\n\r\n")


def told(reply: Reply) -> list[tuple[str, Any]]:
    """The events of Anthropic's wire: each data's type is its event's name."""
    found = []
    for block in reply.body.decode().removesuffix("\n\n").split("\n\n"):
        event, data = block.split("\n")
        body = msgspec.json.decode(data.removeprefix("data: "))
        assert event == f"event: {body['type']}"
        found.append((body["type"], body))
    return found


def test_an_anthropic_caller_has_an_openai_target_s_answer(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole()) as up, gateway(tmp_path, target(up.port)) as it:
            body = {**ASKED, "system": "be short", "metadata": {"user_id": "u-7"}}
            reply = await it.ask(MESSAGES, body)
            assert reply.status == 200
            assert reply.json["type"] == "message"
            assert reply.json["content"] == [{"type": "text", "text": "hello"}]
            assert reply.json["stop_reason"] == "end_turn"
            assert reply.json["usage"] == {"input_tokens": 11, "output_tokens": 5}
            assert reply.headers["request-id"] == reply.headers["x-request-id"]
            sent = up.exchanges[0]
            assert sent.path == b"/v1/chat/completions"
            assert sent.json["messages"] == [
                {"role": "system", "content": "be short"},
                {"role": "user", "content": "hi"},
            ]
            assert sent.json["max_tokens"] == 50
            receipt = await it.receipt()
            assert (receipt.dialect, receipt.end_user) == ("anthropic_messages", "u-7")
            assert (receipt.input_tokens, receipt.output_tokens) == (11, 5)
            assert receipt.output_ceiling_tokens == 50
            assert receipt.cost_nanousd == 21_000

    run(main())


def test_an_anthropic_caller_has_an_openai_target_s_stream(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(streaming(3)) as up, gateway(tmp_path, target(up.port)) as it:
            reply = await it.ask(MESSAGES, {**ASKED, "stream": True})
            assert reply.status == 200
            assert reply.whole
            assert [name for name, _ in told(reply)] == [
                "message_start",
                "content_block_start",
                *["content_block_delta"] * 3,
                "content_block_stop",
                "message_delta",
                "message_stop",
            ]
            receipt = await it.receipt()
            assert (receipt.stream, receipt.content_chunks) == (True, 3)
            assert (receipt.input_tokens, receipt.output_tokens) == (11, 5)

    run(main())


def test_an_openai_caller_has_an_anthropic_target_s_answer(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole(SAID)) as up, gateway(tmp_path, anthropic(up.port)) as it:
            reply = await it.ask(CHAT, ASKED)
            assert reply.status == 200
            [choice] = reply.json["choices"]
            assert choice["message"]["content"] == "hello"
            assert choice["finish_reason"] == "stop"
            assert reply.json["usage"]["prompt_tokens"] == 11
            assert "request-id" not in reply.headers
            sent = up.exchanges[0]
            assert sent.path == b"/v1/messages"
            assert sent.header(b"anthropic-version") == b"2023-06-01"
            assert sent.json["max_tokens"] == 50
            receipt = await it.receipt()
            assert receipt.dialect == "openai_chat"
            assert (receipt.input_tokens, receipt.cache_read_tokens) == (7, 4)

    run(main())


def test_an_openai_caller_has_an_anthropic_target_s_stream(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(stream) as up, gateway(tmp_path, anthropic(up.port)) as it:
            reply = await it.ask(CHAT, {**ASKED, "stream": True})
            assert reply.events[-1] == b"[DONE]"
            chunks = [msgspec.json.decode(event) for event in reply.events[:-1]]
            said = [c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"]]
            assert "".join(said) == "hello"
            assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
            receipt = await it.receipt()
            assert (receipt.input_tokens, receipt.output_tokens) == (7, 5)

    run(main())


@pytest.mark.parametrize(("asked", "script"), [({}, whole(SAID)), ({"stream": True}, stream)])
def test_the_same_wire_passes_as_the_bytes_that_came(
    tmp_path: Path, asked: dict[str, Any], script: Script
) -> None:
    async def main() -> None:
        async with Upstream(script) as up, gateway(tmp_path, anthropic(up.port)) as it:
            body = b'{"model":"served-model","max_tokens":50,"odd":1.50,"messages":[]%b}'
            more = b',"stream":true' if asked else b""
            headers = {"x-api-key": it.key, "anthropic-beta": "some-2026", "x-other": "mine"}
            await it.obey(plan_with(anthropic(up.port)))
            reply = await it.ask(MESSAGES, body % more, headers)
            assert reply.body == (STREAMED if asked else msgspec.json.encode(SAID))
            sent = up.exchanges[0]
            assert sent.body == body % more
            assert sent.header(b"anthropic-beta") == b"some-2026"
            assert sent.header(b"x-other") is None
            receipt = await it.receipt()
            assert (receipt.input_tokens, receipt.output_tokens) == (7, 5)

    run(main())


def plan_with(one: Target, **fields: Any) -> Plan:
    """A plan whose only route is called by the target's model."""
    route = Route(one.model, Release("r-1", one), **fields)
    return Plan(2, "digest-2", 1_700_000_000.0, {route.name: route})


async def refused(it: Gateway, **members: Any) -> Reply:
    reply = await it.ask(MESSAGES, {**ASKED, **members})
    assert set(reply.json) == {"type", "error", "request_id"}
    assert reply.json["type"] == "error"
    assert reply.json["request_id"] == reply.headers["request-id"]
    return reply


def test_errors_are_told_in_the_caller_s_wire(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole(b"{}", 529)) as up, gateway(tmp_path, target(up.port)) as it:
            for members, status, kind in (
                ({"model": "none"}, 404, "not_found_error"),
                ({"messages": "hi"}, 400, "invalid_request_error"),
                ({"max_tokens": 0}, 400, "invalid_request_error"),
                ({"max_tokens": None}, 400, "invalid_request_error"),
                ({}, 529, "overloaded_error"),
            ):
                reply = await refused(it, **members)
                assert (reply.status, reply.json["error"]["type"]) == (status, kind)
            assert reply.headers["x-should-retry"] == "true"
            assert "retry-after" in reply.headers
            unbounded = await it.ask(MESSAGES, HELLO)  # Anthropic wants it of everybody
            assert unbounded.json["error"]["message"] == "`max_tokens` is missing"
            unknown = await it.ask(MESSAGES, ASKED, {"x-api-key": "sk-tg-none"})
            assert unknown.json["error"]["type"] == "authentication_error"
            assert (await it.ask(MESSAGES, method="GET")).status == 405

    run(main())


def test_a_stream_that_is_cut_ends_in_one_error_event(tmp_path: Path) -> None:
    async def cut(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        exchange.say("half")
        exchange.transport.close()

    async def main() -> None:
        async with Upstream(cut) as up, gateway(tmp_path, target(up.port)) as it:
            reply = await it.ask(MESSAGES, {**ASKED, "stream": True})
            *before, (last, body) = told(reply)
            assert last == "error"
            assert body["error"]["type"] == "api_error"
            assert "message_stop" not in dict(before)
            assert (await it.receipt()).interrupted

    run(main())


def test_what_a_target_cannot_do_is_refused_by_name(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole(SAID)) as up, gateway(tmp_path, anthropic(up.port)) as it:
            reply = await it.ask(CHAT, {**ASKED, "n": 2})
            assert (reply.status, reply.code) == (400, "unsupported_parameter")
            assert reply.json["error"]["param"] == "n"
            assert up.exchanges == []
            receipt = await it.receipt()
            assert receipt.cost_nanousd == 0
            assert it.world.queues.at(anthropic(up.port)).in_flight == 0

    run(main())


def test_or_left_out_and_named_where_the_route_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole(SAID)) as up, gateway(tmp_path, anthropic(up.port)) as it:
            await it.obey(plan_with(anthropic(up.port), drops_unsupported=True))
            odd = "x\r\nset-cookie: a=b"
            body = {**ASKED, "model": "served-model", "logprobs": True, odd: 1}
            reply = await it.ask(CHAT, body)
            assert reply.status == 200
            assert "set-cookie" not in reply.headers
            names = reply.headers["x-tidegate-dropped"].split(",")
            assert set(names) == {"logprobs", "x__set-cookie:_a=b"}
            assert (await it.receipt()).dropped == names

    run(main())


def test_an_answer_that_is_none_is_malformed(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole(b"[]")) as up, gateway(tmp_path, anthropic(up.port)) as it:
            assert (await it.ask(CHAT, ASKED)).code == "upstream_malformed"
            up.script = whole(completion())
            assert (await it.ask(CHAT, {**ASKED, "stream": True})).code == "upstream_malformed"

    run(main())


CLAUDE = "claude-sonnet-4-5"
LONG = "Say what you mean. " * 300


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("/v1/messages", {"system": LONG}),
        ("/v1/chat/completions", {"system": None}),
    ],
)
def test_a_stable_beginning_is_marked_where_its_route_wants_it(
    tmp_path: Path, path: str, own: dict[str, Any]
) -> None:
    async def main() -> None:
        used = {"input_tokens": 7, "cache_creation_input_tokens": 1500, "output_tokens": 5}
        async with (
            Upstream(whole({**SAID, "usage": used})) as up,
            gateway(tmp_path, anthropic(up.port)) as it,
        ):
            claude = structs.replace(anthropic(up.port), model=CLAUDE)
            prompt = LONG if own["system"] is None else None
            await it.obey(plan_with(claude, prefix_marks="5m", system_prompt=prompt))
            body = {**ASKED, "model": CLAUDE}
            if prompt is None:
                body |= own
            assert (await it.ask(path, body)).status == 200
            sent = up.exchanges[0].json
            mark = {"type": "ephemeral"}
            assert sent["system"][-1] == {"type": "text", "text": LONG, "cache_control": mark}
            receipt = await it.receipt()
            assert receipt.cache_write_tokens == 1500
            assert receipt.prefix_saved_nanousd == 0  # at a price without one for writes
            counted = {"model": CLAUDE, "messages": ASKED["messages"], "system": LONG}
            await it.ask("/v1/messages/count_tokens", counted)
            assert b"cache_control" not in up.exchanges[1].body

    run(main())
