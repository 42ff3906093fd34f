"""A counter of money begins with what was spent, and counts what was in flight."""

import asyncio
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gateway.house import COST, MONTH, USD, code, house
from tests.gateway.journals import never
from tests.gateway.rig import HELLO, run, until
from tests.gateway.shared import in_force
from tests.gateway.upstream import Exchange, whole
from tests.stores import rig

from tidegate.core.key_limits import KeyLimits
from tidegate.core.plan import Limit
from tidegate.core.receipt import Receipt, encode_frame
from tidegate.gateway import past as past_of
from tidegate.stores.ledger import Position


def test_the_ledger_and_what_journals_hold_beyond_it_are_spent_already(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            assert (await it.it.ask()).status == 200  # no budget is there yet
            await it.it.receipt()
            it.ledger.write([rig.entry(it.spend(7 * USD))], [Position("gateway-3", 1, 4)])
            await it.obey(MONTH)
            assert (await it.it.ask()).status == 200
            assert it.used("monthly") == 7 * USD + 2 * COST
            assert (await it.it.ask()).status == 200
            assert it.used("monthly") == 7 * USD + 3 * COST

    run(main())


def test_a_budget_that_the_ledger_says_is_spent_refuses_the_first_request(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            it.ledger.write([rig.entry(it.spend(100 * USD))], [])
            await it.obey(MONTH)
            reply = await it.it.ask()
            assert (reply.status, code(reply)) == (429, "insufficient_quota")

    run(main())


def test_a_clock_set_forward_hides_nothing_that_was_spent_of_a_budget_that_rolls_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            other = {"authorization": f"Bearer {it.it.store.add(team='team-b')}"}
            await it.obey(Limit("rolls", "spend", 100 * USD, ("team",), per_s=1800.0))
            assert (await it.it.ask(headers=other)).status == 200
            it.ledger.write([rig.entry(it.spend(100 * USD))], [])
            wall_s = past_of.clock.wall_s
            monkeypatch.setattr(past_of.clock, "wall_s", lambda: wall_s() + 3600.0)
            assert code(await it.it.ask()) == "insufficient_quota"

    run(main())


def test_a_soft_budget_of_a_key_counts_and_refuses_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            soft = KeyLimits(COST, "month", budget_hard=False)
            own = {"authorization": f"Bearer {it.it.store.add(limits=soft)}"}
            for _ in range(3):
                assert (await it.it.ask(headers=own)).status == 200
            usage = await it.it.ask(path="/v1/usage", method="GET", headers=own)
            (row,) = usage.json["data"]
            assert (row["limit"], row["used"]) == ("key:budget", f"0.{3 * COST:09d}")

    run(main())


@pytest.mark.parametrize("per_s", [1800.0, 86_400.0])
def test_a_clock_set_forward_before_a_restart_frees_nothing_of_a_budget_that_rolls_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, per_s: float
) -> None:
    monkeypatch.setattr(past_of, "boot_id", lambda: "the same")
    step_s = 2 * per_s

    async def main() -> None:
        async with house(tmp_path) as it:
            it.it.layout.run.mkdir()
            it.restart()
            it.ledger.write([rig.entry(it.spend(100 * USD))], [])
            wall_s = past_of.clock.wall_s
            monkeypatch.setattr(past_of.clock, "wall_s", lambda: wall_s() + step_s)
            for _ in range(2):  # and no restart after that
                it.restart()
                await it.obey(Limit(f"rolls-{it.version}", "spend", 100 * USD, per_s=per_s))
                assert code(await it.it.ask()) == "insufficient_quota"

    run(main())


def test_what_was_in_flight_when_a_budget_came_settles_into_it(tmp_path: Path) -> None:
    async def main() -> None:
        gates = [asyncio.Event(), asyncio.Event()]
        answer = whole()

        async def held(exchange: Exchange) -> None:
            await gates[exchange.json["n"] - 1].wait()
            await answer(exchange)

        async with house(tmp_path, held) as it:
            slow = asyncio.create_task(it.it.ask(body={**HELLO, "n": 1}))
            await until(lambda: it.up.exchanges)
            await it.obey(MONTH)
            gates[1].set()
            assert (await it.it.ask(body={**HELLO, "n": 2})).status == 200
            assert it.used("monthly") == COST
            gates[0].set()
            assert (await slow).status == 200
            assert it.used("monthly") == 2 * COST

    run(main())


def test_what_nobody_knows_the_cost_of_counts_as_the_most_that_it_can_be(tmp_path: Path) -> None:
    """Live, and after a restart: a whole answer that never came was produced by somebody."""

    async def main() -> None:
        async def cut(exchange: Exchange) -> None:
            exchange.send(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{")
            exchange.transport.close()

        async with house(tmp_path, cut) as it:
            await it.obey(MONTH)
            assert (await it.it.ask(body={**HELLO, "max_tokens": 100})).status == 502
            receipt = await it.it.receipt()
            assert receipt.cost_nanousd is None
            assert receipt.most_nanousd is not None
            assert receipt.most_nanousd > 100 * 2_000
            assert it.used("monthly") == receipt.most_nanousd
            await it.obey(replace(MONTH, name="another"))
            assert (await it.it.ask(path="/v1/usage", method="GET")).status == 200
            assert it.used("another") == receipt.most_nanousd

    run(main())


def test_two_hundred_callers_on_the_last_cent_overshoot_nothing_and_miss_nothing(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            body = {**HELLO, "max_tokens": 5}
            await it.obey(MONTH)
            assert (await it.it.ask(body=body)).status == 200
            (hold,) = (await it.it.receipt()).holds
            room = 20 * hold.amount
            it.ledger.write([rig.entry(it.spend(100 * USD - room - COST))], [])
            await it.obey(replace(MONTH, name="last"))
            replies = await asyncio.gather(*(it.it.ask(body=body) for _ in range(200)))
            served = [reply for reply in replies if reply.status == 200]
            assert {code(reply) for reply in replies if reply.status != 200} == {
                "insufficient_quota"
            }
            assert len(served) >= 20
            spent = 100 * USD - room + len(served) * COST
            assert it.used("last") == spent <= 100 * USD
            # Nobody is refused for what was only held: whatever still fits is served.
            while 100 * USD - it.used("last") >= hold.amount:
                assert (await it.it.ask(body=body)).status == 200
            assert code(await it.it.ask(body=body)) == "insufficient_quota"

    run(main())


def test_a_budget_of_another_period_or_for_others_is_read_anew(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            it.ledger.write([rig.entry(it.spend(3 * USD))], [])
            await it.obey(MONTH)
            assert (await it.it.ask()).status == 200
            assert it.used("monthly") == 3 * USD + COST
            long = Limit("monthly", "spend", 100 * USD, ("team",), per_s=86_400.0)
            await it.obey(long)
            assert (await it.it.ask()).status == 200
            assert it.used("monthly") == 3 * USD + 2 * COST
            longer = Limit("monthly", "spend", 100 * USD, ("team",), per_s=2 * 86_400.0)
            it.ledger.write(
                [rig.entry(rig.receipt(past_of.clock.wall_s() - 100_000, team="team-a"))], []
            )
            await it.obey(longer)
            assert (await it.it.ask()).status == 200
            assert it.used("monthly") == 3 * USD + 3 * COST + 5000
            only = Limit("monthly", "spend", 100 * USD, ("team",), (("route", "no"),), 2 * 86_400.0)
            await it.obey(only)
            assert (await it.it.ask()).status == 200
            assert it.used("monthly") == 0

    run(main())


def test_shared_counters_begin_with_the_ledger_the_journals_and_what_is_on_its_way(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            it.ledger.write([rig.entry(it.spend(7 * USD))], [Position("gateway-3", 1, 4)])
            assert (await it.it.ask()).status == 200
            await it.it.receipt()
            it.it.journal.append(encode_frame(it.spend(5 * USD)), lambda: None, never)
            limits = [in_force(one) for one in (MONTH, replace(MONTH, scope=("session",)))]
            [row] = await it.past.rows(limits, past_of.clock.wall_s())
            (amounts,) = await it.past.amounts([(limits[0], "team-a")])
            assert sum(amount for _, amount in amounts) == row.amount
            assert (row.scope, row.group, row.amount) == ("team-a", "team-a", 12 * USD + COST)

    run(main())


def test_budgets_are_read_behind_one_list_of_batches_at_most(tmp_path: Path) -> None:
    """However many ask for lists, which take long where there is much."""

    async def main() -> None:
        async with house(tmp_path) as it:
            order, go, reader = list[str](), threading.Event(), it.past._reader

            def listed(*asked: object) -> list[Receipt]:
                go.wait(5)
                order.append("a list")
                return []

            def recorded(ids: object) -> set[str]:
                order.append("a budget")
                return set()

            reader.holds, reader.recorded = listed, recorded
            lists = [asyncio.ensure_future(it.past.holds(0.0, 9)) for _ in range(9)]
            await asyncio.sleep(0)
            budget = asyncio.ensure_future(it.past.recorded(["any"]))
            await asyncio.sleep(0)
            go.set()
            await asyncio.gather(*lists, budget)
            assert len(order) == 10
            assert order.index("a budget") == 1

    run(main())
