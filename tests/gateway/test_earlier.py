"""Budgets by what serves count each attempt where it was spent, now and after a restart."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gateway.house import COST, USD, House, house
from tests.gateway.rig import HELLO, plan_of, run, until
from tests.gateway.routed import at, routed
from tests.gateway.shared import in_force
from tests.gateway.upstream import Exchange, Upstream, whole
from tests.stores import rig

from tidegate.core.earlier_cost import EarlierCost
from tidegate.core.plan import Limit, Route
from tidegate.gateway import past as past_of

GARBLED = b'{"choices": "none"'
ANSWER = whole()
BY_TARGET = Limit("by-target", "spend", 100 * USD, ("target",), unit="month")
BODY = {**HELLO, "user": "u1"}


async def obey(it: House, routes: dict[str, Route], *limits: Limit) -> None:
    it.version += 1
    first = routes["small"].release.target
    plan = plan_of(first, version=it.version, routes=routes, limits=limits)
    assert await it.it.obey(plan)


async def spent(it: House, limit: Limit, scope: str) -> int:
    """As a gateway reads it that has just begun, and as shared counters are filled."""
    it.restart()
    fresh = in_force(limit)
    [amounts] = await it.past.amounts([(fresh, scope)])
    found = sum(nanousd for _, nanousd in amounts)
    rows = await it.past.rows([fresh], past_of.clock.wall_s())
    assert sum(row.amount for row in rows if row.scope == scope) == found
    return found


@pytest.mark.parametrize(
    ("limit", "scope_a", "scope_b"),
    [
        (BY_TARGET, "a", "b"),
        (replace(BY_TARGET, scope=("model",)), "model-a", "model-b"),
        (replace(BY_TARGET, scope=("provider",)), "one", "two"),
        (replace(BY_TARGET, unit=None, per_s=1800.0), "a", "b"),
        (replace(BY_TARGET, scope=("end_user", "target")), "u1\x1fa", "u1\x1fb"),
    ],
)
def test_each_target_s_budget_is_after_a_restart_what_it_was_before(
    tmp_path: Path, limit: Limit, scope_a: str, scope_b: str
) -> None:
    """The first attempt was worked on and came to nothing: nobody knows its cost, but the most."""

    async def main() -> None:
        async with Upstream(whole(GARBLED)) as bad, house(tmp_path) as it:
            first, second = at(bad, "a", provider="one"), at(it.up, "b", provider="two")
            await obey(it, routed(first, malformed=(second,)), limit)
            assert (await it.it.ask(body=BODY)).status == 200
            receipt = await it.it.receipt()
            total = receipt.most_nanousd
            assert total is not None
            wasted = total - COST
            assert receipt.earlier_costs == [EarlierCost(wasted, "a", "one", "model-a")]
            scopes = {scope_a: wasted, scope_b: COST}
            assert wasted > 0
            assert {one: it.used("by-target", one) for one in scopes} == scopes
            assert {one: await spent(it, limit, one) for one in scopes} == scopes
            it.ledger.write([rig.entry(receipt)], [])
            assert {one: await spent(it, limit, one) for one in scopes} == scopes
            assert await spent(it, replace(limit, scope=()), "") == total

    run(main())


def test_what_came_to_nothing_at_one_target_alone_needs_no_words(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(whole(GARBLED)) as bad, house(tmp_path) as it:
            await obey(it, routed(at(bad, "a"), malformed=(at(bad, "a"),)), BY_TARGET)
            await it.it.ask()
            receipt = await it.it.receipt()
            assert receipt.earlier_costs is None
            assert it.used("by-target", "a") == receipt.most_nanousd
            assert await spent(it, BY_TARGET, "a") == receipt.most_nanousd

    run(main())


def test_a_next_target_that_is_refused_is_charged_nothing(tmp_path: Path) -> None:
    """The receipt names it, and its only attempt is the other's."""

    async def main() -> None:
        async with Upstream(whole(GARBLED)) as bad, house(tmp_path) as it:
            full = Limit("full", "spend", 1, only=(("target", "b"),), unit="month")
            routes = routed(at(bad, "a"), malformed=(at(it.up, "b"),))
            await obey(it, routes, BY_TARGET, full)
            assert (await it.it.ask()).status != 200
            receipt = await it.it.receipt()
            assert [one.target for one in receipt.attempts] == ["a"]
            assert it.used("by-target", "a") == receipt.most_nanousd
            assert it.used("by-target", "b") == 0
            assert await spent(it, BY_TARGET, "a") == receipt.most_nanousd
            assert await spent(it, BY_TARGET, "b") == 0

    run(main())


def test_attempts_that_had_ended_when_a_budget_came_settle_into_it_by_target(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        gates = {1: asyncio.Event(), 2: asyncio.Event()}

        async def held(exchange: Exchange) -> None:
            await gates[exchange.json["n"]].wait()
            await ANSWER(exchange)

        async with Upstream(whole(GARBLED)) as bad, house(tmp_path, held) as it:
            routes = routed(at(bad, "a"), malformed=(at(it.up, "b"),))
            await obey(it, routes)
            slow = asyncio.create_task(it.it.ask(body={**HELLO, "n": 1}))
            await until(lambda: it.up.exchanges)
            monthly = Limit("monthly", "spend", 100 * USD, ("team",), unit="month")
            await obey(it, routes, BY_TARGET, monthly)
            gates[2].set()
            assert (await it.it.ask(body={**HELLO, "n": 2})).status == 200
            wasted = it.used("by-target", "a")
            assert wasted > 0 and it.used("by-target", "b") == COST
            gates[1].set()
            assert (await slow).status == 200
            total = sum(one.most_nanousd or 0 for one in it.it.receipts())
            assert it.used("by-target", "b") == 2 * COST
            assert it.used("by-target", "a") == total - 2 * COST > wasted
            assert it.used("monthly") == total

    run(main())
