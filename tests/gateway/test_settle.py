"""What a receipt says: whose tokens, what cost, who spent the time."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.rig import FREE, HELLO, gateway, run, target, until
from tests.gateway.upstream import (
    DONE,
    STREAM_HEAD,
    Exchange,
    Upstream,
    chunk,
    completion,
    content,
    delta,
    stalling,
    streaming,
    whole,
)

from tidegate.core.plan import Deadlines, Price, Rate

STREAM = {**HELLO, "stream": True}
# prompt 100 = 60 plain + 30 read + 10 written; completion 50 = 30 plain + 20 reasoning
CLASSES = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "total_tokens": 150,
    "prompt_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 10},
    "completion_tokens_details": {"reasoning_tokens": 20},
}


def per_mtok(usd: float) -> Rate:
    return Rate(int(usd * 1e9))


@pytest.mark.parametrize("stream", [False, True])
def test_token_classes_are_disjoint_and_each_is_charged_at_its_rate(
    tmp_path: Path, stream: bool
) -> None:
    price = Price(
        "plan:x",
        "plan",
        input=per_mtok(1),
        cache_read=per_mtok(0.1),
        cache_write=per_mtok(1.25),
        output=per_mtok(4),
        reasoning=per_mtok(8),
        request_nanousd=7,
    )

    async def main() -> None:
        script = streaming(5, usage=CLASSES) if stream else whole(completion(CLASSES))
        async with Upstream(script) as up, gateway(tmp_path, target(up.port, price=price)) as it:
            await it.ask(body={**HELLO, "stream": stream})
            r = await it.receipt()
            assert (r.input_tokens, r.cache_read_tokens, r.cache_write_tokens) == (60, 30, 10)
            assert (r.output_tokens, r.reasoning_tokens) == (30, 20)
            assert not r.tokens_estimated
            assert r.cost_nanousd == 60_000 + 3_000 + 12_500 + 120_000 + 160_000 + 7
            assert r.price_version == "plan:x"
            assert r.attempts[0].cost_nanousd == r.cost_nanousd
            assert r.finish_reason == "stop"
            assert r.model_served == "served"
            assert r.provider_request_id == "up-1"

    run(main())


@pytest.mark.parametrize(
    ("usage", "conflict"),
    [
        (None, False),
        ({**CLASSES, "total_tokens": 7}, True),
        ({**CLASSES, "prompt_tokens": -1}, True),
        ({**CLASSES, "prompt_tokens": 10**30}, True),
        ({**CLASSES, "completion_tokens": 0, "total_tokens": 100}, True),
        ({**CLASSES, "prompt_tokens_details": {"cached_tokens": 5000}}, True),
        ({"prompt_tokens": "many"}, True),
        ([], True),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_usage_that_is_missing_or_contradicts_is_estimated_and_labelled(
    tmp_path: Path, stream: bool, usage: Any, conflict: bool
) -> None:
    async def main() -> None:
        script = streaming(5, usage=usage) if stream else whole(completion(usage, "a" * 40))
        async with Upstream(script) as up, gateway(tmp_path, target(up.port)) as it:
            reply = await it.ask(body={**HELLO, "stream": stream})
            assert reply.status == 200
            r = await it.receipt()
            assert (r.usage_conflict, r.tokens_estimated) == (conflict, True)
            assert r.output_tokens == (5 if stream else 10)
            assert r.input_tokens is not None
            assert r.input_tokens > 0
            assert r.cost_nanousd == r.input_tokens * 1000 + r.output_tokens * 2000

    run(main())


def test_a_known_tokenizer_counts_exactly(tmp_path: Path) -> None:
    async def main() -> None:
        script = streaming(5, usage=None)
        async with (
            Upstream(script) as up,
            gateway(tmp_path, target(up.port, tokenizer="o200k")) as it,
        ):
            await it.ask(body=STREAM)
            r = await it.receipt()
            assert r.tokens_estimated
            assert r.input_tokens == 1 + 4  # "hi", and what a message adds
            assert r.output_tokens is not None
            assert r.output_tokens >= 10  # "t0 t1 t2 t3 t4 "

    run(main())


def test_what_is_free_costs_nothing_and_what_has_no_price_costs_nobody_knows_what(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with Upstream() as up:
            targets = [
                target(up.port, "free", price=FREE),
                target(up.port, "unknown", price=None),
                target(up.port, "half", price=Price("p", "plan", input=per_mtok(1))),
            ]
            async with gateway(tmp_path, *targets) as it:
                for name in ("free", "unknown", "half"):
                    await it.ask(body={**HELLO, "model": name})
                receipts = [await it.receipt(n) for n in (1, 2, 3)]
                assert [r.cost_nanousd for r in receipts] == [0, None, None]
                assert [r.price_version for r in receipts] == ["free", None, "p"]

    run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_the_split_of_the_time_adds_up(tmp_path: Path, stream: bool) -> None:
    async def slow(exchange: Exchange) -> None:
        await asyncio.sleep(0.02)
        await (streaming(4, gap_s=0.01) if stream else whole())(exchange)

    async def main() -> None:
        async with Upstream(slow) as up, gateway(tmp_path, target(up.port)) as it:
            await it.ask(body={**HELLO, "stream": stream})
            r = await it.receipt()
            parts = (r.gateway_s, r.queue_s, r.connect_s, r.first_token_s, r.generation_s)
            assert r.total_s == pytest.approx(sum(p for p in parts if p is not None), abs=1e-9)
            assert all(p is None or p >= 0 for p in parts)
            assert (r.first_token_s is None) == (not stream)
            [attempt] = r.attempts
            assert attempt.started_s <= attempt.sent_s <= attempt.ended_s  # type: ignore[operator]

    run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_the_time_that_a_stale_connection_took_is_told_once(tmp_path: Path, stream: bool) -> None:
    """It is a part of reaching the provider, and stands on the attempt that it took."""

    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:

            async def close(exchange: Exchange) -> None:
                up.script = streaming(4) if stream else whole()
                exchange.transport.close()

            await it.ask()
            [pool] = it.preparer.pools.values()
            await until(lambda: pool.in_flight == 0)
            up.script = close
            await it.ask(body={**HELLO, "stream": stream})
            r = await it.receipt(2)
            stale, last = r.attempts
            assert stale.failure == "stale_connection"
            times = (stale.started_s, stale.sent_s, stale.ended_s, last.started_s, last.sent_s)
            assert None not in times
            assert list(times) == sorted(times)  # type: ignore[type-var]
            took_s = stale.ended_s - stale.started_s  # type: ignore[operator]
            assert took_s > 0
            assert r.connect_s == pytest.approx(took_s + last.connect_s, abs=1e-9)
            parts = (r.gateway_s, r.queue_s, r.connect_s, r.first_token_s, r.generation_s)
            assert r.total_s == pytest.approx(sum(p for p in parts if p is not None), abs=1e-9)

    run(main())


def test_what_the_user_feels_is_what_the_provider_s_own_clock_says(tmp_path: Path) -> None:
    async def main() -> None:
        script = streaming(8, gap_s=0.02)
        async with Upstream(script) as up, gateway(tmp_path, target(up.port)) as it:
            await it.ask(body=STREAM)
            r = await it.receipt()
            [exchange] = up.exchanges
            times = exchange.sent_s[1:9]  # of the content tokens
            gaps = [b - a for a, b in itertools.pairwise(times)]
            assert r.content_chunks == 8
            assert r.first_token_s == pytest.approx(times[0] - exchange.received_s, abs=0.05)
            assert r.ttft_s is not None
            assert r.ttft_s >= times[0] - exchange.received_s
            assert r.itl_mean_s == pytest.approx(sum(gaps) / 7, abs=0.01)
            assert r.itl_max_s == pytest.approx(max(gaps), abs=0.05)
            assert r.output_tokens_per_s == pytest.approx(5 / sum(gaps), rel=0.3)

    run(main())


def test_a_provider_that_is_not_reached_costs_nothing_and_took_the_time(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up:
            port = up.port
        async with gateway(tmp_path, target(port)) as it:
            reply = await it.ask()
            assert (reply.status, reply.code) == (502, "upstream_unreachable")
            r = await it.receipt()
            assert (r.cost_nanousd, r.input_tokens, r.output_tokens) == (0, None, None)
            assert r.attempts[0].failure == "unavailable"
            assert r.connect_s is not None
            assert r.gateway_s is not None
            assert r.total_s == pytest.approx(r.gateway_s + r.connect_s, abs=1e-3)

    run(main())


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_a_request_that_the_provider_refused_costs_nothing(tmp_path: Path, status: int) -> None:
    async def main() -> None:
        script = whole({"error": {"message": "no"}}, status)
        async with Upstream(script) as up, gateway(tmp_path, target(up.port)) as it:
            reply = await it.ask()
            r = await it.receipt()
            assert (r.cost_nanousd, r.output_tokens) == (0, None)
            assert r.status == reply.status
            assert r.attempts[0].status == status
            assert r.attempts[0].failure is not None

    run(main())


def test_a_whole_answer_that_never_came_has_unknown_output_and_cost(tmp_path: Path) -> None:
    async def main() -> None:
        deadlines = Deadlines(total_s=5)
        async with (
            Upstream(stalling(None)) as up,
            gateway(tmp_path, target(up.port, deadlines=deadlines)) as it,
        ):
            asking = asyncio.ensure_future(it.ask())
            await up.arrived()
            await until(lambda: it.world.calls)
            it.world.sweep(asyncio.get_running_loop().time() + 10)
            assert (await asking).code == "upstream_timeout"
            r = await it.receipt()
            assert (r.output_tokens, r.cost_nanousd) == (None, None)
            assert (r.input_tokens, r.tokens_estimated) == (5, True)

    run(main())


def test_an_answer_s_trailing_events_are_counted_and_dropped(tmp_path: Path) -> None:
    async def surplus(exchange: Exchange) -> None:
        data = b"data: " + content("x") + b"\n\ndata: " + delta({}, "stop") + b"\n\n" + DONE
        exchange.send(STREAM_HEAD + chunk(data + DONE + b'data: {"late":1}\n\n') + b"0\r\n\r\n")

    async def main() -> None:
        async with Upstream(surplus) as up, gateway(tmp_path, target(up.port)) as it:
            reply = await it.ask(body=STREAM)
            assert reply.events[-1] == b"[DONE]"
            assert reply.body.count(b"[DONE]") == 1
            assert b"late" not in reply.body
            assert (await it.receipt()).surplus_events == 2

    run(main())


def test_a_provider_s_long_words_do_not_grow_the_journal(tmp_path: Path) -> None:
    async def main() -> None:
        long = {**completion(), "id": "x" * 2_000_000, "model": "y" * 300}
        async with Upstream(whole(long)) as up, gateway(tmp_path, target(up.port)) as it:
            assert (await it.ask()).status == 200
            up.script = whole()
            assert (await it.ask()).status == 200
            first, second = it.receipts()
            assert (first.provider_request_id, first.model_served) == (None, None)
            assert second.provider_request_id is not None
            assert it.journal.folder.stat().st_size < 1_000_000

    run(main())


def test_a_good_key_s_bad_request_leaves_a_receipt(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            assert (await it.ask(body={**HELLO, "max_tokens": 0})).status == 400
            receipt = await it.receipt()
            assert (receipt.error_code, receipt.error_fault) == ("invalid_parameter", "caller")
            assert (receipt.key_id, receipt.cost_nanousd) == (next(iter(it.store.rows)), 0)

    run(main())
