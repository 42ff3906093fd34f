"""One target after another until an answer has begun, each attempt on the receipt."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gateway.attempted import NO, ONCE, STREAM, TOO_LONG, hangs_up, in_turn
from tests.gateway.rig import HELLO, gateway, run, target, until
from tests.gateway.routed import at, routed
from tests.gateway.upstream import (
    STREAM_HEAD,
    Exchange,
    Script,
    Upstream,
    chunk,
    delta,
    stalling,
    streaming,
    whole,
)

from tidegate.core.resilience import Deadlines


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("named", "script", "failure"),
    [
        ("unavailable", whole(NO, 500), "unavailable"),
        ("unavailable", hangs_up, "unavailable"),
        ("unavailable", whole(NO, 401), "unavailable"),
        ("rate_limited", whole(NO, 429, [("retry-after", "30")]), "rate_limited"),
        ("overflow", whole(TOO_LONG, 400), "overflow"),
        ("malformed", whole(b"", 200, [("content-encoding", "gzip")]), "malformed"),
    ],
)
def test_a_failure_is_answered_by_the_fallback_of_its_class(
    tmp_path: Path, named: str, script: Script, failure: str, stream: bool
) -> None:
    async def main() -> None:
        async with Upstream(script) as bad, Upstream() as good:
            good.script = streaming() if stream else whole()
            routes = routed(at(bad, "a"), retry=ONCE, **{named: (at(good, "b"),)})
            async with gateway(tmp_path, at(bad, "a"), routes=routes) as it:
                reply = await it.ask(body=STREAM if stream else HELLO)
                assert reply.status == 200
                assert reply.headers["x-tidegate-target"] == "b"
                assert reply.headers["x-tidegate-attempts"] == "2"
                receipt = await it.receipt()
                tried = [(a.target, a.failure) for a in receipt.attempts if a.failure != "stale"]
                assert tried == [("a", failure), ("b", None)]
                assert (receipt.target, receipt.model_wanted) == ("b", "model-b")
                assert receipt.error_code is None

    run(main())


def test_what_the_provider_rejects_is_not_asked_of_others(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole(NO, 422)) as bad, Upstream() as good:
            fallbacks = {"unavailable": (at(good, "b"),), "malformed": (at(good, "b"),)}
            async with gateway(
                tmp_path, at(bad, "a"), routes=routed(at(bad, "a"), **fallbacks)
            ) as it:
                assert (await it.ask()).status == 422
                assert (len(bad.exchanges), len(good.exchanges)) == (1, 0)

    run(main())


def test_the_same_target_is_asked_again_after_a_pause(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(in_turn(whole(NO, 500), whole())) as up:
            flaky = at(up, "a")
            async with gateway(tmp_path, flaky, routes=routed(flaky)) as it:
                assert (await it.ask()).status == 200
                receipt = await it.receipt()
                assert [a.failure for a in receipt.attempts] == ["unavailable", None]
                first, second = receipt.attempts
                assert first.ended_s is not None and second.started_s > first.ended_s
                assert receipt.earlier_s is not None and receipt.total_s is not None
                assert receipt.earlier_s >= first.ended_s - first.started_s
                parts = (
                    receipt.gateway_s,
                    receipt.queue_s,
                    receipt.connect_s,
                    receipt.generation_s,
                )
                assert receipt.total_s == pytest.approx(
                    receipt.earlier_s + sum(part or 0.0 for part in parts), abs=2e-3
                )

    run(main())


def test_a_replica_that_is_gone_costs_no_request(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as gone, Upstream() as there:
            two = replace(at(gone, "a"), replicas=at(gone, "a").replicas + at(there, "a").replicas)
            await gone.__aexit__()
            async with gateway(tmp_path, two, routes=routed(two)) as it:
                replies = [await it.ask() for _ in range(8)]
                assert [reply.status for reply in replies] == [200] * 8
                assert len(there.exchanges) == 8

    run(main())


def test_a_replica_that_is_killed_under_load_costs_no_request(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(stalling(None)) as killed, Upstream(stalling(None)) as other:
            two = replace(
                at(killed, "a"), replicas=at(killed, "a").replicas + at(other, "a").replicas
            )
            async with gateway(tmp_path, two, routes=routed(two)) as it:
                asking = [asyncio.ensure_future(it.ask(body=STREAM)) for _ in range(24)]
                await killed.arrived(12)
                await other.arrived(12)
                killed.script = hangs_up
                other.script = streaming()
                for transport in list(killed.connections):
                    transport.abort()
                await killed.__aexit__()
                await other.arrived(24)
                replies = await asyncio.gather(*[it.ask(body=STREAM) for _ in range(8)])
                assert [reply.status for reply in replies] == [200] * 8
                for exchange in other.exchanges[:12]:
                    exchange.send(STREAM_HEAD)
                    exchange.say("late ")
                    exchange.end()
                done = [await one for one in asking]
                assert [reply.status for reply in done] == [200] * 24
                assert all(reply.body.endswith(b"data: [DONE]\n\n") for reply in done)

    run(main())


def test_after_the_first_token_nothing_changes(tmp_path: Path) -> None:
    async def cut(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        exchange.say("one ")
        exchange.transport.close()

    async def main() -> None:
        async with Upstream(cut) as bad, Upstream(streaming()) as good:
            routes = routed(at(bad, "a"), unavailable=(at(good, "b"),))
            async with gateway(tmp_path, at(bad, "a"), routes=routes) as it:
                reply = await it.ask(body=STREAM)
                assert b"one " in reply.body and b"upstream_interrupted" in reply.body
                assert b"[DONE]" not in reply.body
                assert not good.exchanges
                assert (await it.receipt()).interrupted

    run(main())


def test_what_came_before_the_first_token_of_another_is_not_shown(tmp_path: Path) -> None:
    async def cut(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        exchange.event(delta({"role": "assistant", "content": ""}))
        await asyncio.sleep(0.2)  # so late that nobody takes it for a stale connection
        exchange.transport.close()

    async def main() -> None:
        async with Upstream(cut) as bad, Upstream(streaming(2)) as good:
            routes = routed(at(bad, "a"), unavailable=(at(good, "b"),))
            async with gateway(tmp_path, at(bad, "a"), routes=routes) as it:
                reply = await it.ask(body=STREAM)
                assert reply.body.count(b"data: ") == 2 + 1 + 1  # tokens, finish reason, [DONE]
                assert b"assistant" not in reply.body
                receipt = await it.receipt()
                assert [a.failure for a in receipt.attempts] == ["interrupted", None]

    run(main())


def test_a_client_that_was_told_to_wait_gets_the_stream_of_another(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(stalling(0)) as silent, Upstream(streaming(2)) as good:
            slow = at(silent, "a", deadlines=Deadlines(first_token_s=20.0))
            routes = routed(slow, unavailable=(at(good, "b"),))
            async with gateway(tmp_path, slow, routes=routes) as it:
                asking = asyncio.ensure_future(it.ask(body=STREAM))
                await silent.arrived()
                await until(lambda: it.world.relays)
                now_s = asyncio.get_running_loop().time()
                it.world.sweep(now_s + 16)  # a comment, and the answer's head before it
                it.world.sweep(now_s + 21)
                reply = await asking
                assert reply.status == 200
                assert reply.body.startswith(b": keepalive\n\n")
                assert reply.body.count(b"t0 ") == 1
                assert reply.body.endswith(b"data: [DONE]\n\n")
                receipt = await it.receipt()
                assert [a.failure for a in receipt.attempts] == ["timeout", None]

    run(main())


def test_a_prompt_that_does_not_fit_goes_where_there_is_room(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as narrow, Upstream() as wide:
            small = at(narrow, "a", context_tokens=16, tokenizer="o200k")
            routes = routed(small, overflow=(at(wide, "b", context_tokens=100_000),))
            async with gateway(tmp_path, small, routes=routes) as it:
                body = {**HELLO, "max_tokens": 50}
                assert (await it.ask(body=body)).status == 200
                assert (len(narrow.exchanges), len(wide.exchanges)) == (0, 1)
                assert len((await it.receipt()).attempts) == 1

    run(main())


def test_nothing_is_begun_after_the_caller_s_own_deadline(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(stalling(None)) as silent, Upstream() as good:
            routes = routed(at(silent, "a"), unavailable=(at(good, "b"),))
            async with gateway(tmp_path, at(silent, "a"), routes=routes) as it:
                headers = {"authorization": f"Bearer {it.key}", "x-tidegate-timeout": "0.05"}
                asking = asyncio.ensure_future(it.ask(headers=headers))
                await silent.arrived()
                await asyncio.sleep(0.06)
                it.world.sweep(asyncio.get_running_loop().time())
                reply = await asking
                assert (reply.status, reply.code) == (504, "upstream_timeout")
                assert not good.exchanges
                assert it.world.plan is not None
                [replica] = it.world.plan.routes["small"].target.replicas
                assert replica.breaker.failures == 0, "its own patience, not the target's fault"

    run(main())


def test_the_place_of_a_failed_attempt_is_free_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole(NO, 500)) as bad, Upstream(stalling(None)) as busy:
            routes = routed(at(bad, "a"), retry=ONCE, unavailable=(at(busy, "b"),))
            async with gateway(tmp_path, at(bad, "a"), routes=routes) as it:
                asking = asyncio.ensure_future(it.ask())
                await busy.arrived()
                assert it.world.queues.at(target(1, "a")).in_flight == 0
                assert it.world.queues.at(target(1, "b")).in_flight == 1
                assert len(it.world.calls) == 1
                asking.cancel()

    run(main())


def test_a_frame_of_an_error_before_the_first_token_is_no_answer(tmp_path: Path) -> None:
    async def fails(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD + chunk(b'data: {"error":{"message":"busy"}}\n\n'))

    async def main() -> None:
        async with Upstream(fails) as bad, Upstream(streaming(2)) as good:
            routes = routed(at(bad, "a"), retry=ONCE, unavailable=(at(good, "b"),))
            async with gateway(tmp_path, at(bad, "a"), routes=routes) as it:
                reply = await it.ask(body=STREAM)
                assert b"error" not in reply.body and b"t0 " in reply.body

    run(main())
