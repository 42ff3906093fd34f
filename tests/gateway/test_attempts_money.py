"""What attempts that fail cost, what is held for them, and when they have wasted enough."""

from pathlib import Path

from msgspec.structs import replace
from tests.gateway.attempted import COST, GARBLED, NO, ONCE, SOON
from tests.gateway.rig import FREE, HELLO, gateway, run
from tests.gateway.routed import at, routed
from tests.gateway.upstream import Upstream, whole

from tidegate.core.plan import Limit


def test_what_a_failed_attempt_cost_is_charged(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole(GARBLED)) as bad, Upstream() as good:
            routes = routed(at(bad, "a"), malformed=(at(good, "b"),))
            async with gateway(tmp_path, at(bad, "a"), routes=routes) as it:
                assert (await it.ask()).status == 200
                receipt = await it.receipt()
                wasted, served = receipt.attempts
                assert (wasted.failure, wasted.cost_nanousd) == ("malformed", None)
                assert served.cost_nanousd == COST
                assert receipt.cost_nanousd is None, "nobody knows what the first one cost"
                assert receipt.most_nanousd is not None and receipt.most_nanousd > COST
                assert (receipt.input_tokens, receipt.output_tokens) == (11, 5)

    run(main())


def test_a_failed_attempt_that_was_not_worked_on_costs_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole(NO, 503)) as bad, Upstream() as good:
            routes = routed(at(bad, "a"), retry=ONCE, unavailable=(at(good, "b"),))
            async with gateway(tmp_path, at(bad, "a"), routes=routes) as it:
                await it.ask()
                receipt = await it.receipt()
                assert [a.cost_nanousd for a in receipt.attempts] == [0, COST]
                assert receipt.cost_nanousd == COST

    run(main())


def test_a_budget_holds_for_the_dearest_and_for_what_was_wasted(tmp_path: Path) -> None:
    limit = Limit("month", "spend", 60_000, ("team",), unit="month")
    body = {**HELLO, "max_tokens": 20}

    async def main() -> None:
        async with Upstream(whole(GARBLED)) as bad, Upstream() as good:
            cheap = at(bad, "a", price=FREE)
            routes = routed(cheap, malformed=(at(good, "b"),))
            async with gateway(tmp_path, cheap, routes=routes, limits=(limit,)) as it:
                reply = await it.ask(body=body)
                assert reply.code == "insufficient_quota", "b's price is held, not a's"
                assert not bad.exchanges
            dear = at(bad, "c")
            routes = routed(dear, malformed=(at(good, "b"),))
            room = replace(limit, amount=150_000)
            async with gateway(tmp_path / "2", dear, routes=routes, limits=(room,)) as it:
                reply = await it.ask(body=body)
                assert reply.code == "upstream_malformed", "two of these may cost more than is left"
                assert not good.exchanges
            wide = replace(limit, amount=300_000)
            async with gateway(tmp_path / "3", dear, routes=routes, limits=(wide,)) as it:
                assert (await it.ask(body=body)).status == 200
                receipt = await it.receipt()
                assert it.world.plan is not None
                [month] = it.world.plan.limits.every()
                assert month.counters is not None
                [hold] = receipt.holds
                assert hold.used == receipt.most_nanousd

    run(main())


def test_attempts_that_waste_more_than_they_may_are_the_last(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole(GARBLED)) as bad, Upstream() as good:
            retry = replace(SOON, wasted_nanousd_per_hour=1)
            routes = routed(at(bad, "a"), retry=retry, malformed=(at(good, "b"),))
            async with gateway(tmp_path, at(bad, "a"), routes=routes) as it:
                assert [(await it.ask()).status for _ in range(3)] == [200, 502, 502]

    run(main())
