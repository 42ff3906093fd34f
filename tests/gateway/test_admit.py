"""Limits in front of a provider, end to end in one gateway: held before, settled once, refused by
name."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.rig import CHAT, HELLO, Gateway, Reply, gateway, run, target, until
from tests.gateway.upstream import Upstream, stalling, streaming, whole

from tidegate.core.plan import Limit, Price, Rate
from tidegate.gateway.holding import moment

USED = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
COST = 21_000  # nano-dollars of USED at the rig's price
HOUR_S = 3600.0


def limit(kind: str, amount: int, **fields: Any) -> Limit:
    return Limit(f"the-{kind}", kind, amount, **fields)


def budget(amount: int, **fields: Any) -> Limit:
    return limit("spend", amount, unit="month", **fields)


async def refused(it: Gateway, body: Any = None) -> Reply:
    """One request that a limit refuses; its error names the limit."""
    reply = await it.ask(body=body)
    assert set(reply.json["error"]) == {"message", "type", "param", "code", "limit"}, reply.raw
    receipt = it.receipts()[-1]
    assert receipt.refused_by == reply.json["error"]["limit"]["limit"]
    assert receipt.holds == []
    assert receipt.cost_nanousd == 0
    return reply


def left(it: Gateway, name: str, scope: str = "") -> int:
    """What a limit has left for a scope."""
    assert it.world.plan is not None
    limits = it.world.plan.limits
    one = next(x for x in (*limits.of_caller, *limits.of_target) if x.limit.name == name)
    assert one.counters is not None
    reading = one.counters.read(scope, 0, moment())
    return reading.allowed - reading.used


def limited(tmp_path: Path, up: Upstream, *limits: Limit, **fields: Any) -> Any:
    return gateway(tmp_path, target(up.port, **fields), limits=limits)


def test_requests_of_a_key_are_counted_and_the_next_is_told_when(tmp_path: Path) -> None:
    async def main() -> None:
        rpm = limit("requests", 2, per_s=60.0, scope=("key",))
        async with Upstream(whole()) as up, limited(tmp_path, up, rpm) as it:
            first, second = await it.ask(), await it.ask()
            assert first.headers["x-ratelimit-limit-requests"] == "2"
            assert first.headers["x-ratelimit-remaining-requests"] == "1"
            assert second.headers["x-ratelimit-remaining-requests"] == "0"
            reply = await refused(it)
            assert (reply.status, reply.json["error"]["code"]) == (429, "rate_limit_exceeded")
            assert reply.headers["x-should-retry"] == "true"
            assert 0 < int(reply.headers["retry-after-ms"]) <= 30_000
            assert reply.json["error"]["limit"]["used"] == 2
            assert len(up.exchanges) == 2
            other = it.store.add()
            spared = await it.ask(headers={"authorization": f"Bearer {other}"})
            assert spared.status == 200

    run(main())


def test_a_hold_becomes_what_was_used(tmp_path: Path) -> None:
    async def main() -> None:
        limits = (
            limit("tokens", 100_000, per_s=60.0, scope=("team",)),
            limit("concurrency", 5, scope=("key",)),
            budget(1_000_000_000, scope=("team",)),
        )
        async with Upstream(whole()) as up, limited(tmp_path, up, *limits) as it:
            assert (await it.ask()).status == 200
            receipt = await it.receipt()
            used = {hold.limit: hold.used for hold in receipt.holds}
            assert used == {"the-tokens": 16, "the-concurrency": 0, "the-spend": COST}
            assert all(hold.amount >= (hold.used or 0) for hold in receipt.holds)
            assert left(it, "the-spend", "team-a") == 1_000_000_000 - COST
            assert left(it, "the-concurrency", receipt.key_id or "") == 5
            assert 100_000 - 17 <= left(it, "the-tokens", "team-a") <= 100_000 - 15

    run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_and_a_provider_that_fails_give_back(
    tmp_path: Path, stream: bool
) -> None:
    async def main() -> None:
        limits = (limit("concurrency", 1, scope=("key",)), budget(10**9))
        async with (
            Upstream(stalling(1 if stream else None)) as up,
            limited(tmp_path, up, *limits) as it,
        ):
            _, writer = await it.connect()
            writer.write(it.request(body={**HELLO, "stream": stream}))
            await up.arrived()
            assert (await refused(it)).json["error"]["code"] == "concurrency_limit_exceeded"
            writer.transport.abort()
            await until(lambda: len(it.receipts()) == 2)
            up.script = whole({"error": {"message": "no"}}, 500)
            assert (await it.ask()).status == 502
            before = left(it, "the-spend")
            assert (await it.ask()).status == 502
            assert left(it, "the-spend") == before
            up.script = whole()
            assert (await it.ask()).status == 200

    run(main())


def test_a_spent_budget_refuses_and_says_not_to_retry(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole()) as up, limited(tmp_path, up, budget(COST)) as it:
            assert (await it.ask(body={**HELLO, "max_tokens": 1})).status == 429
            reply = await refused(it, {**HELLO, "max_tokens": 1})
            assert reply.json["error"]["code"] == "insufficient_quota"
            assert reply.headers["x-should-retry"] == "false"
            assert up.exchanges == []

    run(main())


def test_what_is_free_is_served_when_the_budget_is_spent(tmp_path: Path) -> None:
    async def main() -> None:
        free = Price("free", "free")
        async with Upstream(whole()) as up, limited(tmp_path, up, budget(1), price=free) as it:
            assert (await it.ask()).status == 200

    run(main())


def test_what_nobody_can_price_is_refused_where_money_is_held(tmp_path: Path) -> None:
    async def main() -> None:
        fields = {"price": None, "unpriced_allowed": True}
        async with Upstream(whole()) as up, limited(tmp_path, up, budget(10**9), **fields) as it:
            reply = await it.ask()
            assert reply.code == "unpriced_model"
            assert "the-spend" in reply.json["error"]["message"]

    run(main())


def test_the_answer_is_bound_to_what_the_budget_can_pay(tmp_path: Path) -> None:
    """The budget buys the prompt's bytes and 60 tokens of an answer; the first one uses 16."""

    async def main() -> None:
        tiny = Price("plan:x", "plan", input=Rate(1_000_000), output=Rate(1_000_000))
        body_bytes = len(b'{"model":"small","messages":[{"role":"user","content":"hi"}]}')
        async with (
            Upstream(whole()) as up,
            limited(tmp_path, up, budget(body_bytes + 60), price=tiny) as it,
        ):
            assert (await it.ask()).status == 200
            assert up.exchanges[0].json["max_tokens"] == 60
            await it.ask(body={**HELLO, "max_tokens": 500})
            assert up.exchanges[1].json["max_tokens"] == 60 - 16 - len(',"max_tokens":500')

    run(main())


def test_a_stream_that_passes_its_hold_ends_in_an_error(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Upstream(streaming(50, gap_s=0.001)) as up,
            limited(tmp_path, up, budget(10**9)) as it,
        ):
            reply = await it.ask(body={**HELLO, "stream": True, "max_tokens": 20})
            assert reply.events[-1].startswith(b'{"error"')
            assert b"[DONE]" not in reply.body
            assert reply.body.count(b'"content":"t') <= 21
            receipt = await it.receipt()
            assert receipt.error_code == "insufficient_quota"
            assert receipt.interrupted

    run(main())


def test_a_length_that_nobody_asked_for_makes_no_request_too_large(tmp_path: Path) -> None:
    async def main() -> None:
        tpm = limit("tokens", 300, per_s=60.0)
        async with Upstream(whole()) as up, limited(tmp_path, up, tpm) as it:
            assert (await it.ask()).status == 200
            assert 16 <= up.exchanges[0].json["max_tokens"] < 300
            reply = await refused(it, {**HELLO, "max_tokens": 301})
            assert reply.json["error"]["code"] == "larger_than_limit"

    run(main())


def test_the_limit_with_the_longest_wait_speaks(tmp_path: Path) -> None:
    async def main() -> None:
        limits = (
            limit("requests", 1, per_s=1.0),
            Limit("slow", "requests", 1, per_s=HOUR_S),
        )
        async with Upstream(whole()) as up, limited(tmp_path, up, *limits) as it:
            await it.ask()
            reply = await refused(it)
            assert reply.json["error"]["limit"]["limit"] == "slow"
            assert int(reply.headers["retry-after"]) > 3000

    run(main())


def test_limits_of_a_target_are_held_too(tmp_path: Path) -> None:
    async def main() -> None:
        per_model = limit("requests", 1, per_s=60.0, scope=("model",))
        async with Upstream(whole()) as up, limited(tmp_path, up, per_model) as it:
            assert (await it.ask()).status == 200
            reply = await refused(it)
            assert reply.json["error"]["limit"]["scope"] == "model served-model"

    run(main())


def test_a_long_prompt_is_counted_before_it_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        cap = limit("max_input_tokens", 50)
        body = {**HELLO, "messages": [{"role": "user", "content": "hello there " * 10}]}
        async with (
            Upstream(whole()) as up,
            limited(tmp_path, up, cap, tokenizer="o200k") as it,
        ):
            assert (await it.ask(body=body)).status == 200
            body["messages"][0]["content"] *= 5
            reply = await refused(it, body)
            assert (reply.status, reply.json["error"]["code"]) == (400, "input_too_long")

    run(main())


def test_two_hundred_at_once_on_the_last_cent(tmp_path: Path) -> None:
    """Never over, and nobody is refused while there was room for what he really cost."""

    async def main() -> None:
        price = Price("plan:x", "plan", input=Rate(1_000_000), output=Rate(1_000_000))
        fits = 40
        body = {**HELLO, "max_tokens": 16}
        usage = {"prompt_tokens": 100, "completion_tokens": 16, "total_tokens": 116}
        script = whole(
            {"id": "x", "object": "chat.completion", "choices": [{"index": 0}], "usage": usage}
        )
        amount = fits * (100 + 16)
        async with Upstream(script) as up, limited(tmp_path, up, budget(amount), price=price) as it:
            replies = []
            for _ in range(4):
                replies += await asyncio.gather(*(it.ask(body=body) for _ in range(50)))
            served = [r for r in replies if r.status == 200]
            receipts = it.receipts()
            spent = sum(r.cost_nanousd or 0 for r in receipts)
            assert spent == len(served) * 116
            assert amount - 116 < spent <= amount
            assert left(it, "the-spend") == amount - spent
            assert {r.status for r in replies} == {200, 429}

    run(main())


def test_a_caller_sees_what_is_left(tmp_path: Path) -> None:
    async def main() -> None:
        limits = (
            limit("requests", 10, per_s=60.0, scope=("key",)),
            budget(1_500_000_000, scope=("team",)),
            Limit("others", "requests", 10, per_s=60.0, only=(("team", "team-b"),)),
        )
        async with Upstream(whole()) as up, limited(tmp_path, up, *limits) as it:
            await it.ask()
            reply = await it.ask("/v1/usage", method="GET")
            rows = {row["limit"]: row for row in reply.json["data"]}
            assert set(rows) == {"the-requests", "the-spend"}
            assert rows["the-spend"]["used"] == "0.000021000"
            assert rows["the-spend"]["remaining"] == "1.499979000"
            assert rows["the-spend"]["scope"] == "team team-a"
            assert rows["the-requests"]["unit"] == "requests"
            nobody = await it.ask("/v1/usage", method="GET", headers={})
            assert nobody.code == "missing_api_key"

    run(main())


def test_no_limit_costs_nothing_and_holds_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole()) as up, limited(tmp_path, up) as it:
            reply = await it.ask(CHAT)
            assert not any(name.startswith("x-ratelimit") for name in reply.headers)
            assert (await it.receipt()).holds == []

    run(main())


def test_a_session_is_told_by_how_its_conversation_begins(tmp_path: Path) -> None:
    """Without an id of its own; passing a limit that only alerts is noted and refuses nothing."""

    async def main() -> None:
        window = limit("session", 30, scope=("session",), per_s=300.0, on_excess="alert")
        async with Upstream(whole()) as up, limited(tmp_path, up, window) as it:
            first = {"role": "user", "content": "plan a trip"}
            for turns in range(3):
                more = [{"role": "assistant", "content": "x"}, {"role": "user", "content": "y"}]
                body = {**HELLO, "messages": [first, *more * turns]}
                assert (await it.ask(body=body)).status == 200
            await it.ask(body={**HELLO, "messages": [{"role": "user", "content": "another"}]})
            one, two, three, other = it.receipts()
            assert one.session_id == two.session_id == three.session_id
            assert other.session_id != one.session_id
            assert [r.over_limits for r in (one, two, other)] == [[], ["the-session"], []]

    run(main())
