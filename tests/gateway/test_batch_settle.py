"""Each line becomes one receipt in the ledger, however often and wherever it is read."""

from pathlib import Path

import openai
import pytest
from msgspec.structs import replace
from tests.gateway import signers
from tests.gateway.batched import (
    HALF,
    LINES,
    batched,
    begin,
    client,
    engine,
    held,
    put,
    settled,
    through,
)
from tests.gateway.rig import gateway, plan_of, run, target
from tests.gateway.tokens import KEY, file_keys
from tests.stores import rig

from tidegate.core import clock
from tidegate.core.batches import Batches
from tidegate.core.caller import id_of_caller
from tidegate.core.frames import frames
from tidegate.core.plan_callers import FromClaim, Grant, GrantLimits
from tidegate.core.receipt import decode_payload, encode_frame
from tidegate.gateway.batch_watch import look
from tidegate.gateway.holding import moment
from tidegate.stores.ledger import Ledger


def test_the_ledger_has_each_line_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up:
            found = []
            async with batched(tmp_path / "one", up) as (one, api):
                batch = await through(api)
                key, rows = one.key, one.store.rows
                await api.files.content(batch.output_file_id)
                found += settled(one)
            async with batched(tmp_path / "two", up) as (two, _):
                two.store.rows.update(rows)
                async with client(two, key) as api:
                    await api.files.content(batch.output_file_id)
                found += settled(two)
        assert len(found) == 10
        engine_of = rig.migrated(tmp_path / "ledger.db")
        ledger = Ledger(engine_of)
        payloads = [payload for it in found for _, payload in frames(encode_frame(it))]
        both = [(decode_payload(payload), payload) for payload in payloads]
        new = ledger.write(both[:5], []) + ledger.write(both[5:], [])
        assert len(new) == 5
        assert sum(it.cost_nanousd for it in new) == sum(it.cost_nanousd for it in found) // 2
        engine_of.dispose()

    run(main())


def test_many_lines_are_settled_in_turns_and_none_twice(tmp_path: Path) -> None:
    async def main() -> None:
        many = [{**LINES[0], "custom_id": f"c-{number}"} for number in range(150)]
        async with engine() as up, batched(tmp_path, up) as (it, api):
            batch = await through(api, many)
            await api.files.content(batch.output_file_id)
            receipts = settled(it)
            assert {it.attributes["custom_id"] for it in receipts} == {
                one["custom_id"] for one in many
            }
            assert len(receipts) == 150
            assert it.world.batches.lines == {("small", "settled"): 150}

    run(main())


def test_failed_lines_are_told_as_such(tmp_path: Path) -> None:
    async def main() -> None:
        bad = {**LINES[1], "body": {**LINES[1]["body"], "n": 100, "best_of": 1, "stop": [1]}}
        async with engine() as up, batched(tmp_path, up) as (it, api):
            batch = await through(api, [LINES[0], bad])
            assert batch.request_counts.failed == 1
            await api.files.content(batch.output_file_id)
            await api.files.content(batch.error_file_id)
            good, failed = settled(it)
            assert (good.status, good.error_code) == (200, None)
            assert (failed.status, failed.error_code) == (400, "rejected_by_provider")
            assert (failed.cost_nanousd, failed.attributes["custom_id"]) == (0, "line-1")
            assert it.world.batches.lines == {("small", "settled"): 1, ("small", "failed"): 1}

    run(main())


def test_a_key_that_is_gone_or_has_moved_leaves_its_lines_to_its_team(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            batch = await through(api)
            (maker,) = it.store.rows
            mate = it.store.add(name="mate")
            del it.store.rows[maker]
            async with client(it, mate) as friend:
                await friend.files.content(batch.output_file_id)
            assert {(one.key_id, one.team) for one in settled(it)} == {(maker, "team-a")}

    run(main())


def test_a_caller_without_a_key_has_spent_its_own_budget(tmp_path: Path) -> None:
    async def main() -> None:
        own = GrantLimits(budget_nanousd=10**9, budget_unit="month")
        grant = Grant(FromClaim("team-a"), limits=own)
        one = signers.issuer(file_keys(tmp_path), grant)
        async with engine() as up:
            to = target(up.port, dialect="sim", batches=Batches(HALF))
            async with gateway(tmp_path, to, callers=(one,)) as it:
                token = signers.sign(KEY, signers.claims())
                async with client(it, token) as api:
                    batch = await through(api)
                    await api.files.content(batch.output_file_id)
                    await look(it.world, clock.monotonic_s())
                id = id_of_caller(signers.ISSUER, "service-a")
                assert {receipt.key_id for receipt in settled(it)} == {id}
                caller = it.world.keys.known(token.encode())
                assert caller is not None
                (budget,) = it.world.obeyed().limits.of_key(caller)
                assert budget.counters is not None
                spent = budget.counters.read(id, 0, moment()).used
                assert spent == sum(receipt.cost_nanousd for receipt in settled(it)) > 0
                assert it.world.keys.limits_of("jwt-other") is None

    run(main())


def test_a_caller_with_long_attributes_has_ids_that_open_or_no_batch(tmp_path: Path) -> None:
    async def main(count: int) -> None:
        told = tuple((f"said-{number}", FromClaim("v" * 250)) for number in range(count))
        one = signers.issuer(file_keys(tmp_path), Grant(FromClaim("team-a"), attributes=told))
        async with engine() as up:
            to = target(up.port, dialect="sim", batches=Batches(HALF))
            async with gateway(tmp_path / str(count), to, callers=(one,)) as it:
                async with client(it, signers.sign(KEY, signers.claims())) as api:
                    if count > 10:
                        with pytest.raises(openai.BadRequestError, match="too long"):
                            await begin(api, (await put(api)).id)
                        assert up.sim.batches.batches == {}
                        assert held(it) == []
                        return
                    batch = await through(api)
                    await api.files.content(batch.output_file_id)
                assert len(settled(it)) == 5

    run(main(8))
    run(main(40))


def test_what_a_list_leaves_out_of_a_long_seal_is_known_all_the_same(tmp_path: Path) -> None:
    """To whoever reads results by an id of the list, and to who looks after the batch since."""

    async def main() -> None:
        told = tuple((f"said-{number}", FromClaim("v" * 250)) for number in range(2))
        one = signers.issuer(file_keys(tmp_path), Grant(FromClaim("team-a"), attributes=told))
        async with engine() as up:
            to = target(up.port, dialect="sim", batches=Batches(HALF))
            async with gateway(tmp_path / "it", to, callers=(one,)) as it:
                async with client(it, signers.sign(KEY, signers.claims())) as api:
                    await through(api)
                    (listed,) = [row async for row in api.batches.list()]
                    changed = replace(to, batches=Batches(replace(HALF, version="x")))
                    assert await it.obey(plan_of(changed, version=2, callers=(one,)))
                    await api.files.content(listed.output_file_id)
                found = settled(it)
                assert {one.price_version for one in found} == {HALF.version}
                assert {one.attributes["said-1"] for one in found} == {"v" * 250}

    run(main())


def test_a_caller_whom_this_gateway_has_never_seen_has_spent_its_own_budget(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        own = GrantLimits(budget_nanousd=10**9, budget_unit="month")
        where = FromClaim("prod")
        grant = Grant(FromClaim("team-a"), limits=own, environment=where)
        one = signers.issuer(file_keys(tmp_path), grant)
        async with engine() as up:
            to = target(up.port, dialect="sim", batches=Batches(HALF))
            async with gateway(tmp_path, to, callers=(one,)) as it:
                token = signers.sign(KEY, signers.claims())
                async with client(it, token) as api:
                    batch = await through(api)
                caller = it.world.keys.known(token.encode())
                assert caller is not None
                (budget,) = it.world.obeyed().limits.of_key(caller)
                it.world.keys.forget_all()
                async with client(it) as mate:
                    await mate.files.content(batch.output_file_id)
                await look(it.world, clock.monotonic_s())
                spent = sum(receipt.cost_nanousd for receipt in settled(it))
                assert budget.counters.read(caller.id, 0, moment()).used == spent > 0
                assert {receipt.environment for receipt in settled(it)} == {"prod"}

    run(main())
