"""What a batch may cost must fit, and what its lines have cost counts."""

from pathlib import Path
from typing import Any

import openai
import pytest
from msgspec.structs import replace
from tests.gateway.batched import (
    HALF,
    LINES,
    batched,
    begin,
    client,
    engine,
    line,
    put,
    settled,
    through,
)
from tests.gateway.house import MONTH
from tests.gateway.limited import budget, left
from tests.gateway.rig import PRICE, make_key, plan_of, run, target
from tests.gateway.shared import FakeCounters, in_force, store_of
from tests.stores import redis_rig, rig

from tidegate.core import clock
from tidegate.core.batches import Batches
from tidegate.core.plan import Limit
from tidegate.gateway.batch_desk import BatchDesk
from tidegate.gateway.batch_money import charge
from tidegate.gateway.batch_watch import look
from tidegate.gateway.gate import Gate
from tidegate.gateway.past import LedgerPast
from tidegate.gateway.shared_hold import read_shared

USD = 10**9


def test_a_batch_that_may_cost_more_than_is_left_does_not_begin(tmp_path: Path) -> None:
    async def main() -> None:
        # A line is about 100 bytes at half of 1,000 nano-dollars and 20 tokens at half of 2,000.
        limits = (budget(200_000, scope=("team",)),)
        async with engine() as up, batched(tmp_path, up, limits=limits) as (it, api):
            large, small = await put(api, LINES), await put(api, LINES[:2])
            with pytest.raises(openai.RateLimitError, match="the-spend") as no:
                await begin(api, large.id)
            assert no.value.response.headers["x-should-retry"] == "false"
            assert no.value.body["limit"]["limit"] == "the-spend"
            assert up.sim.batches.batches == {}
            assert left(it, "the-spend", "team-a") == 200_000
            await begin(api, small.id)

    run(main())


def test_lines_count_once_they_are_read_and_once_only(tmp_path: Path) -> None:
    async def main() -> None:
        limits = (
            budget(USD, scope=("team",)),
            Limit("of-target", "spend", USD, ("target",), unit="month"),
            Limit("told", "spend", USD, ("key",), unit="month", on_excess="alert"),
            Limit("others", "spend", USD, ("team",), (("team", "team-b"),), unit="month"),
        )
        scopes = {"the-spend": "team-a", "of-target": "small"}
        async with engine() as up, batched(tmp_path, up, limits=limits) as (it, api):
            scopes["told"] = next(iter(it.store.rows))
            batch = await through(api)
            for _ in range(2):
                await api.files.content(batch.output_file_id)
            spent = sum(one.cost_nanousd for one in settled(it))
            assert spent > 0
            await look(it.world, clock.monotonic_s())
            for name, scope in scopes.items():
                assert USD - left(it, name, scope) == spent, name
            assert left(it, "others", "team-b") == USD

    run(main())


def test_without_a_price_a_hard_budget_says_no(tmp_path: Path) -> None:
    async def main() -> None:
        limits = (budget(USD, only=(("team", "team-a"),)),)
        fields = {"batches": Batches(None), "price": PRICE, "limits": limits}
        async with engine() as up, batched(tmp_path, up, **fields) as (it, api):
            file = await put(api)
            with pytest.raises(openai.BadRequestError, match="no price is known for a batch"):
                await begin(api, file.id)
            async with client(it, it.store.add(team="team-b")) as other:
                assert (await begin(other, (await put(other)).id)).status == "in_progress"

    run(main())


def test_a_file_sent_before_there_was_a_budget_is_sent_again_where_it_has_no_bound(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        open_ended = [line(0), line(1)]
        del open_ended[1]["body"]["max_tokens"]
        async with engine() as up, batched(tmp_path, up) as (it, api):
            before, bound = await put(api, open_ended), await put(api)
            to = target(up.port, dialect="sim", batches=Batches(HALF))
            assert await it.obey(plan_of(to, version=2, limits=(budget(USD, scope=("team",)),)))
            with pytest.raises(openai.BadRequestError, match="send the file again"):
                await begin(api, before.id)
            await begin(api, bound.id)
            await begin(api, (await put(api, open_ended)).id)

    run(main())


def test_who_made_the_batch_is_charged_whoever_reads_it(tmp_path: Path) -> None:
    async def main() -> None:
        limits = (budget(USD, scope=("key",)),)
        async with engine() as up, batched(tmp_path, up, limits=limits) as (it, api):
            (maker,) = it.store.rows
            batch = await through(api)
            mate = it.store.add(name="mate")
            async with client(it, mate) as friend:
                await friend.files.content(batch.output_file_id)
            await look(it.world, clock.monotonic_s())
            spent = sum(one.cost_nanousd for one in settled(it))
            assert {one.key_id for one in settled(it)} == {maker}
            assert USD - left(it, "the-spend", maker) == spent
            (reader,) = set(it.store.rows) - {maker}
            assert left(it, "the-spend", reader) == USD

    run(main())


def test_a_budget_that_knows_its_past_counts_lines_as_its_ledger_does(tmp_path: Path) -> None:
    """Read through a gateway that counts, and through another that begins with the ledger."""

    async def main() -> None:
        async with engine() as up, batched(tmp_path, up, limits=(MONTH,)) as (it, api):
            rig.migrated(it.layout.ledger_db).dispose()
            past = it.world.past = LedgerPast(it.layout, "gateway-0", it.journal)
            try:
                batch = await through(api)
                await api.files.content(batch.output_file_id)
                await look(it.world, clock.monotonic_s())
                spent = sum(one.cost_nanousd for one in settled(it))
                assert MONTH.amount - left(it, "monthly", "team-a") == spent
            finally:
                past.close()
            # What begins now reads the journal, in which each line stands once.
            past = it.world.past = LedgerPast(it.layout, "gateway-0", it.journal)
            try:
                it.world.batches = BatchDesk()
                await api.files.content(batch.output_file_id)
                assert len(settled(it)) == 10
                plan = it.world.obeyed()
                (monthly,) = plan.limits.of_caller
                (amounts,) = await past.amounts([(monthly, "team-a")])
                assert sum(amount for _, amount in amounts) == spent
            finally:
                past.close()

    run(main())


def plan_with(gate: Gate) -> Any:
    """A plan of which only the limits are looked at."""

    class Limits:
        target_gate = Gate(())

        def gate(self, key: Any, receipt: Any) -> Gate:
            return gate

    class Plan:
        limits = Limits()

    return Plan()


def test_shared_counters_are_told() -> None:
    async def main() -> None:
        counters = FakeCounters()
        plan = plan_with(Gate((in_force(MONTH, store_of(counters)),)))
        receipt, key = rig.receipt(clock.wall_s(), team="team-a", cost_nanousd=7), make_key()[1]
        charge(receipt, key, plan, None, "id")
        ((taken, used),) = counters.given
        assert (taken.id, used) == ("id.0", [7])
        last_year = replace(receipt, started_at_s=clock.wall_s() - 366 * 86_400)
        charge(last_year, key, plan, None, "late")
        assert len(counters.given) == 1

    run(main())


@pytest.mark.parametrize("mode", ["exact", "slices"])
def test_a_store_is_told(mode: str, tmp_path: Path) -> None:
    async def main(server: redis_rig.Server) -> None:
        async with redis_rig.counters(server.address, mode=mode) as store:
            it = in_force(MONTH, store_of(store))
            plan = plan_with(Gate((it,)))
            receipt = rig.receipt(clock.wall_s(), team="team-a", cost_nanousd=7)
            for number in range(3):
                charge(receipt, make_key()[1], plan, None, f"id-{number}")
            used = 0
            while used != 21:
                (reading,) = await read_shared([(it, "team-a")], receipt)
                used = reading.used

    with redis_rig.serving("valkey", tmp_path) as server:
        redis_rig.run(main(server))
