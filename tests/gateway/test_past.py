"""A counter of money begins with what was spent, waits for it, and counts what was in flight."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gateway.journals import never
from tests.gateway.rig import HELLO, Gateway, Reply, gateway, plan_of, run, target, until
from tests.gateway.shared import in_force
from tests.gateway.upstream import Exchange, Upstream, whole
from tests.stores import rig

from tidegate.core.plan import Limit
from tidegate.core.receipt import Receipt, encode_frame
from tidegate.gateway import past as past_of
from tidegate.gateway.past import LedgerPast
from tidegate.gateway.past_reader import Found, PastReader, Question
from tidegate.stores.ledger import Ledger, Position

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


def test_what_settled_in_this_very_turn_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its frame is on its way to the journal's file, and not in it yet."""

    async def main() -> None:
        async with house(tmp_path) as it:
            real = PastReader.read_on

            def read_on(reader: PastReader, questions: list[Question], found: Found) -> None:
                real(reader, questions, found)
                if threading.current_thread() is threading.main_thread():
                    it.it.journal.append(encode_frame(it.spend(5 * USD)), lambda: None, never)

            monkeypatch.setattr(PastReader, "read_on", read_on)
            await it.obey(MONTH)
            assert (await it.it.ask()).status == 200
            assert it.used("monthly") == 5 * USD + COST

    run(main())


def test_all_who_ask_for_one_scope_share_one_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        reads: list[int] = []
        go = threading.Event()
        real = PastReader.read

        def read(reader: PastReader, questions: list):
            reads.append(len(questions))
            go.wait()
            return real(reader, questions)

        monkeypatch.setattr(PastReader, "read", read)
        async with house(tmp_path) as it:
            await it.obey(MONTH)
            asking = [asyncio.create_task(it.it.ask()) for _ in range(10)]
            await until(lambda: reads and len(it.it.world.listener.connections) == 10)
            go.set()
            replies = await asyncio.gather(*asking)
            assert {reply.status for reply in replies} == {200}
            assert reads == [1]
            assert it.used("monthly") == 10 * COST

    run(main())


def test_without_the_ledger_hard_budgets_refuse_and_try_again_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            await it.obey(MONTH)
            away = it.it.layout.ledger_db.with_name("away.db")
            it.it.layout.ledger_db.rename(away)
            reply = await it.it.ask()
            assert (reply.status, reply.code) == (503, "limits_unavailable")
            assert reply.headers["retry-after"] == "1"
            assert "monthly" in reply.json["error"]["message"]
            away.rename(it.it.layout.ledger_db)
            assert (await it.it.ask()).status == 200
            assert it.used("monthly") == COST

    run(main())


def test_without_the_ledger_alerts_are_served_and_counted_once_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        monkeypatch.setattr(past_of, "RETRY_S", 0.0)
        async with house(tmp_path) as it:
            await it.obey(ALERT)
            away = it.it.layout.ledger_db.with_name("away.db")
            it.it.layout.ledger_db.rename(away)
            assert (await it.it.ask()).status == 200
            assert it.used("told") == 0
            away.rename(it.it.layout.ledger_db)
            assert (await it.it.ask()).status == 200
            assert it.used("told") == 2 * COST

    run(main())


def test_a_read_that_hangs_costs_a_hard_budget_its_patience_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes when the read has come back finds the scope known."""

    async def main() -> None:
        go = threading.Event()
        real = PastReader.read

        def read(reader: PastReader, questions: list):
            go.wait()
            return real(reader, questions)

        monkeypatch.setattr(PastReader, "read", read)
        monkeypatch.setattr(past_of, "PATIENCE_S", 0.05)
        async with house(tmp_path) as it:
            await it.obey(MONTH)
            assert (await it.it.ask()).code == "limits_unavailable"
            go.set()
            await until(lambda: it.past.seeded_s > 0)
            assert (await it.it.ask()).status == 200

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
            [row] = await it.past.rows(limits)
            assert (row.scope, row.group, row.amount) == ("team-a", "team-a", 12 * USD + COST)

    run(main())
