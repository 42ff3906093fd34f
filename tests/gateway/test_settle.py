"""What a receipt says: whose tokens, and what they cost."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
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

from tidegate.core.price import Price, Rate
from tidegate.core.resilience import Deadlines

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


@pytest.mark.parametrize(("told", "known"), [("fp_1", "fp_1"), ("x" * 300, None), (None, None)])
def test_the_build_that_answered_is_noted(
    tmp_path: Path, told: str | None, known: str | None
) -> None:
    async def main() -> None:
        body = {**completion(), "system_fingerprint": told}
        async with Upstream(whole(body)) as up, gateway(tmp_path, target(up.port)) as it:
            assert (await it.ask()).status == 200
            assert (await it.receipt()).model_fingerprint == known
            first = b"data: " + msgspec.json.encode(
                {"choices": [], "model": "served", "system_fingerprint": told}
            )

            async def streamed(exchange: Exchange) -> None:
                data = b"data: " + content("x") + b"\n\ndata: " + delta({}, "stop") + b"\n\n"
                exchange.send(STREAM_HEAD + chunk(first + b"\n\n" + data + DONE) + b"0\r\n\r\n")

            up.script = streamed
            await it.ask(body=STREAM)
            assert [one.model_fingerprint for one in it.receipts()] == [known, known]

    run(main())


def test_a_good_key_s_bad_request_leaves_a_receipt(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            assert (await it.ask(body={**HELLO, "max_tokens": 0})).status == 400
            receipt = await it.receipt()
            assert (receipt.error_code, receipt.error_fault) == ("invalid_parameter", "caller")
            assert (receipt.key_id, receipt.cost_nanousd) == (next(iter(it.store.rows)), 0)

    run(main())
