"""A request that is moved to what serves now goes on by its terms: cache, price, ladder."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gateway.canaried import canaried
from tests.gateway.limited import budget
from tests.gateway.moved_rig import NARROW, Held, moving
from tests.gateway.rig import HELLO, PRICE, run, until
from tests.gateway.routed import at
from tests.gateway.upstream import Upstream, whole

from tidegate.core.cache import ExactCache, RouteCache
from tidegate.core.ladder import Rung, When
from tidegate.core.price import Rate
from tidegate.gateway.overlay import put_in_force


def test_what_a_release_adds_goes_with_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as good, Upstream(Held()) as bad:
            stable = at(good, "a")
            routes = canaried(
                stable,
                at(bad, "b", queueing=NARROW),
                with_system_prompt="be brief",
                with_parameters=(("max_tokens", "7"),),
            )
            routes["small"] = replace(routes["small"], system_prompt="be kind")
            async with moving(tmp_path, routes) as it:
                asking = it.ask(2)
                await bad.arrived()
                await until(lambda: it.it.world.waiting)
                it.flip()
                sent = (await good.arrived()).json
                assert sent["messages"][0] == {"role": "system", "content": "be kind"}
                assert "max_tokens" not in sent
                await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
                for one in asking:
                    one.cancel()

    run(main())


def test_what_it_says_to_the_cache_is_for_the_cache_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as good, Upstream(Held()) as bad:
            kept = RouteCache(ExactCache(deterministic="any"))
            routes = canaried(at(good, "a"), at(bad, "b", queueing=NARROW), with_cache=kept)
            routes["small"] = replace(routes["small"], cache=kept)
            async with moving(tmp_path, routes) as it:
                # Of two that ask the same one would wait for the other.
                asking = it.ask(2, {**HELLO, "cache": {"no-cache": True}})
                await bad.arrived()
                await until(lambda: it.it.world.waiting)
                it.flip()
                assert "cache" not in (await good.arrived()).json
                await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
                for one in asking:
                    one.cancel()

    run(main())


@pytest.mark.parametrize(("left", "status"), [(10**8, 200), (40_000, 429)])
def test_what_is_dearer_is_held_for_or_refused(tmp_path: Path, left: int, status: int) -> None:
    """The candidate costs a tenth: there was money for that, and the rest is asked for."""

    async def main() -> None:
        cheap = replace(PRICE, input=Rate(100_000_000), output=Rate(200_000_000))
        async with Upstream() as good, Upstream(Held()) as bad:
            coming = at(bad, "b", queueing=NARROW, price=cheap)
            routes = canaried(at(good, "a"), coming)
            limits = (budget(left),)
            async with moving(tmp_path, routes, limits=limits) as it:
                asking = it.ask(2, {**HELLO, "max_tokens": 20})
                await bad.arrived()
                await until(lambda: it.it.world.waiting)
                it.flip()
                done, waiting = await asyncio.wait(
                    asking, return_when=asyncio.FIRST_COMPLETED, timeout=5
                )
                assert [one.result().status for one in done] == [status]
                [receipt] = it.it.receipts()
                assert len(good.exchanges) == (status == 200)
                used = sum(hold.used or 0 for hold in receipt.holds)
                assert used == (receipt.cost_nanousd or 0)
                for one in waiting:
                    one.cancel()

    run(main())


def test_the_ladder_of_what_serves_now_is_the_requests(tmp_path: Path) -> None:
    """It waits in line under its ladder's patience, which is no longer its own afterwards."""
    slow = Rung("slow", "apology", When(slow_answer_s=20.0), text="Later.")
    down = Rung("down", "apology", When(("unavailable",)), text="Sorry.")

    async def main() -> None:
        held = Held()
        async with Upstream(whole({}, 500)) as good, Upstream(held) as bad:
            routes = canaried(at(good, "a"), at(bad, "b", queueing=NARROW))
            own = routes["small"]
            assert own.candidate is not None
            coming = replace(own.candidate.route, ladder=(slow,))
            candidate = replace(own.candidate, route=coming)
            routes["small"] = replace(own, candidate=candidate, ladder=(down,))
            async with moving(tmp_path, routes) as it:
                asking = it.ask(2)
                await bad.arrived()
                await until(lambda: it.it.world.waiting)
                it.flip()
                held.answers.set()
                await asyncio.gather(*asking)
                moved = next(one for one in it.it.receipts() if one.arm_forced)
                assert (moved.rung, moved.rung_reason) == ("down", "unavailable")
                assert moved.release == "small@1"

    run(main())


def test_it_begins_where_what_serves_now_has_its_requests_begin(tmp_path: Path) -> None:
    floor = Rung("floor", "apology", When(("unavailable",)), text="Not now.")

    async def main() -> None:
        held = Held()
        async with Upstream(whole()) as good, Upstream(held) as bad:
            routes = canaried(at(good, "a"), at(bad, "b", queueing=NARROW))
            routes["small"] = replace(routes["small"], ladder=(floor,))
            async with moving(tmp_path, routes) as it:
                asking = it.ask(2)
                await bad.arrived()
                await until(lambda: it.it.world.waiting)
                put_in_force(it.it.world, it.base, {"target_off": {"a": 1.0}})
                held.answers.set()
                await asyncio.gather(*asking)
                moved = next(one for one in it.it.receipts() if one.arm_forced)
                assert (moved.rung, moved.rung_reason) == ("floor", "unavailable")
                assert not good.exchanges

    run(main())
