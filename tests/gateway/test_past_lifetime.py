"""A lifetime's budget: what was spent long ago counts, and it never comes back."""

from pathlib import Path

from tests.gateway.house import COST, USD, code, house
from tests.gateway.rig import run
from tests.stores import rig

from tidegate.core import clock
from tidegate.core.plan import Limit
from tidegate.stores import rollup
from tidegate.stores.spending import KEPT_S

DAY_S = 86_400.0
ONCE = Limit("once", "spend", 100 * USD, ("team",), unit="lifetime")


def test_what_was_spent_years_ago_is_spent(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            for days, spent in ((800, 60 * USD), (450, 30 * USD), (10, 5 * USD)):
                old = rig.receipt(clock.wall_s() - days * DAY_S, team="team-a", cost_nanousd=spent)
                it.ledger.write([rig.entry(old)], [])
            assert rollup.fold(it.engine, clock.wall_s() - KEPT_S) == 2
            await it.obey(ONCE)
            assert (await it.it.ask()).status == 200
            assert it.used("once") == 95 * USD + COST

    run(main())


def test_when_it_is_spent_nobody_is_told_to_come_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            old = rig.receipt(clock.wall_s() - 700 * DAY_S, team="team-a", cost_nanousd=100 * USD)
            it.ledger.write([rig.entry(old)], [])
            await it.obey(ONCE)
            reply = await it.it.ask()
            assert (reply.status, code(reply)) == (429, "insufficient_quota")
            assert "retry-after" not in reply.headers
            assert reply.headers["x-should-retry"] == "false"
            usage = await it.it.ask("/v1/usage", method="GET")
            (row,) = usage.json["data"]
            assert (row["remaining"], row["resets_in_s"]) == ("0.000000000", None)

    run(main())
