"""How far a ladder may go: what may be sent again, whose time and money it is, who has left."""

import asyncio
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from tests.gateway.laddered import SORRY, drilled
from tests.gateway.limited import budget
from tests.gateway.rig import run, target, until
from tests.gateway.shared import FakeCounters, in_force, store_of

from tidegate.core import clock
from tidegate.core.ask import Ask
from tidegate.core.ladder import Rung, When
from tidegate.core.limit import Reading
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Limit
from tidegate.core.pricing import Ceiling
from tidegate.core.receipt import Receipt
from tidegate.core.resilience import Retry
from tidegate.gateway.admit import Admission
from tidegate.gateway.gate import Gate
from tidegate.gateway.ladder import _wait
from tidegate.gateway.lowering import how_spent
from tidegate.gateway.prepared_route import Dearest
from tidegate.gateway.progress import Progress
from tidegate.gateway.retry_budget import RetryBudget
from tidegate.stores.redis_wants import Taken

SMALL = Rung("small", when=When(("unavailable",)), target="mini")
FEW = Retry(attempts=1, budget_percent=0, budget_least=3)


def test_who_is_served_by_a_rung_uses_up_nothing(tmp_path):
    async def main():
        async with drilled(tmp_path, SMALL, faults=("status:503",), retry=FEW) as it:
            for _ in range(8):
                assert (await it.served())[1].rung == "small"

    run(main())


def test_what_is_sent_in_vain_is_bounded(tmp_path):
    """With every target down so many requests go on to the rung, and the others to the next."""

    async def main():
        both = {"faults": ("status:503",), "mini_faults": ("status:503",)}
        async with drilled(tmp_path, SMALL, SORRY, retry=FEW, **both) as it:
            for _ in range(8):
                assert (await it.served())[1].rung == "sorry"
            assert (len(it.asked(it.big)), len(it.asked(it.mini))) == (8, 3)
            assert it.it.world.plan.routes["small"].budget.refused == 5

    run(main())


def test_who_has_waited_long_finds_what_is_left_by_now():
    """In line it stood while what was sent in vain before it came was forgotten."""
    now_s = clock.monotonic_s()
    budget = RetryBudget(Retry(attempts=1, budget_percent=0, budget_least=1))
    assert budget.take(now_s - 75) and not budget.has_room(now_s - 70)
    progress = Progress(Receipt("i", 0.0, "g", "chat"), object(), now_s - 70, print)
    progress.route = SimpleNamespace(budget=budget)
    _wait(progress, 90.0)
    assert progress.impatient and progress.until_s == pytest.approx(now_s + 20)


def test_nothing_is_given_up_that_nobody_could_serve(tmp_path):
    """No attempt is left: the slow one is waited for."""
    none = Retry(attempts=1, budget_percent=0, budget_least=0)
    rung = Rung("fast", when=When(slow_answer_s=0.1), target="mini")

    async def main():
        async with drilled(tmp_path, rung, faults=("stall:0.4",), retry=none) as it:
            _, receipt = await it.served()
            assert (receipt.rung, receipt.status) == (None, 200)
            assert receipt.total_s > 0.3

    run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_at_a_rung_ends_it(tmp_path, stream):
    async def main():
        slow = {"faults": ("status:503",), "mini_faults": ("stall:20",)}
        async with drilled(tmp_path, SMALL, SORRY, **slow) as it:
            _, writer = await it.it.connect()
            body = {"model": "small", "messages": [{"role": "user", "content": "hi"}]}
            writer.write(it.it.request(body={**body, "stream": stream}))
            await until(lambda: len(it.asked(it.mini)) or len(it.it.world.calls))
            await asyncio.sleep(0.2)
            writer.transport.abort()
            receipt = await it.it.receipt()
            assert receipt.cancelled_by == "client"
            assert (receipt.rung, receipt.error_code) == ("small", "client_closed")
            await until(lambda: it.asked(it.mini)[0].closed_by == "client")

    run(main())


def test_a_budget_that_nobody_can_read_admits_what_costs_nothing(tmp_path):
    class Unread:
        seeded_s = 0.0

        async def learn(self, wanted):
            raise Refusal("limits_unavailable", "the ledger cannot be read")

    small = Rung("small", when=When(budget_percent=50), target="mini")
    out = Rung("out", "apology", When(budget_percent=100), text="Spent.")

    async def main():
        limit = budget(10**9, degrades=True)
        async with drilled(tmp_path, small, out, limits=(limit,)) as it:
            it.it.world.past = Unread()
            _, receipt = await it.served()
            assert (receipt.rung, receipt.rung_reason) == ("out", "budget")
            plain = replace(it.plan, version=2, limits=(budget(10**9),))
            assert await it.it.obey(plain)
            assert (await it.ask()).code == "limits_unavailable"

    run(main())


BUDGET = Limit("ours", "spend", 1000, unit="month", degrades=True)


class Ticket:
    def __init__(self, used):
        self.reading = Reading(used, 1000, None)


def admission():
    it = target(1)
    priced = Dearest(it, Ceiling(it.price), (it.price,))
    return Admission(Ask("chat", b"{}", {}, "small"), Receipt("r", 1.0, "g", "chat"), priced, 1)


@pytest.mark.parametrize(
    ("limit", "spent"),
    [
        (BUDGET, 50.0),  # less what the request itself holds
        (replace(BUDGET, on_excess="alert"), 0.3),  # holds nothing: it is read
        (replace(BUDGET, degrades=False), None),
    ],
)
def test_of_shared_budgets_the_stores_own_answer_tells(limit, spent):
    async def main():
        counters, asking = FakeCounters(), admission()

        async def take(id, wants):
            held = wants[0].amount
            return Taken(id, wants, [Ticket(500 + held) if held else None], 0.0)

        counters.take = take
        await asking.admit(Gate((in_force(limit, store_of(counters)),)), None)
        assert (await how_spent(asking)).percent == spent
        counters.away = True
        if limit.on_excess == "alert":
            assert (await how_spent(asking)).percent is None

    run(main())
