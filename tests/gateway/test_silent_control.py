"""What control does not tell is read from the store, and only then."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gateway.rig import Gateway, gateway, run, target, until
from tests.gateway.upstream import Upstream

from tidegate.core.feed import ChangesInForce, Entry, InForce, KeyChanged
from tidegate.gateway import plan_feed
from tidegate.gateway import silent_control as module
from tidegate.gateway.silent_control import SilentControl
from tidegate.stores.errors import StoreUnavailable

# A key revoked elsewhere is refused within this, though nobody tells.
PROMISED_S = 5.0


class Store:
    """The feed's entries; `asked` are the numbers after which they were wanted."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.asked: list[int] = []
        self.away = False
        self.closed = False

    def after(self, seq: int) -> list[Entry]:
        self.asked.append(seq)
        if self.away:
            raise StoreUnavailable("no answer")
        return [entry for entry in self.entries if entry.seq > seq]

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    return Store()


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Control has said nothing for long."""
    monkeypatch.setattr(plan_feed, "SILENCE_S", -plan_feed.START_S)


@contextlib.asynccontextmanager
async def watching(it: Gateway, store: Store) -> AsyncIterator[None]:
    silent_control = SilentControl(it.feed, store)
    task = asyncio.ensure_future(silent_control.watch())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        silent_control.close()
        await until(lambda: store.closed)


def test_it_is_soon_enough() -> None:
    look_s = module.MOST_READS * module.READ_TIMEOUT_S
    assert plan_feed.SILENCE_S + module.LOOK_S + look_s <= PROMISED_S


@pytest.mark.usefixtures("silent")
def test_a_key_revoked_while_control_is_silent_is_refused(tmp_path: Path, store: Store) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            it.feed.last_seq = 4
            assert (await it.ask()).status == 200
            async with watching(it, store):
                await until(lambda: store.asked)
                assert (await it.ask()).status == 200, "nothing has changed"
                [record] = it.store.rows.values()
                it.store.rows[record.id] = replace(record, revoked_at_s=1.0)
                store.entries.append(Entry(5, KeyChanged(record.id)))
                await until(lambda: it.feed.last_seq == 5)
                assert (await it.ask()).code == "revoked_api_key"

    run(main())


def test_while_control_speaks_nobody_asks_the_store(tmp_path: Path, store: Store) -> None:
    async def main() -> None:
        async with gateway(tmp_path) as it, watching(it, store):
            await asyncio.sleep(0.1)
            assert store.asked == []

    run(main())


@pytest.mark.usefixtures("silent")
def test_a_store_that_is_away_too_is_said_once_and_asked_again(
    tmp_path: Path, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    store.away = True

    async def main() -> None:
        async with gateway(tmp_path) as it, watching(it, store):
            await until(lambda: len(store.asked) > 2)
            store.away = False
            store.entries.append(Entry(1, KeyChanged("aaaaaaaa")))
            await until(lambda: it.feed.last_seq == 1)

    run(main())
    assert caplog.text.count("nor can the database be read") == 1
    assert caplog.text.count("plans, keys and changes are read from the database") == 1


def test_what_is_in_force_is_known_before_the_first_request_without_control(
    tmp_path: Path, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    off = InForce("c", "route_off", "small", 1.0, 60.0)
    store.entries = [Entry(3, ChangesInForce(1, (off,)))]

    async def main() -> None:
        async with gateway(tmp_path, target(1)) as it:
            silent_control = SilentControl(it.feed, store)
            store.away = True
            await silent_control.begin()
            assert caplog.text.count("database") == 0, "nothing is lost yet"
            store.away = False
            await silent_control.begin()
            assert (await it.ask()).code == "route_off"
            await silent_control.begin()
            assert store.asked == [0, 0], "control, or the store, has spoken"
            silent_control.close()
            await until(lambda: store.closed)

    run(main())
