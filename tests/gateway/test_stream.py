"""The relay: held until the first token, kept alive while nothing comes, slow with the slow."""

import asyncio
from pathlib import Path

import pytest
from tests.gateway.rig import HELLO, gateway, run, target, until
from tests.gateway.upstream import (
    DONE,
    STREAM_HEAD,
    Exchange,
    Upstream,
    chunk,
    content,
    delta,
    stalling,
    streaming,
    usage_chunk,
)

from tidegate.core import clock
from tidegate.gateway.stream import MAX_HELD_BYTES

STREAM = {**HELLO, "stream": True}
ROLE = delta({"role": "assistant", "content": ""})


def test_nothing_is_sent_before_the_first_token(tmp_path: Path) -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def slow(exchange: Exchange) -> None:
            exchange.send(STREAM_HEAD)
            exchange.event(ROLE)
            await go.wait()
            exchange.say("x")
            exchange.end()

        async with Upstream(slow) as up, gateway(tmp_path, target(up.port)) as it:
            reader, writer = await it.connect()
            writer.write(it.request(body=STREAM))
            await until(lambda: any(r._held for r in it.world.relays))
            assert not reader._buffer  # type: ignore[attr-defined]
            go.set()
            body = await reader.read()
            assert ROLE in body
            assert body.endswith(b"[DONE]\n\n\r\n0\r\n\r\n")
            writer.transport.abort()

    run(main())


def test_a_silent_start_is_kept_alive_by_comments_and_still_ends_properly(tmp_path: Path) -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def slow(exchange: Exchange) -> None:
            exchange.send(STREAM_HEAD)
            await go.wait()
            exchange.say("x")
            exchange.end()

        async with Upstream(slow) as up, gateway(tmp_path, target(up.port)) as it:
            asking = asyncio.ensure_future(it.ask(body=STREAM))
            await until(lambda: it.world.relays)
            now_s = clock.monotonic_s()
            it.world.sweep(now_s + 14)
            [relay] = it.world.relays
            assert not relay.committed
            it.world.sweep(now_s + 16)
            it.world.sweep(now_s + 20)
            it.world.sweep(now_s + 32)
            go.set()
            reply = await asking
            assert reply.body.count(b": keepalive\n\n") == 2
            assert reply.whole
            assert (await it.receipt()).error_code is None

    run(main())


def test_a_start_that_goes_on_and_on_is_not_held(tmp_path: Path) -> None:
    async def main() -> None:
        async def chatter(exchange: Exchange) -> None:
            exchange.send(STREAM_HEAD)
            for _ in range(MAX_HELD_BYTES // 1000 + 10):
                exchange.send(chunk(b":" + b"x" * 1000 + b"\n\n"))
            await exchange.closed.wait()

        async with Upstream(chatter) as up, gateway(tmp_path, target(up.port)) as it:
            reader, writer = await it.connect()
            writer.write(it.request(body=STREAM))
            assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
            [relay] = it.world.relays
            assert not relay._held
            writer.transport.abort()
            await up.exchanges[0].closed.wait()

    run(main())


def test_a_reader_that_does_not_read_pauses_the_provider(tmp_path: Path) -> None:
    async def main() -> None:
        sent = [0]

        async def flood(exchange: Exchange) -> None:
            exchange.send(STREAM_HEAD)
            event = chunk(b"data: " + content("x" * 1000) + b"\n\n")
            while not exchange.closed.is_set() and sent[0] < 20_000:
                exchange.send(event)
                sent[0] += 1
                while exchange.transport.get_write_buffer_size() > 100_000:
                    await asyncio.sleep(0.001)
                    if exchange.closed.is_set():
                        return
            exchange.end()

        async with Upstream(flood) as up, gateway(tmp_path, target(up.port)) as it:
            reader, writer = await it.connect()
            writer.write(it.request(body=STREAM))
            await reader.read(100)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await until(lambda: any(c.upstream and c.upstream.paused for c in it.world.calls))
            [connection] = it.world.listener.connections
            assert connection.transport.get_write_buffer_size() < 1_000_000
            before = sent[0]
            await asyncio.sleep(0.05)
            assert sent[0] <= before + 2000  # the kernel's buffers fill, and then no more
            other = await it.ask(body={**STREAM, "model": "none"})
            assert other.status == 404
            writer.transport.resume_reading()  # type: ignore[attr-defined]
            while sent[0] <= before + 1000:
                await reader.read(1 << 20)
            writer.transport.abort()
            await until(lambda: not it.world.calls)

    run(main())


@pytest.mark.parametrize("slice_bytes", [1, 7, 64, 10_000])
def test_any_slicing_is_the_same_answer(tmp_path: Path, slice_bytes: int) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    parts = (content("h\u00e9"), content("llo"), delta({}, "length"), usage_chunk(usage))
    data = b"".join(b"data: " + part + b"\n\n" for part in parts) + DONE

    async def sliced(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        for at in range(0, len(data), slice_bytes):
            exchange.send(chunk(data[at : at + slice_bytes]))
            await asyncio.sleep(0)
        exchange.send(b"0\r\n\r\n")

    async def main() -> None:
        async with Upstream(sliced) as up, gateway(tmp_path, target(up.port)) as it:
            options = {"stream_options": {"include_usage": True}}
            reply = await it.ask(body={**STREAM, **options})
            assert reply.whole
            assert reply.body == data
            r = await it.receipt()
            assert (r.input_tokens, r.output_tokens, r.finish_reason) == (3, 2, "length")
            assert r.content_chunks == 2

    run(main())


def test_the_whole_life_of_a_stream_in_one_read(tmp_path: Path) -> None:
    async def at_once(exchange: Exchange) -> None:
        data = b"".join(
            b"data: " + part + b"\n\n" for part in (content("a"), content("b"), delta({}, "stop"))
        )
        exchange.send(STREAM_HEAD + chunk(data + DONE) + b"0\r\n\r\n")

    async def main() -> None:
        async with Upstream(at_once) as up, gateway(tmp_path, target(up.port)) as it:
            for number in range(3):
                reply = await it.ask(body=STREAM)
                assert reply.whole
                assert reply.events[-1] == b"[DONE]"
                r = await it.receipt(number + 1)
                assert (r.content_chunks, r.itl_max_s, r.output_tokens_per_s) == (2, 0.0, None)
            assert up.connected == 1  # the connection went back and was used again

    run(main())


def test_a_stream_without_a_token_and_with_a_proper_end(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Upstream(streaming(0, usage=None)) as up,
            gateway(tmp_path, target(up.port)) as it,
        ):
            reply = await it.ask(body=STREAM)
            assert (reply.status, reply.whole) == (200, True)
            r = await it.receipt()
            assert (r.output_tokens, r.ttft_s, r.finish_reason) == (0, None, "stop")

    run(main())


def test_the_gateway_s_own_end_is_an_error_event(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(stalling(2)) as up, gateway(tmp_path, target(up.port)) as it:
            asking = asyncio.ensure_future(it.ask(body=STREAM))
            await up.arrived()
            await until(lambda: any(r.chunks == 2 for r in it.world.relays))
            for call in list(it.world.calls):
                call.cut_short()
            reply, r = await asking, await it.receipt()
            assert (reply.status, reply.whole) == (200, False)
            assert b'"draining"' in reply.events[-1]
            assert b"[DONE]" not in reply.body
            assert (r.error_code, r.error_fault, r.interrupted) == ("draining", "gateway", True)
            assert (r.output_tokens, r.cancelled_by) == (2, "gateway")
            await up.exchanges[0].closed.wait()

    run(main())
