"""Where a request begins on its route's ladder: by what is left of budgets, before it is asked."""

import pytest
from msgspec.structs import replace
from tests.gateway.laddered import SORRY, drilled
from tests.gateway.limited import budget, left
from tests.gateway.rig import PRICE, run

from tidegate.core import clock
from tidegate.core.ladder import Rung, When
from tidegate.core.periods import period_at
from tidegate.core.price import Price, Rate
from tidegate.gateway.holding import moment
from tidegate.gateway.lowering import Spent
from tidegate.gateway.overlay import put_in_force

# A hundredth of the rig's price.
CHEAP = Price("plan:cheap", "plan", input=Rate(10_000_000), output=Rate(20_000_000))
SMALL = Rung("small", when=When(budget_percent=90), target="mini")
OUT = Rung("out", "apology", When(budget_percent=100), text="The budget is spent.")
MONEY = {"big": {"price": PRICE}, "mini": {"price": CHEAP}}
# What one request of the rig can cost at most at `big`, nano-dollars, with these tokens.
TOKENS = 16


def led(receipt):
    return receipt.rung, receipt.rung_kind, receipt.rung_reason


def short(percent):
    return Rung("short", when=When(budget_percent=percent), max_output_tokens=4)


async def spend(it, name, amount):
    """Others have spent so much of a budget."""
    limits = it.it.world.plan.limits
    one = next(x for x in limits.of_caller if x.limit.name == name)
    ticket = one.take("", amount, moment())
    assert ticket is not None
    one.give_back("", ticket, amount, amount, moment())


@pytest.mark.parametrize(
    ("percent", "name"), [(10, None), (79, None), (81, "short"), (92, "small"), (98, "small")]
)
def test_the_more_is_spent_the_further_down_it_begins(tmp_path, percent, name):
    amount = 1_000_000_000

    async def main():
        limit = budget(amount, degrades=True)
        async with drilled(tmp_path, short(80), SMALL, OUT, limits=(limit,), **MONEY) as it:
            await spend(it, limit.name, amount * percent // 100)
            reply, receipt = await it.served(max_tokens=TOKENS)
            assert reply.status == 200, reply.raw
            assert receipt.rung == name
            assert receipt.rung_reason == (None if name is None else "budget")
            assert left(it.it, limit.name) <= amount - amount * percent // 100

    run(main())


def test_what_does_not_fit_is_served_by_a_rung_that_does(tmp_path):
    async def main():
        # Less than a request at `big` may cost, more than one at `mini`.
        limit = budget(10_000, degrades=True)
        async with drilled(tmp_path, SMALL, OUT, limits=(limit,), **MONEY) as it:
            reply, receipt = await it.served(max_tokens=TOKENS)
            assert led(receipt) == ("small", "model", "budget"), reply.raw
            assert receipt.target == "mini"
            [hold] = receipt.holds
            assert 0 < hold.amount <= 10_000
            assert receipt.refused_by is None
            assert left(it.it, limit.name) == 10_000 - receipt.cost_nanousd

    run(main())


def test_what_is_full_admits_what_costs_nothing(tmp_path):
    async def main():
        limit = budget(100, degrades=True)
        async with drilled(tmp_path, SMALL, OUT, limits=(limit,), **MONEY) as it:
            reply, receipt = await it.served(max_tokens=TOKENS)
            assert (reply.status, led(receipt)) == (200, ("out", "apology", "budget"))
            assert receipt.cost_nanousd == 0
            assert not it.asked(it.big)
            assert not it.asked(it.mini)
            assert left(it.it, limit.name) == 100

    run(main())


def test_a_budget_that_does_not_degrade_refuses(tmp_path):
    async def main():
        limit = budget(100)
        async with drilled(tmp_path, SMALL, OUT, limits=(limit,), **MONEY) as it:
            reply, receipt = await it.served(max_tokens=TOKENS)
            assert (reply.status, reply.code) == (429, "insufficient_quota")
            assert receipt.rung is None
            assert receipt.refused_by == limit.name

    run(main())


def test_without_a_rung_for_it_a_budget_refuses(tmp_path):
    async def main():
        limit = budget(100, degrades=True)
        async with drilled(tmp_path, SORRY, limits=(limit,), **MONEY) as it:
            assert (await it.ask(max_tokens=TOKENS)).code == "insufficient_quota"

    run(main())


def test_a_soft_budget_lowers_and_never_refuses(tmp_path):
    async def main():
        limit = budget(1000, degrades=True, on_excess="alert")
        async with drilled(tmp_path, SMALL, limits=(limit,), **MONEY) as it:
            _, first = await it.served(max_tokens=TOKENS)
            _, second = await it.served(max_tokens=TOKENS)
            assert (first.rung, second.rung) == (None, "small")

    run(main())


@pytest.mark.parametrize(("times", "name"), [(1.5, "sorry"), (2.5, "small")])
def test_what_an_attempt_in_vain_may_have_cost_is_held_beside_the_next(tmp_path, times, name):
    """The one that was cut short has been worked on: without money for both nobody else is
    asked, and what costs nothing serves."""
    rungs = (Rung("small", when=When(("unavailable",)), target="mini"), SORRY)
    prices = {"big": {"price": PRICE}, "mini": {"price": PRICE}}

    async def main():
        wide = budget(10**9)
        async with drilled(tmp_path / "wide", *rungs, limits=(wide,), **prices) as it:
            [hold] = (await it.served(max_tokens=TOKENS))[1].holds
        limit = budget(int(hold.amount * times))
        cut = {"faults": ("cut",), "limits": (limit,)}
        async with drilled(tmp_path, *rungs, **cut, **prices) as it:
            _, receipt = await it.served(max_tokens=TOKENS)
            assert receipt.rung == name
            assert len(it.asked(it.mini)) == (name == "small")
            spent = limit.amount - left(it.it, limit.name)
            assert spent == (receipt.cost_nanousd or receipt.most_nanousd)
            assert spent >= hold.amount

    run(main())


def test_two_reasons_at_once_go_to_the_further_rung(tmp_path):
    async def main():
        limit = budget(1_000_000_000, degrades=True)
        async with drilled(tmp_path, short(80), SMALL, limits=(limit,), **MONEY) as it:
            await spend(it, limit.name, 850_000_000)
            put_in_force(it.it.world, it.it.world.plan, {"ladder_floor": {"small": 2.0}})
            _, receipt = await it.served(max_tokens=TOKENS)
            assert led(receipt) == ("small", "model", "floor")

    run(main())


def test_a_rung_with_nothing_to_give_leaves_it_to_the_next(tmp_path):
    """No answer was kept, and money is held for what is asked then."""
    old = Rung("old", "stale", When(budget_percent=50), stale_s=60.0)

    async def main():
        limit = budget(10_000, degrades=True)
        async with drilled(tmp_path, old, SMALL, OUT, limits=(limit,), **MONEY) as it:
            _, receipt = await it.served(max_tokens=TOKENS)
            assert led(receipt) == ("small", "model", "budget")
            [hold] = receipt.holds
            assert hold.amount > 0

    run(main())


def test_a_floor_with_nothing_to_give_refuses(tmp_path):
    old = Rung("old", "stale", stale_s=60.0)

    async def main():
        async with drilled(tmp_path, old) as it:
            put_in_force(it.it.world, it.it.world.plan, {"ladder_floor": {"small": 1.0}})
            reply, _ = await it.served()
            assert (reply.status, reply.code) == (503, "route_off")
            assert not it.asked(it.big)

    run(main())


HALF_S = 1_900_000_000.0


@pytest.mark.parametrize(
    ("unit", "spent", "reached"),
    [("month", 60.0, True), ("month", 40.0, False), ("lifetime", 99.0, False), (None, 99.0, False)],
)
def test_what_will_be_spent_is_told_by_the_pace_so_far(unit, spent, reached):
    """In the middle of a period twice as much as now will be spent at its end."""
    one = replace(budget(10**9, degrades=True), unit=unit, per_s=3600.0 if unit is None else None)
    now_s = HALF_S
    if unit == "month":
        month = period_at("month", one.time_zone, HALF_S)
        now_s = (month.start_s + month.end_s) / 2
    assert Spent([(one, spent)], now_s).has_reached(When(forecast_percent=110)) == reached
    assert not Spent([], now_s).has_reached(When(budget_percent=1, forecast_percent=1))


def test_what_is_ahead_of_its_line_goes_down_though_most_is_left(tmp_path):
    now_s = clock.wall_s()
    units = ("year", "month", "day", "hour")
    unit = next(it for it in units if period_at(it, "UTC", now_s).passed_at(now_s) is not None)
    passed = period_at(unit, "UTC", now_s).passed_at(now_s)
    amount = 1_000_000_000
    rung = Rung("short", when=When(forecast_percent=50), max_output_tokens=4)

    async def main():
        limit = replace(budget(amount, degrades=True), unit=unit)
        async with drilled(tmp_path, rung, limits=(limit,), **MONEY) as it:
            assert (await it.served(max_tokens=TOKENS))[1].rung is None
            await spend(it, limit.name, int(amount * passed * 0.6))
            _, receipt = await it.served(max_tokens=TOKENS)
            assert led(receipt) == ("short", "model", "budget")

    run(main())
