"""A gateway that starts looks after the batches of the one before it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from msgspec.structs import replace
from tests.gateway import test_message_batches as message_batches
from tests.gateway.batched import batched, begin, client, engine, held, put, settled, stopped
from tests.gateway.limited import budget
from tests.gateway.rig import Gateway, run, until
from tests.gateway.test_batch_hold import House, in_all

from tidegate.core import clock
from tidegate.core.outcome import Failure
from tidegate.core.receipt import encode_frame
from tidegate.gateway import batch_list, batch_restore, batches
from tidegate.gateway.batch_desk import BatchDesk
from tidegate.gateway.batch_restore import restore
from tidegate.gateway.batch_watch import PATIENCE_S, look
from tidegate.sim import batches as of_sim
from tidegate.sim.batches import Batches

TEAM = (budget(10**9, scope=("team",)),)


class Past(House):
    """The ledger, in which everything is that the journal has."""

    seeded_s = float("-inf")

    async def holds(
        self, since_s: float, most: int, *, late: bool = False, team: str | None = None
    ) -> list:
        some = [one for one in self.rows.values() if team in (None, one.team)]
        return [one for one in some if one.started_at_s >= since_s][:most]

    def take(self, it: Gateway, but: str = "") -> "Past":
        for one in it.receipts():
            if one.id != but:
                self.append(encode_frame(one))
        return self


def test_what_was_begun_is_watched_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up, limits=TEAM) as (it, api):
            await begin(api, (await put(api)).id)
            it.world.batches = BatchDesk()
            it.world.past = Past().take(it)
            await restore(it.world)
            assert len(it.world.batches.watched) == 1
            await up.sim.batches._work(stopped(up))
            await look(it.world, clock.monotonic_s() + PATIENCE_S + 1)
            assert in_all(it) == sum(one.cost_nanousd for one in settled(it)) > 0
            it.world.batches = BatchDesk()
            it.world.past.take(it)
            await restore(it.world)
            assert not it.world.batches.watched

    run(main())


def test_of_what_was_never_told_its_provider_knows(tmp_path: Path, monkeypatch) -> None:
    """Killed before the provider's answer: with a batch there, and without one."""

    async def main() -> None:
        async with engine() as up, batched(tmp_path, up, limits=TEAM) as (it, api):
            await begin(api, (await put(api)).id)
            taken, begun = held(it)
            it.world.batches = BatchDesk()
            it.world.past = Past().take(it, begun.id)
            await restore(it.world)
            await batch_restore.look(it.world)
            assert not it.world.batches.watched
            monkeypatch.setattr(batch_restore, "UNSURE_S", -1.0)
            await batch_restore.look(it.world)
            assert len(it.world.batches.watched) == 1
            assert in_all(it) == taken.most_nanousd
            it.world.batches = BatchDesk()
            up.sim.batches.batches.clear()
            await restore(it.world)
            assert not it.world.batches.watched
            await until(lambda: in_all(it) == 0)

    run(main())


def test_what_cannot_be_read_or_asked_changes_nothing(tmp_path: Path, monkeypatch) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up, limits=TEAM) as (it, api):
            await restore(it.world)
            await begin(api, (await put(api)).id)
            taken, begun = held(it)
            it.world.batches = BatchDesk()
            past = it.world.past = Past().take(it, begun.id)
            monkeypatch.setattr(batch_restore, "UNSURE_S", -1.0)
            await up.close()
            await restore(it.world)
            assert not it.world.batches.watched
            assert in_all(it) == taken.most_nanousd

            async def away(since_s: float, most: int, *, late: bool = False) -> list:
                raise OSError

            past.holds = away
            await restore(it.world)
            assert replace(taken) in it.receipts()

    run(main())


def test_what_a_provider_did_not_answer_is_looked_for_later(tmp_path: Path, monkeypatch) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up, limits=TEAM) as (it, api):
            file = await put(api)
            real = batches.sent

            async def cut(*asked: Any) -> bytes:
                await real(*asked)
                raise Failure("interrupted", "upstream_interrupted", "cut")

            monkeypatch.setattr(batches, "sent", cut)
            for _ in range(2):
                with pytest.raises(openai.APIStatusError, match="may have been created") as no:
                    await begin(api, file.id)
                assert no.value.response.headers["x-should-retry"] == "false"
            one, other = up.sim.batches.batches
            del up.sim.batches.batches[other]
            await batch_restore.look(it.world)
            assert len(it.world.batches.unsure) == 2
            monkeypatch.setattr(batch_restore, "UNSURE_S", -1.0)
            await batch_restore.look(it.world)
            assert it.world.batches.unsure == []
            assert [batch.own for batch, _ in it.world.batches.watched.values()] == [one]
            taken = held(it)[0].most_nanousd
            await until(lambda: in_all(it) == taken)

    run(main())


def test_a_ledger_that_is_away_at_the_start_is_read_later(tmp_path: Path, monkeypatch) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up, limits=TEAM) as (it, api):
            await begin(api, (await put(api)).id)
            it.world.batches = BatchDesk()
            past = it.world.past = Past().take(it)
            tries, read = [], past.holds

            async def away(since_s: float, most: int, *, late: bool = False) -> list:
                tries.append(since_s)
                if len(tries) < 3:
                    raise [OSError, RuntimeError][len(tries) - 1]
                return await read(since_s, most)

            past.holds = away
            monkeypatch.setattr(batch_restore, "EVERY_S", 0.01)
            task = asyncio.ensure_future(batch_restore.watch(it.world))
            await until(lambda: it.world.batches.watched)
            await asyncio.sleep(0.05)
            assert len(tries) == 3
            task.cancel()

    run(main())


def test_what_no_list_can_tell_stays_held(tmp_path: Path, monkeypatch) -> None:
    """Its seal is longer than metadata takes, so that its provider's list does not show it."""

    async def main() -> None:
        async with engine() as up, batched(tmp_path, up, limits=TEAM) as (it, _):
            async with client(it, it.store.add(team="team-a", customer="中" * 100)) as api:
                await begin(api, (await put(api)).id)
            _, begun = held(it)
            it.world.batches = BatchDesk()
            it.world.past = Past().take(it, begun.id)
            monkeypatch.setattr(batch_restore, "UNSURE_S", -1.0)
            await restore(it.world)
            assert not len(it.world.batches.settled)
            assert not it.world.batches.unsure

    run(main())


def listed(id: str, after_s: float, **fields: Any) -> dict[str, Any]:
    """A batch of messages that was created so long after now."""
    at = datetime.fromtimestamp(clock.wall_s() + after_s, UTC).isoformat()
    counts = {**message_batches.BATCH["request_counts"], "processing": 4}
    return {**message_batches.BATCH, "id": id, "created_at": at, "request_counts": counts, **fields}


Row = Callable[[], dict[str, Any]]


def row(*told: Any, **fields: Any) -> Row:
    return partial(listed, *told, **fields)


OTHER = {**message_batches.BATCH["request_counts"], "succeeded": 2, "errored": 1}
# What Anthropic lists, by whether one of them may be a batch of four requests of a moment ago.
LISTS: dict[str, tuple[list[Row], bool]] = {
    "none": ([], False),
    "one": ([row("msgbatch_x", 1.0)], True),
    "others": ([row("msgbatch_up", 2.0)], False),  # which the ledger knows
    "others-and-one": ([row("msgbatch_up", 2.0), row("msgbatch_x", 1.0)], True),
    "smaller": ([row("msgbatch_x", 1.0, request_counts=OTHER)], False),
    "uncounted": ([row("msgbatch_x", 1.0, request_counts={"processing": "4"})], True),
    "without-a-zone": ([row("msgbatch_x", 1.0, created_at="2020-01-01T00:00:00")], True),
    "undated": ([row("msgbatch_x", 1.0, created_at="today")], True),
    "before": ([row("msgbatch_x", -4000.0)], False),
    "on-another-clock": ([row("msgbatch_x", -3000.0)], True),
    "after": ([row("msgbatch_y", 5000.0), row("msgbatch_z", 4000.0)], False),
    "on-a-later-page": (
        [*(row(f"msgbatch_{n}", 5000.0) for n in range(5)), row("msgbatch_x", 1.0)],
        True,
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_messages_that_no_list_may_show_are_held_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    rows, may_be = LISTS[name]

    async def main() -> None:
        async with message_batches.batched(tmp_path, limits=TEAM) as (it, api, provider):
            await api.messages.batches.create(requests=message_batches.REQUESTS)
            known = len(it.receipts())
            real = batches.sent

            async def cut(*asked: Any) -> Any:
                await real(*asked)
                raise Failure("interrupted", "upstream_interrupted", "cut")

            monkeypatch.setattr(batches, "sent", cut)
            with pytest.raises(anthropic.APIStatusError, match="may have been created"):
                await api.messages.batches.create(requests=message_batches.REQUESTS)
            (lost,) = it.receipts()[known:]
            it.world.past = Past().take(it)
            it.world.batches.begun.clear()
            provider.listed, before = [make() for make in rows], in_all(it)
            await batch_restore.look(it.world)
            assert len(it.world.batches.unsure) == 1  # it may still be on its way
            monkeypatch.setattr(batch_restore, "_is_due", lambda owner: True)
            await batch_restore.look(it.world)
            assert it.world.batches.unsure == []
            assert before - in_all(it) == (0 if may_be else lost.most_nanousd)

    run(main())


def test_an_answer_that_is_no_list_ends_nothing(tmp_path: Path, monkeypatch) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up, limits=TEAM) as (it, api):
            await begin(api, (await put(api)).id)
            taken, begun = held(it)
            it.world.batches = BatchDesk()
            it.world.past = Past().take(it, begun.id)
            monkeypatch.setattr(batch_restore, "UNSURE_S", -1.0)
            monkeypatch.setattr(Batches, "_list", lambda self, query: {"object": "list"})
            await restore(it.world)
            assert len(it.world.batches.unsure) == 1
            assert in_all(it) == taken.most_nanousd

    run(main())


@pytest.mark.parametrize("told", [{}, {"has_more": None}])
def test_a_list_that_begins_anew_on_each_page_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: dict[str, Any]
) -> None:
    """Its first page is all that is seen of it, whether it says that there is more or nothing."""
    real = of_sim._page

    def deaf(found: list[Any], said: dict[str, str], limit: str) -> dict[str, Any]:
        page = real(found, {**said, "after": ""}, limit)
        return page if not told else {name: it for name, it in page.items() if name not in told}

    async def main() -> None:
        async with engine() as up, batched(tmp_path, up, limits=TEAM) as (it, api):
            file = await put(api)
            await begin(api, file.id)
            taken, begun = held(it)
            await begin(api, file.id)
            before = in_all(it)
            it.world.batches = BatchDesk()
            it.world.past = Past().take(it, begun.id)
            monkeypatch.setattr(batch_restore, "UNSURE_S", -1.0)
            monkeypatch.setattr(batch_list, "_PAGE", 1)
            monkeypatch.setattr(of_sim, "_page", deaf)
            await restore(it.world)
            assert len(up.sim.batches.batches) == 2
            assert in_all(it) == before >= taken.most_nanousd > 0

    run(main())


def test_messages_that_another_gateway_has_begun_are_its_own(tmp_path: Path, monkeypatch) -> None:
    """One that began with the ledger as it was before the provider's answer."""

    async def main() -> None:
        async with message_batches.batched(tmp_path, limits=TEAM) as (it, api, _):
            await api.messages.batches.create(requests=message_batches.REQUESTS)
            taken, begun = held(it)
            it.world.batches = BatchDesk()
            it.world.past = Past().take(it, begun.id)
            await restore(it.world)
            assert len(it.world.batches.unsure) == 1
            it.world.past = Past().take(it)
            monkeypatch.setattr(batch_restore, "_is_due", lambda owner: True)
            await batch_restore.look(it.world)
            assert [one.own for one, _ in it.world.batches.watched.values()] == ["msgbatch_up"]
            assert in_all(it) == taken.most_nanousd

    run(main())


def test_what_was_refused_while_the_ledger_was_away_ends_when_it_is_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine() as up, batched(tmp_path, up, limits=TEAM) as (it, api):
            file = await put(api)
            up.sim.batches.files.clear()
            past = it.world.past = Past()
            read = past.recorded

            async def away(ids: Any) -> set[str]:
                raise OSError

            past.recorded = away
            with pytest.raises(openai.BadRequestError):
                await begin(api, file.id)
            await batch_restore.look(it.world)
            assert in_all(it) > 0
            past.recorded = read
            await batch_restore.look(it.world)
            assert in_all(it) == 0
            assert it.world.batches.unbegun == []

    run(main())
