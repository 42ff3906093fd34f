"""A request's life: served, refused, failed before and after its first byte."""

import asyncio
from pathlib import Path

import pytest
from tests.gateway.rig import HELLO, Gateway, gateway, run, target, until
from tests.gateway.upstream import (
    OK,
    STREAM_HEAD,
    Exchange,
    Upstream,
    content,
    cutting,
    streaming,
    whole,
)


def test_a_whole_answer_is_passed_on_as_it_came_and_leaves_a_receipt(tmp_path: Path) -> None:
    async def main() -> None:
        body = b'{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],  "n": 1.50 }'
        async with Upstream(whole(body)) as up, gateway(tmp_path, target(up.port)) as it:
            reply = await it.ask()
            receipt = (await it.receipt()).id
            assert (reply.status, reply.body) == (200, body)
            assert reply.headers["x-request-id"] == receipt
            assert reply.headers["x-tidegate-route"] == "small"
            assert up.exchanges[0].json == {**HELLO, "model": "served-model"}
            assert up.exchanges[0].header(b"x-request-id") == receipt.encode()

    run(main())


def test_a_stream_is_passed_on_as_it_came_less_the_usage_that_nobody_asked_for(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with Upstream(streaming(3)) as up, gateway(tmp_path, target(up.port)) as it:
            plain = await it.ask(body={**HELLO, "stream": True})
            options = {"stream": True, "stream_options": {"include_usage": True}}
            asked = await it.ask(body={**HELLO, **options})
            assert plain.whole
            assert plain.events[-1] == b"[DONE]"
            assert plain.headers["content-type"].startswith("text/event-stream")
            assert [e for e in plain.events if b"content" in e] == [
                content(f"t{i} ") for i in range(3)
            ]
            assert not any(b"usage" in event for event in plain.events)
            assert any(b'"usage"' in event for event in asked.events)
            assert up.exchanges[0].json["stream_options"] == {"include_usage": True}
            assert [r.output_tokens for r in (await it.receipt(), await it.receipt(2))] == [5, 5]

    run(main())


@pytest.mark.parametrize(
    ("sent", "code", "status"),
    [
        (b"", "upstream_unreachable", 502),
        (b"garbage\r\n\r\n", "upstream_malformed", 502),
        (OK + b"content-length: 50\r\n\r\n{", "upstream_interrupted", 502),
        (OK + b"content-length: 2\r\n\r\n{}", "upstream_malformed", 502),
        (OK + b"content-length: 9\r\n\r\n<html><p>", "upstream_malformed", 502),
        (OK + b"content-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}", "upstream_malformed", 502),
        (STREAM_HEAD + b"0\r\n\r\n", "upstream_malformed", 502),
        (b"HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n", "upstream_auth", 502),
        (b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n", "upstream_overloaded", 503),
        (b"HTTP/1.1 302 Go\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n", "upstream_error", 502),
        (b"HTTP/1.1 101 Go\r\nupgrade: x\r\n\r\n", "upstream_malformed", 502),
    ],
)
def test_a_provider_s_fault_is_an_error_of_ours(
    tmp_path: Path, sent: bytes, code: str, status: int
) -> None:
    async def main() -> None:
        async with Upstream(cutting(sent)) as up, gateway(tmp_path, target(up.port)) as it:
            reply = await it.ask()
            receipt = await it.receipt()
            assert (reply.code, reply.status) == (code, status)
            assert (receipt.error_code, receipt.status) == (code, status)
            assert receipt.error_fault == "provider"
            assert b"<html" not in reply.raw
            assert reply.headers["x-request-id"] == receipt.id
            assert ("retry-after" in reply.headers) == (status in (429, 503))

    run(main())


@pytest.mark.parametrize("tokens", [0, 1, 3])
@pytest.mark.parametrize("reset", [False, True])
def test_a_stream_cut_after_k_tokens_ends_with_one_error_event_and_no_done(
    tmp_path: Path, tokens: int, reset: bool
) -> None:
    async def main() -> None:
        relayed = asyncio.Event()

        async def cut(exchange: Exchange) -> None:
            exchange.send(STREAM_HEAD)
            for _ in range(tokens):
                exchange.say("x")
            await relayed.wait()
            if reset:
                exchange.transport.abort()
            else:
                exchange.transport.close()

        async with Upstream(cut) as up, gateway(tmp_path, target(up.port)) as it:
            asking = asyncio.ensure_future(it.ask(body={**HELLO, "stream": True}))
            await until(lambda: any(r.chunks == tokens for r in it.world.relays))
            relayed.set()
            reply, receipt = await asking, await it.receipt()
            assert receipt.error_code == "upstream_interrupted"
            if tokens == 0:
                assert (reply.status, reply.code) == (502, "upstream_interrupted")
                return
            assert (reply.status, reply.whole, receipt.interrupted) == (200, False, True)
            assert b"[DONE]" not in reply.body
            assert b'"stop"' not in reply.body
            errors = [e for e in reply.events if e.startswith(b'{"error":')]
            assert errors == reply.events[-1:]
            assert (receipt.output_tokens, receipt.tokens_estimated) == (tokens, True)
            assert receipt.cost_nanousd is not None

    run(main())


def test_an_error_event_in_a_stream_is_a_failure_and_not_the_answer_s_end(tmp_path: Path) -> None:
    async def fail(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        exchange.say("x")
        exchange.event(b'{"error":{"message":"CUDA out of memory at 0x7f","code":500}}')

    async def main() -> None:
        async with Upstream(fail) as up, gateway(tmp_path, target(up.port)) as it:
            reply = await it.ask(body={**HELLO, "stream": True})
            assert b"CUDA" not in reply.raw
            assert b'"upstream_error"' in reply.events[-1]
            receipt = await it.receipt()
            assert (receipt.interrupted, receipt.error_code) == (True, "upstream_error")
            assert receipt.cost_nanousd  # the tokens that came were produced

    run(main())


def test_a_kept_connection_that_was_closed_meanwhile_is_replaced_unseen(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole()) as up, gateway(tmp_path, target(up.port)) as it:
            await it.ask()
            [pool] = it.preparer.pools.values()
            await until(lambda: pool.in_flight == 0)

            async def close_first(exchange: Exchange) -> None:
                up.script = whole()
                exchange.transport.abort()

            up.script = close_first
            reply = await it.ask()
            receipt = await it.receipt(2)
            assert reply.status == 200
            assert [a.failure for a in receipt.attempts] == ["stale_connection", None]
            assert len(up.exchanges) == 3

    run(main())


def test_a_defect_of_ours_is_an_internal_error_that_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("the secret of the house")

    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            monkeypatch.setattr("tidegate.gateway.life.size", broken)
            reply = await it.ask()
            assert (reply.status, reply.code) == (500, "internal")
            assert b"secret" not in reply.raw
            assert (await it.receipt()).error_fault == "gateway"

    run(main())
    assert "failed inside the gateway" in caplog.text


def test_two_requests_never_see_each_other_s_bytes(tmp_path: Path) -> None:
    async def echo(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        word = exchange.json["messages"][0]["content"]
        for _ in range(20):
            exchange.say(word)
            await asyncio.sleep(0)
        exchange.end()

    async def one(it: Gateway, number: int) -> None:
        messages = [{"role": "user", "content": f"<{number}>"}]
        body = {"model": "small", "messages": messages, "stream": number % 2 == 0}
        if number % 2:
            body["stream"] = True
            reader, writer = await it.connect()
            writer.write(it.request(body=body))
            for _ in range(number % 7):
                await reader.read(100)
            writer.transport.abort()
            return
        reply = await it.ask(body=body)
        assert reply.whole
        assert reply.body.count(b"<%d>" % number) == 20 == reply.body.count(b"<")

    async def main() -> None:
        async with Upstream(echo) as up, gateway(tmp_path, target(up.port)) as it:
            for _ in range(4):
                await asyncio.gather(*(one(it, number) for number in range(30)))

    run(main())
