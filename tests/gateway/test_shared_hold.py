"""Holds in a shared store: all or none, a word from whoever has no room, given back once."""

import asyncio
from typing import Any

import pytest
from tests.gateway.rig import run, target
from tests.gateway.shared import FakeCounters, in_force, store_of

from tidegate.core.ask import Ask
from tidegate.core.limit import Calendar, Demand, Reading
from tidegate.core.outcome import Refusal
from tidegate.core.plan import Limit
from tidegate.core.pricing import Ceiling
from tidegate.core.receipt import Receipt
from tidegate.gateway import shared_hold
from tidegate.gateway.admit import Admission
from tidegate.gateway.gate import Gate
from tidegate.gateway.holding import moment
from tidegate.gateway.in_force import InForce
from tidegate.gateway.prepared_route import Dearest
from tidegate.gateway.shared_hold import (
    SharedHold,
    drop_shared,
    read_shared,
    settle_shared,
    take_more,
    take_shared,
)
from tidegate.limits.spend import plug
from tidegate.stores.memory_counters import memory_counters
from tidegate.stores.redis_wants import Away, Refused, Unlearnt

BUDGET = Limit("ours", "spend", 10**9, ("team",), unit="month")
RATE = Limit("rate", "requests", 10, per_s=60.0)
FULL = Reading(10, 10, 5.0, 5.0)


def receipt() -> Receipt:
    return Receipt("r", 1.0, "g", "chat", team="a")


def demand(cost_nanousd: int = 7) -> Demand:
    return Demand(Ask("chat", b"", {}, "small"), receipt(), 10, True, 5, 1, cost_nanousd)


def gate_of(counters: FakeCounters, *limits: Limit) -> Gate:
    store = store_of(counters)
    return Gate(tuple(in_force(limit, store) for limit in limits))


def admission() -> Admission:
    it = target(1)
    prepared = Dearest(it, Ceiling(it.price), (it.price,))
    return Admission(Ask("chat", b"{}", {}, "small"), receipt(), prepared, 100)


def test_what_is_held_is_given_back_once_with_what_was_used() -> None:
    async def main() -> None:
        counters = FakeCounters()
        hold = await take_shared(gate_of(counters, BUDGET, RATE), demand(), "r/0")
        assert isinstance(hold, SharedHold)
        assert hold.holds_money()
        assert [(want.scope, want.amount) for want in counters.asked[0][1]] == [("a", 7), ("", 1)]
        done, holds = receipt(), [hold]
        done.cost_nanousd = 4
        settle_shared(holds, done, True)
        settle_shared(holds, done, True)
        assert [used for _, used in counters.given] == [[4, 1]]
        assert [(one.limit, one.amount, one.used) for one in done.holds] == [
            ("ours", 7, 4),
            ("rate", 1, 1),
        ]
        assert hold.store.in_use == 0

    run(main())


def test_more_of_the_money_is_held_and_given_back_unused() -> None:
    async def main() -> None:
        counters = FakeCounters()
        hold = await take_shared(gate_of(counters, BUDGET, RATE), demand(), "r/0")
        assert isinstance(hold, SharedHold)
        more = await take_more(hold, receipt(), 30, "r/more.1")
        assert more is not None
        name, wants = counters.asked[-1]
        assert (name, [(want.scope, want.amount) for want in wants]) == ("r/more.1", [("a", 30)])
        assert hold.store.in_use == 2
        drop_shared([more])
        assert counters.given == [(more.taken, [0])]
        assert hold.store.in_use == 1

    run(main())


@pytest.mark.parametrize("answer", [Refused(0, FULL), Away(0)])
def test_no_more_is_held_where_there_is_none(answer: Any) -> None:
    async def main() -> None:
        it = admission()
        counters = FakeCounters()
        await it.admit(gate_of(counters, BUDGET), None)
        counters.answers.append(answer)
        assert not await it.hold_more(30)
        assert await it.hold_more(30)
        assert [len(wants) for _, wants in counters.asked] == [1, 1, 1]
        assert len({name for name, _ in counters.asked}) == 3, "an id is used once"
        it.drop_more()
        assert [used for _, used in counters.given] == [[0]]

    run(main())


def test_more_that_is_not_had_whole_is_not_kept() -> None:
    """In memory and in the store, whether there is no room or the client leaves meanwhile."""

    class Slow(FakeCounters):
        async def take(self, id: str, wants: Any) -> Any:
            if self.asked:
                await asyncio.sleep(60)
            return await super().take(id, wants)

    async def main() -> None:
        for counters in (FakeCounters(), Slow()):
            here = InForce(BUDGET, plug, memory_counters(Calendar(10**9, "month")))
            it = admission()
            await it.admit(Gate((here, *gate_of(counters, BUDGET).shared)), None)
            [(_, scope, amount, _)] = it.held
            counters.answers.append(Refused(0, FULL))
            asking = asyncio.create_task(it.hold_more(30))
            await asyncio.wait([asking], timeout=0.01)
            if not asking.done():
                asking.cancel()
                await asyncio.wait([asking])
            assert asking.cancelled() or not asking.result()
            assert here.counters is not None
            assert here.counters.read(scope, 0, moment()).used == amount

    run(main())


def test_an_unknown_cost_counts_as_all_of_it_unless_nobody_worked() -> None:
    async def main() -> None:
        counters = FakeCounters()
        gate = gate_of(counters, BUDGET)
        for worked, used in ((True, [7]), (False, [0])):
            hold = await take_shared(gate, demand(), "r/0")
            assert isinstance(hold, SharedHold)
            settle_shared([hold], receipt(), worked)
            assert counters.given.pop()[1] == used

    run(main())


def test_what_is_free_does_not_ask_a_hard_budget() -> None:
    async def main() -> None:
        counters = FakeCounters(Away(0))
        assert await take_shared(gate_of(counters, BUDGET), demand(0), "r/0") is None
        assert not counters.asked

    run(main())


def test_a_store_that_is_away_is_waited_for_a_little_and_then_refused() -> None:
    async def main() -> None:
        counters = FakeCounters(Away(0), Away(0))
        assert isinstance(await take_shared(gate_of(counters, BUDGET), demand(), "r/0"), SharedHold)
        ids = [id for id, _ in counters.asked]
        assert len(ids) == len({*ids}) == 3
        gone = FakeCounters(*[Away(0)] * 1000)
        with pytest.raises(Refusal) as no:
            await take_shared(gate_of(gone, BUDGET), demand(), "r/0")
        assert no.value.code.name == "limits_unavailable"
        assert "'ours'" in str(no.value)

    run(main())


def test_what_was_spent_of_a_budget_is_learnt_before_it_is_held() -> None:
    async def main() -> None:
        counters = FakeCounters(Unlearnt(0), Unlearnt(0))
        gate = gate_of(counters, BUDGET)
        learnt: list[tuple[str, str]] = []

        async def learn(it: Any, scope: str, want: Any) -> bool:
            learnt.append((it.limit.name, scope))
            return True

        gate.shared[0].shared.store.learn = learn  # type: ignore[union-attr]
        assert isinstance(await take_shared(gate, demand(), "r/0"), SharedHold)
        assert learnt == [("ours", "a")] * 2

    run(main())


@pytest.mark.parametrize("known", [True, False])
def test_a_budget_whose_past_cannot_be_learnt_is_refused(known: bool) -> None:
    async def main() -> None:
        gate = gate_of(FakeCounters(*[Unlearnt(0)] * 1000), BUDGET)

        async def learn(it: Any, scope: str, want: Any) -> bool:
            return known

        gate.shared[0].shared.store.learn = learn  # type: ignore[union-attr]
        with pytest.raises(Refusal) as no:
            await take_shared(gate, demand(), "r/0")
        assert no.value.code.name == "limits_unavailable"

    run(main())


def test_the_limit_without_room_refuses_in_its_own_words_and_memory_is_undone() -> None:
    async def main() -> None:
        counters = FakeCounters(Refused(0, FULL))
        admitted = admission()
        with pytest.raises(Refusal) as no:
            await admitted.admit(gate_of(counters, RATE), None)
        assert no.value.code.name == "rate_limit_exceeded"
        assert admitted.demand.receipt.refused_by == "rate"
        assert (admitted.held, admitted.shared) == ([], [])

    run(main())


def test_a_shorter_answer_is_asked_for_where_it_fits_the_money_left() -> None:
    async def main() -> None:
        short = Refused(0, Reading(0, 100_000, 5.0, 5.0))
        counters = FakeCounters(short)
        admitted = admission()
        await admitted.admit(gate_of(counters, BUDGET), None)
        assert admitted.lowered
        amounts = [wants[0].amount for _, wants in counters.asked]
        assert amounts[-1] <= 100_000 < amounts[0]
        assert len({id for id, _ in counters.asked}) == len(counters.asked)
        admitted.bind(admitted.demand.ask)
        assert admitted.most_chunks == admitted.demand.total_output_tokens

    run(main())


def test_a_client_that_leaves_while_it_is_asked_for_leaves_no_hold_here() -> None:
    async def main() -> None:
        class Slow(FakeCounters):
            async def take(self, id: str, wants: Any) -> Any:
                await asyncio.sleep(60)

        admitted = admission()
        asking = asyncio.create_task(admitted.admit(gate_of(Slow(), RATE), None))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert admitted.shared == []

    run(main())


def test_standings_are_read_from_the_store_or_refused() -> None:
    async def main() -> None:
        counters = FakeCounters()
        of = [(it, "a") for it in gate_of(counters, BUDGET).shared]
        assert [one.used for one in await read_shared(of, receipt())] == [3]
        assert await read_shared([], receipt()) == []
        counters.away = True
        with pytest.raises(Refusal, match="shared counters"):
            await read_shared(of, receipt())

    run(main())


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_hold, "PATIENCE_S", 0.05)
    monkeypatch.setattr(shared_hold, "LEARN_PATIENCE_S", 0.05)
    monkeypatch.setattr(shared_hold, "AGAIN_S", 0.001)
