"""What a batch may cost is held until its results are settled, and no longer: whoever settles them,
however often, and whatever ended meanwhile."""

import asyncio
from pathlib import Path
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.gateway.batched import (
    HALF,
    batched,
    begin,
    done,
    engine,
    held,
    line,
    put,
    settled,
    stopped,
    through,
)
from tests.gateway.house import MONTH
from tests.gateway.limited import budget, left
from tests.gateway.rig import Gateway, make_key, plan_of, run, target, until
from tests.gateway.shared import FakeCounters, in_force, store_of
from tests.gateway.test_batch_money import plan_with
from tests.stores import redis_rig, rig

from tidegate.core import clock, plugs
from tidegate.core.batches import Batches
from tidegate.core.frames import FRAME_HEADER_BYTES
from tidegate.core.outcome import Refusal
from tidegate.core.purpose import BATCH_HOLD
from tidegate.core.receipt import Receipt, decode_payload, encode_frame
from tidegate.gateway.batch_desk import BatchDesk
from tidegate.gateway.batch_hold import done_id, hold, release
from tidegate.gateway.batch_ids import Sealed, hold_id
from tidegate.gateway.batch_watch import look
from tidegate.gateway.gate import Gate
from tidegate.gateway.holding import moment
from tidegate.gateway.in_force import InForce
from tidegate.gateway.past import LedgerPast
from tidegate.gateway.shared_hold import read_shared
from tidegate.stores.ledger import Ledger
from tidegate.stores.memory_counters import memory_counters
from tidegate.stores.spending import spent_nanousd

USD = 10**9
TEAM = (budget(USD, scope=("team",)),)


def used(it: Gateway, name: str = "the-spend", scope: str = "team-a") -> int:
    return USD - left(it, name, scope)


def spent(it: Gateway) -> int:
    return sum(one.cost_nanousd or 0 for one in settled(it))


def in_all(it: Gateway) -> int:
    """What the ledger will say that was spent or held."""
    return sum(map(spent_nanousd, it.receipts()))


def test_what_is_held_stands_until_results_are_settled(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up, limits=TEAM) as (it, api):
            batch = await begin(api, (await put(api)).id)
            most = held(it)[0].most_nanousd
            assert most is not None
            assert used(it) == in_all(it) == most > 0
            await api.files.content((await done(api, batch)).output_file_id)
            assert used(it) == in_all(it) == most + spent(it)
            await look(it.world, clock.monotonic_s())
            assert used(it) == in_all(it) == spent(it) > 0
            for _ in range(2):  # nothing is given back twice
                await api.batches.retrieve(batch.id)
                await look(it.world, clock.monotonic_s() + 1e4)
            assert used(it) == in_all(it) == spent(it)
            assert not it.world.batches.holds

    run(main())


def test_batches_that_fit_one_by_one_do_not_pass_a_budget_together(tmp_path: Path) -> None:
    async def main() -> None:
        limits = (budget(400_000, scope=("team",)),)
        async with engine() as up, batched(tmp_path, up, limits=limits) as (it, api):
            file = await put(api)
            several = await asyncio.gather(
                *(begin(api, file.id) for _ in range(4)), return_exceptions=True
            )
            refused = [one for one in several if isinstance(one, openai.RateLimitError)]
            assert len(refused) == 3
            assert "spent or held" in str(refused[0])
            assert len(up.sim.batches.batches) == 1
            assert len(held(it)) == 2  # held, and begun

    run(main())


def test_what_was_not_begun_is_held_no_more(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up, limits=TEAM) as (it, api):
            file = await put(api)
            up.sim.batches.files.clear()
            with pytest.raises(openai.BadRequestError):
                await begin(api, file.id)
            assert used(it) == in_all(it) == 0
            taken, given_back = (one.most_nanousd for one in held(it))
            assert taken == -given_back > 0

    run(main())


def test_nobody_is_asked_for_what_cannot_be_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk refuses it, or it is not safe there in time."""

    async def main() -> None:
        async with engine() as up, batched(tmp_path, up, limits=TEAM) as (it, api):
            file = await put(api)

            def full(*asked: Any) -> int:
                raise OSError(28, "no space left")

            with monkeypatch.context() as patched:
                patched.setattr(it.journal, "_write", full)
                beginning = asyncio.ensure_future(begin(api, file.id))
                await until(lambda: it.journal.full)
                assert used(it) > 0
                it.journal.sweep(clock.monotonic_s() + 11.0)
                await until(lambda: len(it.journal.unwritten()) > 0 and used(it) == 0)
                it.journal.sweep(clock.monotonic_s() + 22.0)
                with pytest.raises(openai.InternalServerError, match="cannot record"):
                    await beginning
            it.journal.sweep(clock.monotonic_s())
            assert up.sim.batches.batches == {}
            assert used(it) == in_all(it) == 0
            assert len(held(it)) == 2

    run(main())


def test_a_batch_without_results_is_held_no_more(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up, limits=TEAM) as (it, api):
            batch = await begin(api, (await put(api)).id)
            stopped(up).status = "failed"
            await api.batches.retrieve(batch.id)
            await look(it.world, clock.monotonic_s())
            assert used(it) == in_all(it) == 0

    run(main())


def test_a_line_of_unknown_cost_counts_as_the_dearest(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up, limits=TEAM) as (it, api):
            batch = await through(api, [line(0), line(1, max_tokens=40)])
            (own,) = up.sim.batches.batches.values()
            file = up.sim.batches.files[own.output_file_id or ""]
            file.content = file.content.replace(b'"usage"', b'"usages"')
            await api.files.content(batch.output_file_id)
            await look(it.world, clock.monotonic_s())
            assert {one.cost_nanousd for one in settled(it)} == {None}
            most = {one.most_nanousd for one in settled(it)}
            assert len(most) == 1
            assert used(it) == in_all(it) == 2 * most.pop() > 0

    run(main())


def test_a_price_that_changes_meanwhile_changes_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up, limits=TEAM) as (it, api):
            stale = await put(api)
            batch = await through(api)
            fields: dict[str, Any] = {
                "dialect": "sim",
                "batches": Batches(replace(HALF, version="x")),
            }
            assert await it.obey(plan_of(target(up.port, **fields), version=2, limits=TEAM))
            with pytest.raises(openai.BadRequestError, match="price of a batch has changed"):
                await begin(api, stale.id)
            await api.files.content(batch.output_file_id)
            assert {one.price_version for one in settled(it)} == {HALF.version}

    run(main())


async def to_ledger(it: Gateway, ledger: Ledger, seen: set[str]) -> None:
    """What is in the journal is in the ledger."""
    for one in it.receipts():
        if one.id not in seen:
            ledger.write([(one, encode_frame(one)[FRAME_HEADER_BYTES:])], [])
            seen.add(one.id)


def test_a_gateway_that_starts_anew_ends_what_another_held(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up, limits=(MONTH,)) as (it, api):
            written = rig.migrated(it.layout.ledger_db)
            ledger, seen = Ledger(written), set[str]()
            batch = await done(api, await begin(api, (await put(api)).id))
            await to_ledger(it, ledger, seen)
            past = it.world.past = LedgerPast(it.layout, "gateway-0", it.journal)
            try:
                it.world.batches = BatchDesk()
                await it.obey(
                    plan_of(target(up.port, dialect="sim", batches=Batches(HALF)), version=2)
                )
                to = target(up.port, dialect="sim", batches=Batches(HALF))
                await it.obey(plan_of(to, version=3, limits=(MONTH,)))
                (monthly,) = it.world.obeyed().limits.of_caller
                await past.learn([(monthly, "team-a", 1)])
                most = held(it)[0].most_nanousd
                assert MONTH.amount - left(it, "monthly", "team-a") == most
                await api.batches.retrieve(batch.id)
                await api.files.content(batch.output_file_id)
                await look(it.world, clock.monotonic_s())
                assert MONTH.amount - left(it, "monthly", "team-a") == spent(it) == in_all(it)
                await to_ledger(it, ledger, seen)
                (amounts,) = await past.amounts([(monthly, "team-a")])
                assert sum(amount for _, amount in amounts) == spent(it)
                # A third one has nothing left to do.
                it.world.batches = BatchDesk()
                await api.batches.retrieve(batch.id)
                await look(it.world, clock.monotonic_s())
                assert in_all(it) == spent(it)
            finally:
                past.close()
                written.dispose()

    run(main())


def test_a_budget_that_was_changed_meanwhile_holds_it_no_longer(tmp_path: Path) -> None:
    """It begins with the ledger, and so with what is held."""

    async def main() -> None:
        async with engine() as up, batched(tmp_path, up, limits=(MONTH,)) as (it, api):
            written = rig.migrated(it.layout.ledger_db)
            ledger, seen = Ledger(written), set[str]()
            past = it.world.past = LedgerPast(it.layout, "gateway-0", it.journal)
            try:
                batch = await done(api, await begin(api, (await put(api)).id))
                to = target(up.port, dialect="sim", batches=Batches(HALF))
                changed = replace(MONTH, only=(("team", "team-a"),))
                assert await it.obey(plan_of(to, version=2, limits=(changed,)))
                (monthly,) = it.world.obeyed().limits.of_caller
                await past.learn([(monthly, "team-a", 1)])
                assert MONTH.amount - left(it, "monthly", "team-a") == held(it)[0].most_nanousd
                await to_ledger(it, ledger, seen)
                await api.files.content(batch.output_file_id)
                await look(it.world, clock.monotonic_s())
                assert MONTH.amount - left(it, "monthly", "team-a") == spent(it) == in_all(it)
            finally:
                past.close()
                written.dispose()

    run(main())


def of_batch(at_ms: int, most_nanousd: int, number: int) -> tuple[Sealed, Receipt]:
    """A file's seal of a batch that began then, and the receipt of what is held for it."""
    place = "input", "file-0", b"p" * 9, "small", "chat", "k", "team-a", None, at_ms
    sealed = Sealed(*place, most_nanousd=most_nanousd, hold=number.to_bytes(16, "big"))
    receipt = Receipt(hold_id(sealed), at_ms / 1000, "g", "chat", purpose=BATCH_HOLD)
    receipt.key_id, receipt.team, receipt.route = "k", "team-a", "small"
    return sealed, receipt


class House:
    """What several gateways share, in memory: their journals, which are the ledger at once."""

    def __init__(self) -> None:
        self.rows: dict[str, Receipt] = {}

    async def recorded(self, ids: Any) -> set[str]:
        return self.rows.keys() & set(ids)

    async def receipt(self, id: str) -> Receipt | None:
        return self.rows.get(id)

    async def learn(self, wanted: Any) -> tuple[()]:
        return ()

    def began(self, counters: Any, scope: str, since_s: float) -> bool:
        return False

    def append(self, frame: bytes, ending: Any = None, give_up: Any = None) -> None:
        receipt = decode_payload(frame[FRAME_HEADER_BYTES:])
        self.rows.setdefault(receipt.id, receipt)

    def written(self, frame: bytes) -> Any:
        self.append(frame)
        safe = asyncio.get_running_loop().create_future()
        safe.set_result(True)
        return safe

    @property
    def sum(self) -> int:
        return sum(map(spent_nanousd, self.rows.values()))


def world_of(house: House, gate: Gate) -> Any:
    """A gateway's world of which only batches are looked at."""

    class Keys:
        async def record(self, id: str) -> Any:
            return make_key(team="team-a")[1]

    class World:
        journal = past = house
        batches = BatchDesk()
        keys = Keys()

        def obeyed(self) -> Any:
            return plan_with(gate)

    return World()


@pytest.mark.parametrize("mode", ["exact", "slice"])
@pytest.mark.parametrize("kind", ["month", "rolling"])
def test_two_gateways_hold_and_release_as_one(mode: Any, kind: str, tmp_path: Path) -> None:
    limit = MONTH if kind == "month" else replace(MONTH, unit=None, per_s=86_400.0)
    limit = replace(limit, amount=1_000)
    soft = replace(limit, name="told", on_excess="alert")

    async def reading(of: Any, amount: int) -> None:
        async with asyncio.timeout(5):
            # What is in a gateway's hands counts as used, by slices of a hundredth.
            used_now, slack = -1, 0 if mode == "exact" else 40
            while not amount <= used_now <= amount + slack:
                (one,) = await read_shared(
                    [(of, "team-a")], rig.receipt(clock.wall_s(), team="team-a")
                )
                used_now = one.used
                await asyncio.sleep(0.005)

    async def main(server: redis_rig.Server) -> None:
        house = House()
        async with (
            redis_rig.counters(server.address, mode=mode) as first,
            redis_rig.counters(server.address, name="two", mode=mode) as second,
        ):
            limits = [
                (in_force(limit, store_of(it)), in_force(soft, store_of(it)))
                for it in (first, second)
            ]
            worlds = [world_of(house, Gate(one)) for one in limits]
            key, now_ms = make_key(team="team-a")[1], int(clock.wall_s() * 1000)
            batches = [of_batch(now_ms, 400, number) for number in range(1, 4)]
            for (file, receipt), it in zip(batches, (worlds[0], worlds[1], worlds[0]), strict=True):
                try:
                    await hold(file, receipt, key, it)
                except Refusal as no:
                    assert receipt is batches[2][1]
                    assert no.code.name == "insufficient_quota"
            for of in limits[0]:
                await reading(of, 800)
            ended = await asyncio.gather(*(release(batches[0][0], it) for it in worlds * 2))
            assert all(ended)
            for of in limits[1]:
                await reading(of, 400)
            await hold(*batches[2], key, worlds[1])
            for of in limits[0]:  # soft ones are told behind it
                await reading(of, 800)
            for one in batches[1:]:
                assert await release(one[0], worlds[0])
            for of in limits[0]:
                await reading(of, 0)
            assert house.sum == 0

    with redis_rig.serving("valkey", tmp_path) as server:
        redis_rig.run(main(server))


@pytest.mark.parametrize("mode", ["exact", "slice"])
def test_what_is_held_outlives_the_gateway_that_counted_it(mode: Any, tmp_path: Path) -> None:
    """Killed as its provider is asked: what others count is no hold of its any more, which would
    end with its lease."""
    lease_s = 0.5

    async def main(server: redis_rig.Server) -> None:
        limit, key = replace(MONTH, amount=10_000), make_key(team="team-a")[1]
        async with redis_rig.counters(server.address, mode=mode) as first:
            it = in_force(limit, store_of(first), lease_s)
            file, receipt = of_batch(int(clock.wall_s() * 1000), 4_000, 1)
            assert await hold(file, receipt, key, world_of(House(), Gate((it,))))
        await asyncio.sleep(lease_s * 1.5)
        async with redis_rig.counters(server.address, name="two", mode=mode) as second:
            of = in_force(limit, store_of(second), lease_s)
            (one,) = await read_shared([(of, "team-a")], rig.receipt(clock.wall_s(), team="team-a"))
            assert one.used == 4_000

    with redis_rig.serving("valkey", tmp_path) as server:
        redis_rig.run(main(server))


@pytest.mark.parametrize(("kind", "taken_back"), [("batch", [-400]), ("owner", [])])
def test_what_the_store_was_perhaps_not_told_is_not_taken_off_it(
    kind: Any, taken_back: list[int]
) -> None:
    """Of a gateway that was killed before its provider was asked nobody knows that."""

    async def main() -> None:
        house, counters = House(), FakeCounters()
        gate = Gate((in_force(replace(MONTH, amount=1_000), store_of(counters)),))
        file, receipt = of_batch(int(clock.wall_s() * 1000), 400, 1)
        await hold(file, receipt, make_key(team="team-a")[1], world_of(house, gate))
        assert [used for _, used in counters.given] == [[400]]
        counters.given.clear()
        # A process that has begun since.
        assert await release(replace(file, kind=kind), world_of(house, gate))
        assert [used[0] for _, used in counters.given] == taken_back
        assert house.sum == 0

    asyncio.run(main())


@given(
    st.lists(st.integers(1, 500), max_size=6),
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(["release", "again", "new"])), max_size=20
    ),
)
def test_whatever_was_held_was_given_back_once(amounts, steps):
    """In one gateway's memory, also of one that starts anew meanwhile."""

    async def main() -> None:
        house, key = House(), make_key(team="team-a")[1]
        kind, limit = plugs.load("limits", "spend"), replace(MONTH, amount=1_000)
        it = InForce(limit, kind, memory_counters(kind.shape(limit)))
        world = world_of(house, Gate((it,)))
        now_ms, open_holds, ended = int(clock.wall_s() * 1000), {}, []
        for number, amount in enumerate(amounts):
            file, receipt = of_batch(now_ms, amount, number + 1)
            fits = sum(size for _, size in open_holds.values()) + amount <= 1_000
            try:
                await hold(file, receipt, key, world)
            except Refusal:
                assert not fits
                continue
            assert fits
            open_holds[number] = file, amount
        for number, what in steps:
            if what == "new":  # a process that begins, with what its ledger says
                world.batches = BatchDesk()
                world.batches.since_s += 1.0
                for file in ended:  # which its ledger knows of
                    assert await release(file, world)
            found = open_holds.get(number)
            for _ in range(1 + (what == "again")):
                if found is not None:
                    assert await release(found[0], world)
                    assert done_id(found[0]) in house.rows
            if found is not None:
                ended.append(open_holds.pop(number)[0])
            now = it.counters.read("team-a", 0, moment()).used
            assert now == house.sum == sum(size for _, size in open_holds.values())

    asyncio.run(main())
