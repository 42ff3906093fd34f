"""What nobody knows the cost of is never nothing: it is unknown, and at most so much."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.gateway.limited import budget, left, limited
from tests.gateway.rig import HELLO, gateway, run, target, until
from tests.gateway.upstream import (
    STREAM_HEAD,
    USAGE,
    Exchange,
    Script,
    Upstream,
    chunk,
    completion,
    content,
    cutting,
    delta,
    stalling,
    streaming,
    whole,
)

from tidegate.core.price import Price, Rate
from tidegate.stores.spending import spent_nanousd

USD = 10**9
ASK = {**HELLO, "max_tokens": 20}
STREAM = {**ASK, "stream": True}


def most_of(body: dict[str, Any], output_tokens: int = 20) -> int:
    return len(msgspec.json.encode(body)) * 1000 + output_tokens * 2000


def sending(*payloads: bytes, then_stall: bool = False) -> Script:
    async def script(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        for payload in payloads:
            exchange.send(chunk(b"data: " + payload + b"\n\n"))
        if then_stall:
            await exchange.closed.wait()
        exchange.transport.close()

    return script


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("tokens", [0, 3])
def test_of_a_model_that_thinks_unseen_what_was_seen_is_not_all(
    tmp_path: Path, tokens: int, held: bool
) -> None:
    async def main() -> None:
        limits = (budget(USD),) if held else ()
        async with (
            Upstream(stalling(tokens)) as up,
            limited(tmp_path, up, *limits, hides_reasoning=True) as it,
        ):
            _, writer = await it.connect()
            writer.write(it.request(body=STREAM))
            await until(lambda: any(r.chunks == tokens for r in it.world.relays))
            writer.transport.abort()
            r = await it.receipt()
            assert (r.output_tokens, r.reasoning_tokens, r.cost_nanousd) == (None, None, None)
            assert (r.content_chunks, r.cancelled_by) == (tokens, "client")
            assert r.most_nanousd == spent_nanousd(r) == most_of(STREAM)
            if held:
                assert left(it, "the-spend") == USD - most_of(STREAM)

    run(main())


@pytest.mark.parametrize("asked", [{}, {"reasoning_effort": "low"}])
def test_what_a_model_sums_up_is_unknown_where_it_was_to_think(
    tmp_path: Path, asked: dict[str, Any]
) -> None:
    async def main() -> None:
        async with (
            Upstream(sending(content("four"))) as up,
            gateway(tmp_path, target(up.port, sums_up_reasoning=True)) as it,
        ):
            await it.ask(body={**STREAM, **asked})
            r = await it.receipt()
            assert (r.output_tokens, r.content_chunks) == (None if asked else 1, 1)
            assert (r.cost_nanousd is None) == bool(asked)

    run(main())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("usage", [None, USAGE])
def test_with_its_usage_all_is_known_and_without_it_not(
    tmp_path: Path, usage: dict[str, Any] | None, stream: bool
) -> None:
    async def main() -> None:
        script = streaming(5, usage=usage) if stream else whole(completion(usage))
        body = STREAM if stream else ASK
        async with (
            Upstream(script) as up,
            gateway(tmp_path, target(up.port, hides_reasoning=True)) as it,
        ):
            assert (await it.ask(body=body)).status == 200
            r = await it.receipt()
            assert r.most_nanousd == (most_of(body) if usage is None else None)
            assert (r.cost_nanousd is None) == (r.output_tokens is None) == (usage is None)

    run(main())


def test_the_most_is_not_less_than_what_was_seen(tmp_path: Path) -> None:
    body = {**HELLO, "stream": True}

    async def main() -> None:
        async with (
            Upstream(sending(*[content(" word")] * 30)) as up,
            gateway(
                tmp_path, target(up.port, hides_reasoning=True), assumed_output_tokens=16
            ) as it,
        ):
            await it.ask(body=body)
            r = await it.receipt()
            assert (r.content_chunks, r.cost_nanousd) == (30, None)
            assert r.most_nanousd == most_of(body, 30)

    run(main())


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_that_is_shown_is_charged_as_it_is_seen(tmp_path: Path, name: str) -> None:
    thoughts = [delta({name: " thought"})] * 4
    both = delta({"content": " seen", name: " and thought"})

    async def main() -> None:
        script = sending(*thoughts, content(" seen"), both, then_stall=True)
        async with (
            Upstream(script) as up,
            gateway(tmp_path, target(up.port, tokenizer="o200k")) as it,
        ):
            _, writer = await it.connect()
            writer.write(it.request(body=STREAM))
            await until(lambda: any(r.chunks == 6 for r in it.world.relays))
            writer.transport.abort()
            r = await it.receipt()
            assert (r.output_tokens, r.tokens_estimated) == (4 + 1 + 3, True)
            assert r.input_tokens is not None
            assert r.cost_nanousd == r.input_tokens * 1000 + 8 * 2000
            assert r.most_nanousd is None

    run(main())


@pytest.mark.parametrize("script", [stalling(None), stalling(0), cutting(STREAM_HEAD)])
@pytest.mark.parametrize("price", [True, False])
def test_left_before_the_first_byte_the_cost_is_unknown_and_bounded_where_a_price_is_known(
    tmp_path: Path, script: Script, price: bool
) -> None:
    async def main() -> None:
        fields: dict[str, Any] = {} if price else {"price": None}
        async with Upstream(script) as up, gateway(tmp_path, target(up.port, **fields)) as it:
            _, writer = await it.connect()
            writer.write(it.request(body=STREAM))
            await until(lambda: up.exchanges)
            await asyncio.sleep(0.01)
            writer.transport.abort()
            r = await it.receipt()
            assert (r.output_tokens, r.cost_nanousd) == (None, None)
            assert r.most_nanousd == (most_of(STREAM) if price else None)

    run(main())


PRIORITY = Price("", "plan", input=Rate(10**10), output=Rate(2 * 10**10))
TIERED = Price(
    *("x", "plan", Rate(10**9)), output=Rate(2 * 10**9), service_tiers=(("priority", PRIORITY),)
)
USUAL = 11 * 1000 + 5 * 2000


@pytest.mark.parametrize(
    ("asked", "served", "cost"),
    [
        (None, None, USUAL),
        ("priority", None, 10 * USUAL),
        ("priority", "priority", 10 * USUAL),
        ("priority", "default", USUAL),  # it had no place there, and charges as it served
        (None, "priority", 10 * USUAL),  # as the provider's project is set
        ("flex", "flex", USUAL),
        ("scale", None, None),
        ("auto", "scale", None),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_charged_is_the_class_of_service_that_served(
    tmp_path: Path, asked: str | None, served: str | None, cost: int | None, stream: bool
) -> None:
    told = {} if served is None else {"service_tier": served}
    usage = {"id": "up-1", "choices": [], "usage": USAGE, **told}

    async def streamed(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        for payload in (content("a"), content("b"), delta({}, "stop"), msgspec.json.encode(usage)):
            exchange.send(chunk(b"data: " + payload + b"\n\n"))
        exchange.send(chunk(b"data: [DONE]\n\n"))

    async def main() -> None:
        script = streamed if stream else whole({**completion(), **told})
        body = {**ASK, "stream": stream} | ({} if asked is None else {"service_tier": asked})
        async with Upstream(script) as up, gateway(tmp_path, target(up.port, price=TIERED)) as it:
            assert (await it.ask(body=body)).status == 200
            r = await it.receipt()
            assert (r.cost_nanousd, r.service_tier) == (cost, served or asked)
            assert (r.most_nanousd is None) == (cost is not None)
            assert r.most_nanousd is None or r.most_nanousd >= USUAL

    run(main())


HEARING = [{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}]
SAID = 'say `input_audio`, "input_audio", audio'


@pytest.mark.parametrize(
    ("asked", "audio", "known"),
    [
        ({"messages": [{"role": "user", "content": HEARING}]}, (None, None), False),
        ({"messages": [{"role": "user", "content": HEARING}]}, (0, None), True),
        ({"messages": [{"role": "user", "content": HEARING}]}, (3, None), False),
        ({"messages": [{"role": "user", "content": SAID}]}, (None, None), True),
        ({"modalities": ["text", "audio"]}, (None, None), False),
        ({"modalities": ["text", "audio"]}, (None, 0), True),
        ({"modalities": ["text", "audio"]}, (None, 4), False),
        ({"modalities": ["text"]}, (None, None), True),
        ({"web_search_options": {}}, (None, None), False),
    ],
)
def test_what_no_rate_is_known_for_is_not_charged_as_text(
    tmp_path: Path, asked: dict[str, Any], audio: tuple[int | None, int | None], known: bool
) -> None:
    heard, said = audio
    usage = {
        **USAGE,
        "prompt_tokens_details": {"audio_tokens": heard},
        "completion_tokens_details": {"audio_tokens": said},
    }

    async def main() -> None:
        script = whole(completion(usage))
        async with Upstream(script) as up, gateway(tmp_path, target(up.port)) as it:
            assert (await it.ask(body={**ASK, **asked})).status == 200
            r = await it.receipt()
            assert r.cost_nanousd == (USUAL if known else None)
            assert (r.most_nanousd is None) == known
            assert (r.audio_input_tokens, r.audio_output_tokens) == audio

    run(main())
