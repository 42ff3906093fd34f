"""A gateway that is killed as a batch begins, at whichever turn of its loop, leaves no batch that
nothing is held for, and no hold that ends only with its period where there is no batch."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from copy import copy
from pathlib import Path
from typing import Any

import openai
import pytest
from msgspec import Struct
from tests.gateway import test_message_batches as message_batches
from tests.gateway.batched import HALF, batched, begin, client, engine, put
from tests.gateway.house import MONTH
from tests.gateway.rig import Gateway, plan_of, read_journal, run, target
from tests.gateway.spawned import Spawned, lay_out
from tests.gateway.test_batch_restore import TEAM, Past
from tests.gateway.upstream import Exchange, Upstream

from tidegate.core import batches as of_target
from tidegate.core.outcome import Failure
from tidegate.core.plan import JournalBounds
from tidegate.core.receipt import Receipt, encode_frame
from tidegate.gateway import batch_restore, batches, journal
from tidegate.gateway.batch_desk import BatchDesk
from tidegate.gateway.http.client import Upstream as Connection
from tidegate.sim.batches import Batches


class Moment(Struct):
    """What would be left were the gateway killed now: its journal, and what its provider has."""

    receipts: list[Receipt]
    there: dict[str, Any]


class Disk:
    """How many receipts are safe: as many as are in the journal's files, or, where the `disk` is
    waited for, as were there when a sync began that has ended. It takes its time."""

    def __init__(self, it: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
        self._it = it
        self._synced = len(it.receipts())
        self._sync = journal._sync
        monkeypatch.setattr(journal, "_sync", self._synced_late)

    def _synced_late(self, file: int) -> None:
        count = len(self._it.receipts())
        time.sleep(0.01)
        self._sync(file)
        self._synced = count

    def receipts(self) -> list[Receipt]:
        found = self._it.receipts()
        return found[: self._synced] if self._it.journal.bounds.durability == "disk" else found


class Watching:
    """Notes each moment that differs from the one before."""

    def __init__(self, disk: Disk, there: Callable[[], dict[str, Any]]) -> None:
        self.moments: list[Moment] = []
        self._disk = disk
        self._there = there
        self._task = asyncio.ensure_future(self._run())

    def note(self) -> None:
        if self._task.cancelling():
            return
        now = Moment(self._disk.receipts(), {id: copy(one) for id, one in self._there().items()})
        ids = [one.id for one in now.receipts], list(now.there)
        if not self.moments or ids != self._ids:
            self.moments.append(now)
            self._ids = ids

    async def _run(self) -> None:
        while True:
            self.note()
            await asyncio.sleep(0)

    def stop(self) -> list[Moment]:
        self.note()
        self._task.cancel()
        return self.moments


async def revived(it: Gateway, moment: Moment, monkeypatch: pytest.MonkeyPatch) -> Past:
    """The ledger once the gateway that began after it has looked for what was open."""
    past: Any = Past()
    for one in moment.receipts:
        past.append(encode_frame(one))
    world: Any = it.world
    world.batches, world.past, world.journal = BatchDesk(), past, past
    with monkeypatch.context() as patched:
        patched.setattr(batch_restore, "UNSURE_S", -1e9)
        await batch_restore.restore(it.world)
        await batch_restore.look(it.world)
    assert it.world.batches.unsure == it.world.batches.unbegun == []
    return past


def spying(monkeypatch: pytest.MonkeyPatch, note: Callable[[], None]) -> None:
    """Notes the moment in which bytes leave for a provider, within their turn of the loop."""
    real = Connection.send

    def send(self: Connection, *asked: Any) -> Any:
        note()
        return real(self, *asked)

    monkeypatch.setattr(Connection, "send", send)


async def no_work(self: Batches, batch: Any) -> None:
    """The provider takes its time."""


async def yes(api: openai.AsyncOpenAI, file: Any) -> None:
    await begin(api, file.id)


async def no(api: openai.AsyncOpenAI, file: Any) -> None:
    with pytest.raises(openai.BadRequestError):
        await begin(api, file.id, endpoint="/v1/chat/completions", metadata={"refuse": "it"})


async def cut(api: openai.AsyncOpenAI, file: Any) -> None:
    with pytest.raises(openai.APIStatusError, match="may have been created"):
        await begin(api, file.id)


@pytest.mark.parametrize("durability", ["process", "disk"])
@pytest.mark.parametrize("what", [yes, no, cut], ids=lambda one: one.__name__)
def test_a_kill_at_any_turn_leaves_a_batch_that_is_held_or_none(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    what: Callable[..., Awaitable[None]],
    durability: Any,
) -> None:
    monkeypatch.setattr(Batches, "_work", no_work)
    real = batches.sent

    async def unanswered(*asked: Any) -> Any:
        await real(*asked)
        raise Failure("interrupted", "upstream_interrupted", "cut")

    async def main() -> None:
        bounds = JournalBounds(durability=durability)
        async with engine() as up, batched(tmp_path, up, limits=TEAM, journal=bounds) as (it, api):
            file, sim = await put(api), up.sim.batches
            await begin(api, file.id)  # so that a connection is open, and bytes go at once
            sim.batches.clear()
            done = len(it.receipts())
            if what is no:
                sim.files.clear()
            if what is cut:
                monkeypatch.setattr(batches, "sent", unanswered)
            watching = Watching(Disk(it, monkeypatch), lambda: sim.batches)
            spying(monkeypatch, watching.note)
            await what(api, file)
            moments = watching.stop()
            most = it.receipts()[done].most_nanousd
            assert most > 0
            outcomes = set()
            for moment in moments:
                moment.receipts = moment.receipts[done:]
                sim.batches.clear()
                sim.batches.update(moment.there)
                past = await revived(it, moment, monkeypatch)
                watched = [batch.own for batch, _ in it.world.batches.watched.values()]
                assert watched == list(moment.there)
                assert past.sum == (most if moment.there else 0)
                outcomes.add((len(moment.receipts), len(moment.there)))
            it.world.journal = it.journal
            # (receipts, batches): nothing yet, held, begun, told; or held no more.
            then = {yes: {(1, 1), (2, 1)}, no: {(2, 0)}, cut: {(1, 1)}}[what]
            assert outcomes == {(0, 0), (1, 0), *then}

    run(main())


def test_a_process_that_is_killed_as_its_provider_is_asked_holds_what_was_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Batches, "_work", no_work)

    async def main() -> None:
        async with engine() as up:
            fields = {"dialect": "sim", "batches": of_target.Batches(HALF)}
            plan = plan_of(target(up.port, **fields), limits=(MONTH,))
            layout, key = lay_out(tmp_path, plan)
            first, real = Spawned(layout), Batches._create

            def killing(self: Batches, body: bytes) -> Any:
                first.send_signal(signal.SIGKILL)
                return real(self, body)

            monkeypatch.setattr(Batches, "_create", killing)
            await first.start()
            async with client(first, key) as api:
                file = await put(api)
                with pytest.raises(openai.APIConnectionError):
                    await begin(api, file.id)
            assert await first.ended() == -signal.SIGKILL
            _, held = read_journal(first.journal)  # behind the note of whose the file is
            assert held.most_nanousd > 0
            second = Spawned(layout)
            await second.start()
            async with client(second, key) as api:
                assert [one.status async for one in await api.batches.list()] == ["in_progress"]
                usage: Any = await api.get("/usage", cast_to=object)
            assert round(float(usage["data"][0]["used"]) * 1e9) == held.most_nanousd
            assert await second.end() == 0

    run(main())


@pytest.mark.parametrize("drain_s", [10.0, 0.1])
def test_a_gateway_that_drains_waits_for_a_batch_whose_caller_has_left(
    tmp_path: Path, drain_s: float
) -> None:
    async def main() -> None:
        provider, go = message_batches.Provider(), asyncio.Event()

        async def slow(exchange: Exchange) -> None:
            await go.wait()
            await provider(exchange)

        async with Upstream(slow) as up:
            fields = {"dialect": "anthropic", "batches": of_target.Batches(HALF)}
            plan = plan_of(target(up.port, **fields), limits=(MONTH,), drain_s=drain_s)
            layout, key = lay_out(tmp_path, plan)
            it = Spawned(layout)
            await it.start()
            async with message_batches.client(it, key) as api:
                requests = message_batches.REQUESTS
                asking = asyncio.ensure_future(api.messages.batches.create(requests=requests))
                await up.arrived()
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
            it.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.5)
            go.set()
            assert await it.ended() == 0
            told = [(one.attributes or {}).get("batch") for one in read_journal(it.journal)]
            assert told == ([None, "msgbatch_up"] if drain_s > 1 else [None])

    run(main())
