"""Several gateway processes count together in one Redis: what 200 callers may take of the last
cent, and what happens to soft and to hard limits when Redis is killed under load."""

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.e2e.shared_fleet import COST, GATEWAYS, budget, fleet, holds_of
from tests.gateway.rig import run

pytestmark = pytest.mark.redis

CALLERS = 200
# What is given back is told within milliseconds.
SETTLED_S = 0.05
PATIENCE_S = 20.0


@pytest.mark.parametrize("mode", ["exact", "slice"])
def test_the_last_cent_is_spent_once_by_two_hundred_callers_at_four_gateways(
    tmp_path: Path, mode: str
) -> None:
    async def main() -> None:
        allowed = 100 * COST
        async with fleet(tmp_path, mode, budget(allowed)) as it:
            answers = await asyncio.gather(*(it.ask(number) for number in range(CALLERS)))
            seen = Counter(reply.status for reply in answers)
            assert set(seen) <= {200, 429}
            while True:
                await asyncio.sleep(SETTLED_S)
                reply = await it.ask(0)
                if reply.status != 200:
                    break
                seen[200] += 1
            assert reply.json["error"]["code"] == "insufficient_quota"
            holds = [hold for one in it.gateways for hold in holds_of(one.journal)]
            spent = sum(hold.used or 0 for hold in holds)
            most = max(hold.amount for hold in holds)
            assert spent == seen[200] * COST <= allowed
            in_hands = GATEWAYS * (allowed // 100) if mode == "slice" else 0
            assert allowed - spent < most + in_hands  # or a refusal was one too many

    run(main())


@pytest.mark.parametrize("mode", ["exact", "slice"])
def test_a_hard_budget_without_redis_ends_in_a_clear_503_and_comes_back_with_what_was_spent(
    tmp_path: Path, mode: str
) -> None:
    async def main() -> None:
        async with fleet(tmp_path, mode, budget(10_000 * COST), count=2) as it:
            first = await asyncio.gather(*(it.ask(number) for number in range(20)))
            assert {reply.status for reply in first} == {200}
            it.server.kill()
            served = 20
            while (reply := await it.ask(0)).status == 200:
                served += 1
            assert reply.status == 503
            assert reply.json["error"]["code"] == "limits_unavailable"
            assert "retry-after" in reply.headers
            assert served - 20 <= 100  # a slice is a hundredth
            it.server.start()
            since_s = time.monotonic()
            while (await it.ask(0)).status != 200:
                assert time.monotonic() < since_s + PATIENCE_S
                await asyncio.sleep(0.02)
            served += 1
            print(f"\n{mode}: again after {time.monotonic() - since_s:.2f} s")
            for gateway in (0, 1):
                while True:
                    reply = await it.ask(gateway)
                    served += reply.status == 200
                    if reply.status == 200:
                        break
                    await asyncio.sleep(0.02)
            assert (await it.used())["ours"] >= served * COST

    run(main())
