"""What was spent elsewhere is in the counters that gateways share, as what the ledger tells."""

import asyncio
from pathlib import Path

import pytest
from tests.e2e.shared_fleet import COST, budget, fleet
from tests.gateway.rig import run

from tidegate.core import clock
from tidegate.core.key import id_of
from tidegate.core.key_limits import KeyLimits
from tidegate.core.layout import Layout
from tidegate.stores import database, openings
from tidegate.stores.openings import Opening

pytestmark = pytest.mark.redis

ROOM, LEFT = 30, 8
MOST_HELD = 4  # of a request, in what one costs


def put(layout: Layout, scope: dict[str, str], spent: int) -> None:
    engine = database.open_engine(layout.ledger_db)
    with database.writing(engine) as connection:
        openings.put(connection, [Opening(scope, clock.wall_s(), spent)], "litellm")
    engine.dispose()


@pytest.mark.parametrize("of", ["team", "key"])
def test_a_shared_budget_begins_with_what_was_spent_elsewhere(tmp_path: Path, of: str) -> None:
    async def main() -> None:
        own = KeyLimits(ROOM * COST, "month") if of == "key" else None
        limits = [budget(ROOM * COST)] if of == "team" else []
        async with fleet(tmp_path, "exact", *limits, count=1, own=own) as it:
            value = {"key": id_of(it.key.encode()) or "", "team": "team-a"}[of]
            put(it.gateways[0].layout, {of: value}, (ROOM - LEFT) * COST)
            it.server.say("FLUSHALL")  # all is read anew
            served = 0
            while (reply := await it.ask(0)).status != 429:
                served += reply.status == 200
                await asyncio.sleep(0.05)
            assert LEFT - MOST_HELD <= served <= LEFT
            assert reply.json["error"]["limit"]["used"] == (ROOM - LEFT + served) * COST

    run(main())
