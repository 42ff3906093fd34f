"""A stream for which money is held: cut where it passes the hold, and never charged too little."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from tests.gateway.limited import budget, left, limited
from tests.gateway.rig import HELLO, run, until
from tests.gateway.upstream import (
    STREAM_HEAD,
    Exchange,
    Script,
    Upstream,
    chunk,
    content,
    cutting,
    delta,
    stalling,
    streaming,
)

USD = 10**9
STREAM = {**HELLO, "stream": True, "max_tokens": 20}
LONG = "Once upon a midnight dreary, while I pondered. " * 48  # about 480 tokens
LINE = "Once upon a midnight dreary. "


def told(*payloads: bytes) -> bytes:
    return b"".join(chunk(b"data: " + payload + b"\n\n") for payload in payloads)


def called(arguments: str) -> bytes:
    call = {"index": 0, "id": "call_0123456789", "function": {"arguments": arguments}}
    return delta({"tool_calls": [call]})


def saying(*payloads: bytes, gap: bool = False) -> Script:
    """Sends these, each by itself where there is a gap, and hangs up."""

    async def script(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        for payload in payloads:
            exchange.send(told(payload))
            if gap:
                await asyncio.sleep(0.001)
        exchange.transport.close()

    return script


@pytest.mark.parametrize("gap", [False, True])
@pytest.mark.parametrize("tokenizer", [None, "o200k"])
def test_many_tokens_a_chunk_are_cut_by_their_text_and_charged_by_it(
    tmp_path: Path, tokenizer: str | None, gap: bool
) -> None:
    async def main() -> None:
        script = saying(*[content(LONG)] * 20, gap=gap)
        async with (
            Upstream(script) as up,
            limited(tmp_path, up, budget(USD), tokenizer=tokenizer) as it,
        ):
            reply = await it.ask(body=STREAM)
            assert b"midnight" not in reply.body
            assert b"insufficient_quota" in reply.body
            receipt = await it.receipt()
            assert receipt.error_code == "insufficient_quota"
            assert receipt.tokens_estimated
            assert (receipt.output_tokens or 0) >= 400
            assert left(it, "the-spend") == USD - (receipt.cost_nanousd or 0)

    run(main())


@pytest.mark.parametrize(
    ("payload", "tokenizer", "low", "high"),
    [
        (content(LINE), None, 5 * 7, 5 * 8),  # many tokens a chunk: by their bytes
        (content(LINE), "o200k", 5 * 6, 5 * 8),
        (content(" a long token"), None, 5, 5),  # one a chunk, as engines send them
        (called(' "a'), None, 5, 5),  # what stands around a call is no text
        (called(LINE), None, 5 * 7, 5 * 8),
    ],
)
@pytest.mark.parametrize("held", [False, True])
def test_a_stream_without_usage_is_charged_by_its_text(
    tmp_path: Path, payload: bytes, tokenizer: str | None, low: int, high: int, held: bool
) -> None:
    async def main() -> None:
        limits = (budget(USD),) if held else ()
        async with (
            Upstream(saying(*[payload] * 5)) as up,
            limited(tmp_path, up, *limits, tokenizer=tokenizer) as it,
        ):
            await it.ask(body={**STREAM, "max_tokens": 60})
            receipt = await it.receipt()
            assert receipt.error_code == "upstream_interrupted"
            assert receipt.tokens_estimated
            assert low <= (receipt.output_tokens or 0) <= high

    run(main())


@pytest.mark.parametrize(
    ("payloads", "most_tokens"),
    [
        ([content(" internationalization" * 10)], 1),
        ([content(" ")] * 20, 20),
        ([called('{"argument": ')] * 20, 20),
        ([content("東京" * 2)] * 20, 20),
    ],
)
def test_an_honest_stream_is_not_cut(
    tmp_path: Path, payloads: list[bytes], most_tokens: int
) -> None:
    async def honest(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD + told(*payloads))
        exchange.end()

    async def main() -> None:
        async with Upstream(honest) as up, limited(tmp_path, up, budget(USD)) as it:
            reply = await it.ask(body={**STREAM, "max_tokens": most_tokens})
            assert reply.whole
            assert (await it.receipt()).error_code is None

    run(main())


@pytest.mark.parametrize("by_client", [False, True])
def test_what_was_thought_unseen_may_have_come_to_all_that_was_held(
    tmp_path: Path, by_client: bool
) -> None:
    async def main() -> None:
        script = stalling(0) if by_client else cutting(STREAM_HEAD)
        async with Upstream(script) as up, limited(tmp_path, up, budget(USD)) as it:
            if by_client:
                _, writer = await it.connect()
                writer.write(it.request(body=STREAM))
                await until(lambda: it.world.relays)
                writer.transport.abort()
            else:
                assert (await it.ask(body=STREAM)).code == "upstream_interrupted"
            receipt = await it.receipt()
            assert (receipt.output_tokens, receipt.cost_nanousd) == (None, None)
            most = len(msgspec.json.encode(STREAM)) * 1000 + 20 * 2000
            assert receipt.most_nanousd == most
            assert left(it, "the-spend") == USD - most

    run(main())


def test_where_all_has_come_nothing_seen_is_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        script = streaming(0, usage=None)
        async with Upstream(script) as up, limited(tmp_path, up, budget(USD)) as it:
            assert (await it.ask(body=STREAM)).whole
            receipt = await it.receipt()
            assert (receipt.output_tokens, receipt.most_nanousd) == (0, None)

    run(main())
