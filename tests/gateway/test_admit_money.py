"""Budgets in front of a provider: the most that a request can cost is held, and never passed."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.limited import COST, budget, left, limited, refused
from tests.gateway.rig import HELLO, plan_of, run, target
from tests.gateway.upstream import USAGE, Exchange, Upstream, completion, streaming, whole

from tidegate.core.price import Price, Rate


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


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("service_tier", "priority"),
        ("service_tier", "performance"),
        ("service_tier", 7),
        ("web_search_options", {}),
        ("modalities", ["text", "audio"]),
        ("audio", {"voice": "alloy", "format": "wav"}),
    ],
)
def test_what_the_price_does_not_cover_is_refused_where_money_is_held(
    tmp_path: Path, member: str, value: Any
) -> None:
    """Where none is held, or where nothing is paid by tokens, it is passed on."""
    body = {**HELLO, member: value}

    async def main() -> None:
        async with Upstream(whole()) as up:
            async with limited(tmp_path / "a", up, budget(10**9)) as it:
                reply = await it.ask(body=body)
                assert (reply.status, reply.code) == (400, "invalid_parameter")
                assert reply.json["error"]["param"] == member
                assert "the-spend" in reply.json["error"]["message"]
                assert "leave it out" in reply.json["error"]["message"]
                receipt = await it.receipt()
                assert (receipt.error_fault, receipt.cost_nanousd) == ("caller", 0)
                assert left(it, "the-spend") == 10**9
            assert up.exchanges == []
            others = [
                ((), {}),
                ((budget(10**9, on_excess="alert"),), {}),
                ((budget(10**9, only=(("team", "other"),)),), {}),
                ((budget(10**9),), {"price": Price("free", "free")}),
                ((budget(10**9),), {"price": Price("x", "gpu_hour", Rate(1), output=Rate(1))}),
            ]
            for number, (limits, fields) in enumerate(others, 1):
                async with limited(tmp_path / str(number), up, *limits, **fields) as it:
                    assert (await it.ask(body=body)).status == 200
            assert [exchange.json[member] for exchange in up.exchanges] == [value] * len(others)

    run(main())


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("service_tier", "auto"),
        ("service_tier", "flex"),
        ("service_tier", None),
        ("web_search_options", None),
        ("modalities", ["text"]),
        ("audio", None),
    ],
)
def test_what_costs_no_more_than_the_price_is_served(
    tmp_path: Path, member: str, value: Any
) -> None:
    async def main() -> None:
        async with Upstream(whole()) as up, limited(tmp_path, up, budget(10**9)) as it:
            assert (await it.ask(body={**HELLO, member: value})).status == 200

    run(main())


SAYING = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}


@pytest.mark.parametrize("asked", [{"service_tier": "priority"}, SAYING])
def test_what_the_price_covers_is_held_and_charged_at_its_own_rates(
    tmp_path: Path, asked: dict[str, Any]
) -> None:
    dear = Price("", "plan", input=Rate(10**10), output=Rate(2 * 10**10))
    price = Price(
        *("x", "plan", Rate(10**9)),
        output=Rate(2 * 10**9),
        audio_input=Rate(10**9),
        audio_output=Rate(3 * 10**10),
        service_tiers=(("priority", dear),),
    )
    usage = {**USAGE, "completion_tokens_details": {"audio_tokens": 5}}
    body = {**HELLO, "max_tokens": 20, **asked}
    cost = 11 * 10_000 + 5 * 20_000 if "service_tier" in asked else 11 * 1000 + 5 * 30_000
    if "service_tier" in asked:
        usage = USAGE

    async def main() -> None:
        async with (
            Upstream(whole(completion(usage))) as up,
            limited(tmp_path, up, budget(10**9), price=price) as it,
        ):
            assert (await it.ask(body=body)).status == 200
            receipt = await it.receipt()
            assert receipt.cost_nanousd == cost
            assert left(it, "the-spend") == 10**9 - cost
            (hold,) = receipt.holds
            assert hold.amount > 20 * (20_000 if usage is USAGE else 30_000)

    run(main())


def test_an_hour_in_a_cache_is_held_where_it_is_asked_for_and_charged_as_told(
    tmp_path: Path,
) -> None:
    price = Price(*("x", "plan", Rate(10**9)), output=Rate(10**9), cache_write_1h=Rate(5 * 10**9))
    usage = {
        "input_tokens": 3,
        "cache_creation_input_tokens": 8,
        "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 6},
        "output_tokens": 4,
    }
    told = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "x"}],
        "stop_reason": "end_turn",
        "usage": usage,
    }

    def body(ttl: str) -> dict[str, Any]:
        mark = {"type": "ephemeral", "ttl": ttl}
        said = [{"type": "text", "text": "hi", "cache_control": mark}]
        messages = [{"role": "user", "content": said}]
        return {"model": "small", "max_tokens": 20, "messages": messages}

    async def main() -> None:
        async with (
            Upstream(whole(told)) as up,
            limited(tmp_path, up, budget(10**9), price=price, dialect="anthropic") as it,
        ):
            held = []
            for ttl in ("5m", "1h"):
                assert (await it.ask("/v1/messages", body=body(ttl))).status == 200
                (hold,) = it.receipts()[-1].holds
                held.append(hold.amount)
            receipt = it.receipts()[-1]
            assert receipt.cost_nanousd == (3 + 2) * 1000 + 6 * 5000 + 4 * 1000
            assert receipt.cache_write_1h_tokens == 6
            assert held[1] > held[0] + 4 * 1000 * len("hi")

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


def test_a_price_that_changes_in_flight_is_the_one_it_was_held_at(tmp_path: Path) -> None:
    async def main() -> None:
        gate = asyncio.Event()
        answer = whole()

        async def held(exchange: Exchange) -> None:
            await gate.wait()
            await answer(exchange)

        money = budget(10**9)
        dear = Price("plan:dear", "plan", input=Rate(10**10), output=Rate(10**10))
        async with Upstream(held) as up, limited(tmp_path, up, money) as it:
            flying = asyncio.create_task(it.ask())
            await up.arrived()
            assert await it.obey(plan_of(target(up.port, price=dear), version=2, limits=(money,)))
            gate.set()
            assert (await flying).status == 200
            receipt = await it.receipt()
            assert (receipt.cost_nanousd, receipt.price_version) == (COST, "plan:test")
            assert left(it, "the-spend") == 10**9 - COST

    run(main())


def test_a_budget_that_is_cut_holds_from_the_next_request_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole()) as up, limited(tmp_path, up, budget(10**9)) as it:
            assert (await it.ask()).status == 200
            cut = budget(COST)
            assert await it.obey(plan_of(target(up.port), version=2, limits=(cut,)))
            reply = await refused(it)
            assert reply.json["error"]["limit"]["used"] == COST
            assert reply.json["error"]["limit"]["allowed"] == COST

    run(main())
