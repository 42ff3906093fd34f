"""A gateway in front of an upstream, with a ledger beside it that its budgets begin with."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from tests.gateway.reply import Reply
from tests.gateway.rig import Gateway, gateway, plan_of, target
from tests.gateway.upstream import Upstream, whole
from tests.stores import rig

from tidegate.core.plan import Limit
from tidegate.core.receipt import Receipt
from tidegate.gateway import past as past_of
from tidegate.gateway.past import LedgerPast
from tidegate.stores.ledger import Ledger

USD = 10**9
MONTH = Limit("monthly", "spend", 100 * USD, ("team",), unit="month")
ALERT = Limit("told", "spend", 100 * USD, ("team",), unit="month", on_excess="alert")
# What one HELLO costs at the rig's price: 11 tokens in, 5 out.
COST = 11 * 1_000 + 5 * 2_000


class House:
    """A gateway in front of an upstream, with a ledger beside it."""

    def __init__(self, it: Gateway, up: Upstream) -> None:
        self.it = it
        self.up = up
        self.version = 1
        self.engine = rig.migrated(it.layout.ledger_db)
        self.ledger = Ledger(self.engine)
        self.past = LedgerPast(it.layout, "gateway-0", it.journal)
        it.world.past = self.past

    def restart(self) -> None:
        """What was spent is read as a gateway does that has just begun."""
        self.past.close()
        self.past = LedgerPast(self.it.layout, "gateway-0", self.it.journal)
        self.it.world.past = self.past

    async def obey(self, *limits: Limit) -> None:
        self.version += 1
        plan = plan_of(target(self.up.port), version=self.version, limits=limits)
        assert await self.it.obey(plan)

    def used(self, name: str, scope: str = "team-a") -> int:
        plan = self.it.world.plan
        assert plan is not None
        for one in (*plan.limits.of_caller, *plan.limits.of_target):
            if one.limit.name == name and one.counters is not None:
                now = past_of.moment()
                return one.counters.read(scope, 0, now).used
        raise AssertionError(name)

    def spend(self, nanousd: int, **fields: object) -> Receipt:
        now_s = past_of.clock.wall_s()
        return rig.receipt(now_s, team="team-a", cost_nanousd=nanousd, **fields)


def code(reply: Reply) -> str:
    found: str = reply.json["error"]["code"]
    return found


@contextlib.asynccontextmanager
async def house(folder: Path, script: object = None) -> AsyncIterator[House]:
    async with Upstream(script or whole()) as up, gateway(folder, target(up.port)) as it:
        made = House(it, up)
        try:
            yield made
        finally:
            made.past.close()
            made.engine.dispose()
