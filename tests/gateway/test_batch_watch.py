"""Results that nobody reads are settled by the gateway that was asked for their batch."""

import asyncio
from pathlib import Path

import pytest
from tests.gateway.batched import batched, begin, done, engine, put, settled, stopped, through
from tests.gateway.rig import plan_of, run, target, until

from tidegate.core import clock
from tidegate.gateway import batch_watch
from tidegate.gateway.batch_watch import EVERY_S, PATIENCE_S, look


def test_what_nobody_has_read_for_a_while_is_settled(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            batch = await through(api)
            now_s = clock.monotonic_s()
            await look(it.world, now_s)
            assert settled(it) == []
            await look(it.world, now_s + PATIENCE_S + 1)
            assert len(settled(it)) == 5
            assert not it.world.batches.watched
            # Who asks now is told what the ledger has already.
            await api.batches.retrieve(batch.id)
            assert not it.world.batches.watched
            await api.files.content(batch.output_file_id)
            assert len(settled(it)) == 5

    run(main())


def test_a_batch_that_nobody_asks_for_is_found_when_it_is_through(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            await begin(api, (await put(api)).id)
            own = stopped(up)
            now_s = clock.monotonic_s() + EVERY_S + 1
            await look(it.world, now_s)
            assert [one.own for one, _ in it.world.batches.watched.values()] == [own.id]
            await up.sim.batches._work(own)
            await look(it.world, now_s + EVERY_S + 1)
            assert len(settled(it)) == 5

    run(main())


def test_results_that_were_read_are_looked_at_no_more(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            batch = await through(api)
            await api.files.content(batch.output_file_id)
            asked = len(up.sim.batches.files)
            await look(it.world, clock.monotonic_s() + PATIENCE_S + 1)
            assert not it.world.batches.watched
            assert (len(settled(it)), len(up.sim.batches.files)) == (5, asked)

    run(main())


def test_what_goes_wrong_is_tried_again_and_what_is_gone_is_not(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            batch = await done(api, await begin(api, (await put(api)).id))
            now_s = clock.monotonic_s() + PATIENCE_S + 1
            it.journal.full = True
            await look(it.world, now_s)
            assert len(it.world.batches.watched) == 1
            it.journal.full = False
            (own,) = up.sim.batches.batches.values()
            del up.sim.batches.files[own.output_file_id]
            await look(it.world, now_s + EVERY_S + 1)
            assert not it.world.batches.watched
            await api.batches.retrieve(batch.id)
            assert settled(it) == []

    run(main())


def test_a_target_that_comes_back_has_its_batches_settled(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            await through(api)
            now_s = clock.monotonic_s() + PATIENCE_S + 1
            before = it.world.obeyed()
            assert await it.obey(plan_of(target(up.port, "other"), version=2))
            await look(it.world, now_s)
            assert len(it.world.batches.watched) == 1
            it.world.plan = before
            await look(it.world, now_s + 1)
            assert settled(it) == []
            await look(it.world, now_s + EVERY_S)
            assert len(settled(it)) == 5
            assert not it.world.batches.watched

    run(main())


def test_it_goes_on_looking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            task = asyncio.get_running_loop().create_task(batch_watch.watch(it.world))
            await through(api)
            for own, (batch, _) in list(it.world.batches.watched.items()):
                it.world.batches.watched[own] = batch, 0.0
            try:
                async with asyncio.timeout(10):
                    await until(lambda: len(settled(it)) == 5)
            finally:
                task.cancel()

    monkeypatch.setattr(batch_watch, "LOOK_S", 0.01)
    run(main())


def test_an_old_batch_waits_for_its_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up) as (it, api):
            batch = await through(api)
            it.world.batches.watched.clear()
            monkeypatch.setattr(batch_watch, "MOST_AGE_S", -1.0)
            await api.batches.retrieve(batch.id)
            assert not it.world.batches.watched

    run(main())
