"""What a chain of targets comes to, and what its caller is told."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.attempted import NO, ONCE, STREAM, in_turn
from tests.gateway.rig import HELLO, gateway, run, until
from tests.gateway.routed import at, routed
from tests.gateway.upstream import Upstream, stalling, streaming, whole

from tidegate.core import clock
from tidegate.core.plan import Contract, Limit
from tidegate.core.resilience import Breaker, Retry


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (HELLO, {"context_tokens": 1}),
        ({**HELLO, "n": 2}, {"dialect": "anthropic"}),
    ],
)
def test_what_only_a_fallback_cannot_do_is_not_told_as_the_caller_s_mistake(
    tmp_path: Path, body: dict[str, object], fields: dict[str, Any]
) -> None:
    """Whether its target has just failed, or is left alone because it has before."""

    async def main() -> None:
        async with Upstream(whole(NO, 500)) as bad, Upstream() as good:
            frail = at(bad, "a", breaker=Breaker(failures=1, open_s=3600.0))
            unfit = at(good, "b", **fields)
            routes = routed(frail, retry=ONCE, unavailable=(unfit,))
            async with gateway(tmp_path, frail, routes=routes) as it:
                replies = [await it.ask(body=body) for _ in range(2)]
                assert [reply.status for reply in replies] == [502, 503]
                codes = [receipt.error_code for receipt in it.receipts()]
                assert codes == ["upstream_error", "upstream_overloaded"]
            routes = routed(frail, retry=ONCE, unavailable=(unfit, at(good, "c")))
            async with gateway(tmp_path / "more", frail, routes=routes) as it:
                replies = [await it.ask(body=body) for _ in range(2)]
                assert [reply.headers["x-tidegate-target"] for reply in replies] == ["c", "c"]

    run(main())


def test_whether_a_request_can_be_served_is_no_matter_of_chance(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as one, Upstream() as other:
            pool = at(one, "a", dialect="anthropic"), at(other, "b")
            async with gateway(tmp_path, pool[0], routes=routed(*pool)) as it:
                replies = [await it.ask(body={**HELLO, "n": 2}) for _ in range(12)]
                assert [reply.status for reply in replies] == [200] * 12
                assert not one.exchanges
                assert {len(receipt.attempts) for receipt in it.receipts()} == {1}

    run(main())


def test_the_limit_that_is_noted_is_the_one_that_the_caller_is_told_of(tmp_path: Path) -> None:
    spent = Limit("spent", "requests", 1, ("target",), per_s=3600.0, only=(("target", "b"),))

    async def main() -> None:
        async with Upstream(whole(NO, 500)) as bad, Upstream() as good:
            routes = routed(at(bad, "a"), retry=ONCE, unavailable=(at(good, "b"),))
            async with gateway(tmp_path, at(bad, "a"), routes=routes, limits=(spent,)) as it:
                assert [(await it.ask()).status for _ in range(2)] == [200, 502]
                receipt = it.receipts()[-1]
                assert (receipt.error_code, receipt.refused_by) == ("upstream_error", None)

    run(main())


def test_an_answer_held_back_that_is_longer_than_its_money_is_not_asked_of_another(
    tmp_path: Path,
) -> None:
    """It was not for want of room there."""

    async def main() -> None:
        async with Upstream(streaming(400)) as long, Upstream(streaming(400)) as other:
            kept = Contract(regex=".", on_violation="fail", buffer=True)
            routes = routed(at(long, "a"), contract=kept, rate_limited=(at(other, "b"),))
            budget = Limit("all", "spend", 10**9, unit="month")
            async with gateway(tmp_path, at(long, "a"), routes=routes, limits=(budget,)) as it:
                reply = await it.ask(body={**STREAM, "max_tokens": 20})
                assert (reply.status, reply.code) == (429, "insufficient_quota")
                assert not other.exchanges
                assert len((await it.receipt()).attempts) == 1

    run(main())


def test_what_a_budget_has_no_room_for_is_not_taken_from_the_route_s(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole(b'{"choices": "none"')) as bad, Upstream() as good:
            one = Retry(attempts=1, budget_percent=0, budget_least=1)
            routes = routed(at(bad, "a"), retry=one, malformed=(at(good, "b"),))
            budget = Limit("all", "spend", 150_000, unit="month")
            async with gateway(tmp_path, at(bad, "a"), routes=routes, limits=(budget,)) as it:
                assert (await it.ask(body={**HELLO, "max_tokens": 16})).status == 502
                assert not good.exchanges
                assert it.world.plan is not None
                assert it.world.plan.routes["small"].budget.take(clock.monotonic_s())

    run(main())


def test_a_long_answer_of_what_was_left_alone_keeps_nobody_else_away(tmp_path: Path) -> None:
    rules = Breaker(failures=1, open_s=0.05, when_all_open="refuse")

    async def main() -> None:
        async with Upstream(in_turn(whole(NO, 500), stalling(1), whole())) as up:
            frail = at(up, "a", breaker=rules)
            async with gateway(tmp_path, frail, routes=routed(frail, retry=ONCE)) as it:
                assert (await it.ask()).status == 502
                await asyncio.sleep(0.06)
                tries = asyncio.ensure_future(it.ask(body=STREAM))
                await until(lambda: any(relay.chunks for relay in it.world.relays))
                assert (await it.ask()).status == 200
                tries.cancel()

    run(main())
