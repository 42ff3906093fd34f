"""A gateway with limits in front of a provider, and what a test asks of them."""

from pathlib import Path
from typing import Any

from tests.gateway.reply import Reply
from tests.gateway.rig import Gateway, gateway, target
from tests.gateway.upstream import Upstream

from tidegate.core.plan import Limit
from tidegate.gateway.holding import moment

COST = 21_000  # nano-dollars of what the upstream says it used, at the rig's price


def limit(kind: str, amount: int, **fields: Any) -> Limit:
    return Limit(f"the-{kind}", kind, amount, **fields)


def budget(amount: int, **fields: Any) -> Limit:
    return limit("spend", amount, unit="month", **fields)


def limited(tmp_path: Path, up: Upstream, *limits: Limit, **fields: Any) -> Any:
    return gateway(tmp_path, target(up.port, **fields), limits=limits)


async def refused(it: Gateway, body: Any = None) -> Reply:
    """One request that a limit refuses; its error names the limit."""
    reply = await it.ask(body=body)
    assert set(reply.json["error"]) == {"message", "type", "param", "code", "limit"}, reply.raw
    receipt = it.receipts()[-1]
    assert receipt.refused_by == reply.json["error"]["limit"]["limit"]
    assert receipt.holds == []
    assert receipt.cost_nanousd == 0
    return reply


def left(it: Gateway, name: str, scope: str = "") -> int:
    """What a limit has left for a scope."""
    assert it.world.plan is not None
    limits = it.world.plan.limits
    one = next(x for x in (*limits.of_caller, *limits.of_target) if x.limit.name == name)
    assert one.counters is not None
    reading = one.counters.read(scope, 0, moment())
    return reading.allowed - reading.used
