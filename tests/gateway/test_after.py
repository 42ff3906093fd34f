"""What is asked after an answer that broke its contract."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.gateway.attempted import COST, in_turn
from tests.gateway.contracted import AGAIN, BAD, BOTH, GOOD, STREAM, answering, verdicts
from tests.gateway.rig import FREE, gateway, run, target, until
from tests.gateway.routed import SOON, at, routed
from tests.gateway.upstream import (
    STREAM_HEAD,
    Exchange,
    Script,
    Upstream,
    chunk,
    completion,
    content,
    stalling,
    whole,
)

from tidegate.core import clock
from tidegate.core.plan import Contract

BEYOND = Contract(json=True, on_violation="fallback", buffer=True)


@BOTH
def test_an_answer_is_asked_for_once_more_with_what_was_wrong(tmp_path: Path, body: Any) -> None:
    async def main() -> None:
        async with Upstream(in_turn(BAD, GOOD)) as up:
            routes = routed(at(up, "a"), contract=AGAIN)
            async with gateway(tmp_path, at(up, "a"), routes=routes) as it:
                reply = await it.ask(body=body)
                assert reply.status == 200
                assert reply.headers["x-tidegate-attempts"] == "2"
                assert b"Sure" not in reply.body
                first, second = up.exchanges
                assert second.json["messages"][:-2] == first.json["messages"]
                said, told = second.json["messages"][-2:]
                assert said["role"] == "assistant" and said["content"].startswith("Sure!")
                assert told["role"] == "user" and "not valid JSON" in told["content"]
                assert {**second.json, "messages": 0} == {**first.json, "messages": 0}
                receipt = await it.receipt()
                assert verdicts(receipt) == [("a", "malformed", "malformed"), ("a", None, "valid")]
                assert receipt.attempts[0].violation_at_bytes == 0
                assert (receipt.validity, receipt.violation_at_bytes) == ("valid", None)
                assert receipt.error_code is None
                assert receipt.attempts[1].cost_nanousd == COST
                assert receipt.attempts[0].cost_nanousd
                costs = [one.cost_nanousd or 0 for one in receipt.attempts]
                assert receipt.cost_nanousd == sum(costs)

    run(main())


@BOTH
def test_never_more_than_once(tmp_path: Path, body: Any) -> None:
    async def main() -> None:
        async with Upstream(BAD) as up:
            routes = routed(at(up, "a"), contract=AGAIN, retry=replace(SOON, attempts=5))
            async with gateway(tmp_path, at(up, "a"), routes=routes) as it:
                reply = await it.ask(body=body)
                assert (reply.status, reply.code) == (502, "upstream_invalid_answer")
                assert len(up.exchanges) == 2
                assert it.world.plan is not None
                [replica] = it.world.plan.routes["small"].target.replicas
                assert replica.breaker.failures == 0, "it has answered: that is no outage"
                receipt = await it.receipt()
                assert verdicts(receipt) == [("a", "malformed", "malformed")] * 2
                assert receipt.validity == "malformed"
                assert receipt.cost_nanousd

    run(main())


@BOTH
def test_a_second_bad_answer_goes_to_the_fallbacks_as_it_was_asked(
    tmp_path: Path, body: Any
) -> None:
    async def main() -> None:
        async with Upstream(BAD) as up, Upstream(GOOD) as good:
            routes = routed(at(up, "a"), malformed=(at(good, "b"),), contract=AGAIN)
            async with gateway(tmp_path, at(up, "a"), routes=routes) as it:
                assert (await it.ask(body=body)).status == 200
                assert len(up.exchanges) == 2
                assert good.exchanges[0].json["messages"] == up.exchanges[0].json["messages"]
                assert [one[0] for one in verdicts(await it.receipt())] == ["a", "a", "b"]

    run(main())


@BOTH
def test_a_bad_answer_goes_to_the_fallbacks_in_their_order(tmp_path: Path, body: Any) -> None:
    async def main() -> None:
        async with Upstream(BAD) as up, Upstream(GOOD) as good:
            chain = (at(up, "b"), at(good, "c"))
            pool = (at(up, "a"), at(up, "d"))
            routes = routed(*pool, malformed=chain, contract=BEYOND)
            async with gateway(tmp_path, *pool, routes=routes) as it:
                assert (await it.ask(body=body)).headers["x-tidegate-target"] == "c"
                receipt = await it.receipt()
                first = receipt.attempts[0].target
                assert first in ("a", "d"), "the pool is for other failures"
                assert verdicts(receipt)[1:] == [
                    ("b", "malformed", "malformed"),
                    ("c", None, "valid"),
                ]
                assert {len(one.json["messages"]) for one in up.exchanges} == {1}

    run(main())


@BOTH
@pytest.mark.parametrize("rule", ["fail", "fallback", "retry"])
def test_an_answer_that_fails_is_not_asked_of_others(tmp_path: Path, body: Any, rule: Any) -> None:
    async def main() -> None:
        async with Upstream(BAD) as up, Upstream(GOOD) as good:
            contract = Contract(json=True, on_violation=rule, buffer=True)
            there = (at(good, "b"),)
            routes = routed(at(up, "a"), at(up, "d"), unavailable=there, contract=contract)
            async with gateway(tmp_path, at(up, "a"), at(up, "d"), routes=routes) as it:
                assert (await it.ask(body=body)).code == "upstream_invalid_answer"
                assert not good.exchanges
                assert len(up.exchanges) == (2 if rule == "retry" else 1)

    run(main())


@pytest.mark.parametrize("rule", ["retry", "fallback"])
def test_what_has_begun_to_flow_is_not_asked_for_again(tmp_path: Path, rule: Any) -> None:
    async def main() -> None:
        late, at_once = answering('{"a"', " is"), answering("Sure! ", "{}")
        async with Upstream(in_turn(late, at_once, GOOD)) as up, Upstream(GOOD) as good:
            contract = Contract(json=True, on_violation=rule)
            routes = routed(at(up, "a"), malformed=(at(good, "b"),), contract=contract)
            async with gateway(tmp_path, at(up, "a"), routes=routes) as it:
                reply = await it.ask(body=STREAM)
                assert reply.status == 200 and not reply.whole
                assert b'"upstream_invalid_answer"' in reply.events[-1]
                receipt = await it.receipt()
                assert verdicts(receipt) == [("a", "malformed", "malformed")]
                assert receipt.bytes_before_violation == 4
                second = await it.ask(body=STREAM)
                assert second.whole and b"Sure" not in second.body, "nothing of it was out"
                receipt = await it.receipt(2)
                assert len(receipt.attempts) == 2 and receipt.validity == "valid"

    run(main())


def test_several_chunks_of_one_read_of_which_nothing_is_out_were_not_seen(tmp_path: Path) -> None:
    async def at_once(exchange: Exchange) -> None:
        events = b"".join(b"data: %b\n\n" % content(text) for text in ("{", '"a"', "!"))
        exchange.send(STREAM_HEAD + chunk(events))

    async def main() -> None:
        async with Upstream(at_once) as up:
            contract = Contract(json=True, on_violation="fail")
            routes = routed(at(up, "a"), contract=contract)
            async with gateway(tmp_path, at(up, "a"), routes=routes) as it:
                reply = await it.ask(body=STREAM)
                assert (reply.status, reply.code) == (502, "upstream_invalid_answer")
                assert (await it.receipt()).bytes_before_violation == 0

    run(main())


def test_after_a_comment_the_second_answer_goes_on_with_the_same_stream(tmp_path: Path) -> None:
    go = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        await go.wait()
        exchange.say("no")
        exchange.end()

    async def main() -> None:
        async with Upstream(in_turn(slow, GOOD)) as up:
            routes = routed(at(up, "a"), contract=AGAIN)
            async with gateway(tmp_path, at(up, "a"), routes=routes) as it:
                asking = asyncio.ensure_future(it.ask(body=STREAM))
                await until(lambda: it.world.relays)
                it.world.sweep(clock.monotonic_s() + 16)
                go.set()
                reply = await asking
                assert reply.whole and reply.body.startswith(b": keepalive\n\ndata: ")
                assert b'"no"' not in reply.body and reply.body.count(b'"content"') == 2

    run(main())


@BOTH
def test_a_client_that_leaves_during_the_second_attempt_stops_it(tmp_path: Path, body: Any) -> None:
    async def main() -> None:
        async with Upstream(in_turn(BAD, stalling(None))) as up:
            routes = routed(at(up, "a"), contract=AGAIN)
            async with gateway(tmp_path, at(up, "a"), routes=routes) as it:
                _, writer = await it.connect()
                writer.write(it.request(body=body))
                second = await up.arrived(2)
                writer.transport.abort()
                await second.closed.wait()
                receipt = await it.receipt()
                assert (receipt.error_code, receipt.cancelled_by) == ("client_closed", "client")
                assert verdicts(receipt) == [("a", "malformed", "malformed"), ("a", None, None)]
                assert receipt.attempts[0].cost_nanousd
                assert not it.world.calls and not it.world.relays
                assert it.world.queues.at(target(1, "a")).in_flight == 0

    run(main())


def test_that_the_second_request_is_refused_is_no_mistake_of_the_caller(tmp_path: Path) -> None:
    no = whole({"error": {"message": "roles must alternate"}}, 400)

    async def main() -> None:
        async with Upstream(in_turn(BAD, no)) as up:
            routes = routed(at(up, "a"), contract=AGAIN)
            async with gateway(tmp_path, at(up, "a"), routes=routes) as it:
                reply = await it.ask()
                assert (reply.status, reply.code) == (502, "upstream_invalid_answer")
                told = verdicts(await it.receipt())
                assert told == [("a", "malformed", "malformed"), ("a", "rejected", None)]

    run(main())


def test_the_second_request_may_fail_and_be_sent_again_like_any_other(tmp_path: Path) -> None:
    down = whole({"error": {"message": "no"}}, 500)

    async def main() -> None:
        async with Upstream(in_turn(BAD, down, GOOD)) as up:
            routes = routed(at(up, "a"), contract=AGAIN)
            async with gateway(tmp_path, at(up, "a"), routes=routes) as it:
                assert (await it.ask()).status == 200
                assert [len(one.json["messages"]) for one in up.exchanges] == [1, 3, 3]

    run(main())


def test_a_text_completion_has_no_turns_and_goes_to_the_fallbacks(tmp_path: Path) -> None:
    def texts(text: str) -> Script:
        return whole({**completion(), "choices": [{"text": text, "finish_reason": "stop"}]})

    async def main() -> None:
        async with Upstream(texts("no")) as up, Upstream(texts("{}")) as good:
            routes = routed(at(up, "a"), malformed=(at(good, "b"),), contract=AGAIN)
            async with gateway(tmp_path, at(up, "a"), routes=routes) as it:
                reply = await it.ask("/v1/completions", {"model": "small", "prompt": "hi"})
                assert reply.status == 200
                assert (len(up.exchanges), len(good.exchanges)) == (1, 1)

    run(main())


def test_a_stored_answer_is_gone_on_from_where_it_is_kept(tmp_path: Path) -> None:
    def response(id: str, text: str) -> Script:
        part = {"type": "output_text", "text": text}
        output = [{"type": "message", "role": "assistant", "content": [part]}]
        usage = {"input_tokens": 5, "output_tokens": 3, "total_tokens": 8}
        return whole({"id": id, "status": "completed", "output": output, "usage": usage})

    async def main() -> None:
        script = in_turn(response("r1", "{}"), response("r2", "no"), response("r3", "[]"))
        async with Upstream(script) as up, Upstream(GOOD) as other:
            kept = at(up, "a", dialect="openai")
            chain = (at(other, "b", dialect="openai"),)
            routes = routed(kept, malformed=chain, contract=AGAIN)
            async with gateway(tmp_path, kept, routes=routes) as it:
                first = await it.ask("/v1/responses", {"model": "small", "input": "hi"})
                asked = {"model": "small", "input": "on", "previous_response_id": first.json["id"]}
                reply = await it.ask("/v1/responses", asked)
                assert reply.status == 200
                sent = up.exchanges[2].json
                assert sent["previous_response_id"] == "r1"
                roles = [item["role"] for item in sent["input"]]
                assert (
                    roles == ["user", "assistant", "user"] and sent["input"][1]["content"] == "no"
                )
                up.script = response("r4", "no")
                assert (await it.ask("/v1/responses", asked)).code == "upstream_invalid_answer"
                assert (len(up.exchanges), len(other.exchanges)) == (5, 0), "nobody else can go on"

    run(main())


def test_a_contract_asks_nothing_of_embeddings(tmp_path: Path) -> None:
    answer = {"data": [{"embedding": [0.5]}], "usage": {"prompt_tokens": 3, "total_tokens": 3}}

    async def main() -> None:
        async with Upstream(whole(answer)) as up:
            routes = routed(at(up, "a", price=FREE), contract=AGAIN)
            async with gateway(tmp_path, at(up, "a"), routes=routes) as it:
                body = {"model": "small", "input": "hi"}
                assert (await it.ask("/v1/embeddings", body)).status == 200
                assert len(up.exchanges) == 1

    run(main())
