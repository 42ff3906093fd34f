"""What a key brings with it holds for all gateways together, as what the plan says does."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from tests.e2e.shared_fleet import COST, GATEWAYS, Fleet, fleet, holds_of
from tests.gateway.reply import Reply
from tests.gateway.rig import run

from tidegate.core.key_limits import KeyLimits

pytestmark = pytest.mark.redis

CALLERS = 60
ROOM = 20
SETTLED_S = 0.05


async def spent_up(it: Fleet, number: int, seen: Counter[int]) -> Reply:
    """Asks, each time once all before is settled, until there is a no: that."""
    while True:
        await asyncio.sleep(SETTLED_S)
        reply = await it.ask(number)
        if reply.status != 200:
            return reply
        seen[200] += 1


@pytest.mark.parametrize("mode", ["exact", "slice"])
def test_a_key_s_budget_is_spent_once_by_all_gateways_and_after_a_flush_the_ledger_speaks(
    tmp_path: Path, mode: str
) -> None:
    async def main() -> None:
        own = KeyLimits(budget_nanousd=ROOM * COST, budget_unit="month")
        async with fleet(tmp_path, mode, own=own) as it:
            answers = await asyncio.gather(*(it.ask(number) for number in range(CALLERS)))
            seen = Counter(reply.status for reply in answers)
            assert set(seen) <= {200, 429}
            reply = await spent_up(it, 0, seen)
            assert reply.json["error"]["limit"]["limit"] == "key:budget"
            holds = [hold for one in it.gateways for hold in holds_of(one.journal)]
            most = max(hold.amount for hold in holds) // COST + 1
            assert ROOM - most - (mode == "slice") <= seen[200] <= ROOM
            it.server.say("FLUSHALL")
            codes = set()
            while (reply := await it.ask(1)).status == 503:
                codes.add(reply.json["error"]["code"])
                await asyncio.sleep(SETTLED_S)
            assert codes <= {"limits_unavailable"}
            seen[200] += reply.status == 200
            await spent_up(it, 2, seen)
            assert seen[200] <= ROOM
            in_hands = GATEWAYS * 2 * (ROOM * COST // 100) if mode == "slice" else 0
            used = (await it.used(3))["key:budget"]
            assert 0 <= used - seen[200] * COST <= in_hands

    run(main())


@pytest.mark.parametrize("mode", ["exact", "slice"])
def test_a_key_s_rate_is_one_rate_however_many_gateways_there_are(
    tmp_path: Path, mode: str
) -> None:
    async def main() -> None:
        async with fleet(tmp_path, mode, own=KeyLimits(requests_per_minute=8)) as it:
            replies = [await it.ask(number) for number in range(4 * GATEWAYS)]
            assert 8 <= sum(reply.status == 200 for reply in replies) <= 9  # one comes each 7.5 s
            first = replies[0].headers
            assert first["x-ratelimit-limit-requests"] == "8"
            assert first["x-ratelimit-remaining-requests"] == "7"
            assert first["x-ratelimit-reset-requests"].endswith("s")
            assert (await it.used(1))["key:requests"] in (7, 8)
            no = next(reply for reply in replies if reply.status != 200)
            assert (no.status, no.json["error"]["limit"]["limit"]) == (429, "key:requests")

    run(main())
