"""What is stale is given at once and asked anew, once, at its key's expense and within limits."""

import asyncio
from pathlib import Path

from tests.gateway.cached import ASK, either, house
from tests.gateway.rig import run, until
from tests.gateway.upstream import Exchange

from tidegate.core.plan import Limit


def test_a_stale_answer_is_given_while_one_request_asks_anew(tmp_path: Path) -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def script(exchange: Exchange) -> None:
            if it.asked > 1:
                await gate.wait()
            await either(exchange)

        async with house(tmp_path, script, ttl_s=0.05, stale_s=60.0) as it:
            cache = it.it.world.cache
            await it.it.ask(body=ASK)
            await asyncio.sleep(0.06)
            for _ in range(3):
                reply = await it.it.ask(body=ASK)
                assert reply.headers["x-tidegate-cache"] == "stale"
            await it.up.arrived(2)
            assert (it.asked, len(cache.tasks)) == (2, 1)
            gate.set()
            await until(lambda: not cache.tasks)
            assert (await it.it.ask(body=ASK)).headers["x-tidegate-cache"] == "hit"
            found = await it.outcomes(6)
            assert found == ["miss", "stale", "stale", "stale", "refresh", "hit"]
            anew = await it.it.receipt(5)
            assert (anew.key_id, anew.cost_nanousd) == (it.it.receipts()[0].key_id, 21_000)
            assert not anew.is_production

    run(main())


def test_who_cannot_pay_for_a_new_one_has_the_old_one(tmp_path: Path) -> None:
    async def main() -> None:
        limits = (Limit("money", "spend", 130_000, unit="month"),)
        short = {**ASK, "max_tokens": 5}
        async with house(tmp_path, limits=limits, ttl_s=0.02, stale_s=60.0) as it:
            await it.it.ask(body=short)
            await asyncio.sleep(0.03)
            assert (await it.it.ask(body=short)).status == 200
            assert await it.outcomes(2) == ["miss", "stale"]
            assert (it.asked, len(it.it.world.cache.tasks)) == (1, 0)

    run(main())


def test_a_gateway_that_ends_asks_nothing_anew(tmp_path: Path) -> None:
    async def main() -> None:
        async def script(exchange: Exchange) -> None:
            if it.asked > 1:
                await exchange.closed.wait()
            await either(exchange)

        async with house(tmp_path, script, ttl_s=0.02, stale_s=60.0) as it:
            await it.it.ask(body=ASK)
            await asyncio.sleep(0.03)
            await it.it.ask(body=ASK)
            await it.up.arrived(2)
            await it.it.world.cache.stop()
            last = await it.it.receipt(3)
            assert (last.cache, last.error_code) == ("refresh", "draining")
            await it.it.ask(body=ASK)
            assert len(it.it.world.cache.tasks) == 0

    run(main())
