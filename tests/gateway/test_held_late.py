"""A concurrency that a new plan brings counts what is being served already."""

import asyncio
from pathlib import Path

import pytest
from tests.gateway.limited import left, limit
from tests.gateway.rig import gateway, plan_of, run, target, until
from tests.gateway.upstream import Upstream, stalling, whole

from tidegate.core.plan import Limit

AT_ONCE = limit("concurrency", 3, scope=("team",))
OTHERS = Limit("others", "concurrency", 3, ("team",), (("team", "team-b"),))
OF_MODEL = Limit("of-model", "concurrency", 3, ("model",))
RATE = Limit("rate", "requests", 1_000, ("key",), per_s=60.0)


@pytest.mark.parametrize("before", [(), (RATE,)])
def test_what_is_served_as_it_begins_is_held_of_it_once_and_given_back(
    before: tuple[Limit, ...], tmp_path: Path
) -> None:
    async def main() -> None:
        async with (
            Upstream(stalling(None)) as up,
            gateway(tmp_path, target(up.port), limits=before) as it,
        ):
            asking = [asyncio.ensure_future(it.ask()) for _ in range(2)]
            await up.arrived(2)
            up.script = whole()
            for version in (2, 3):
                limits = (*before, AT_ONCE, OTHERS, OF_MODEL)
                plan = plan_of(target(up.port), version=version, limits=limits)
                assert await it.obey(plan)
                assert left(it, "the-concurrency", "team-a") == 1
                assert left(it, "of-model", "served-model") == 1
                assert left(it, "others", "team-b") == 3
            assert (await it.ask()).status == 200
            for exchange in up.exchanges[:2]:
                exchange.transport.abort()
            await asyncio.gather(*asking)
            await until(lambda: len(it.receipts()) == 3)
            assert left(it, "the-concurrency", "team-a") == 3
            held = {hold.limit for hold in it.receipts()[-1].holds}
            assert held == {"the-concurrency", "of-model", *(one.name for one in before)}

    run(main())


def test_it_holds_also_more_than_it_allows_and_then_nobody_comes_in(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(stalling(None)) as up, gateway(tmp_path, target(up.port)) as it:
            asking = [asyncio.ensure_future(it.ask()) for _ in range(2)]
            await up.arrived(2)
            up.script = whole()
            one = limit("concurrency", 1, scope=("team",))
            assert await it.obey(plan_of(target(up.port), version=2, limits=(one,)))
            for exchange in up.exchanges[:2]:
                assert (await it.ask()).code == "concurrency_limit_exceeded"
                exchange.transport.abort()
                await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.gather(*asking)
            assert (await it.ask()).status == 200

    run(main())
