"""Keys: known at once, read once, bounded, forgotten when they change."""

import asyncio
import hashlib
import sqlite3
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gateway.rig import PEPPER, FakeStore, gateway, make_key, run, target
from tests.gateway.upstream import Upstream

from tidegate.core.key import digest_of, foreign_id
from tidegate.core.outcome import Refusal
from tidegate.gateway import keys as module
from tidegate.gateway.keys import Keys
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.key_reader import KeyReader


def test_a_key_is_read_once_however_many_ask_at_once() -> None:
    async def main() -> None:
        store = FakeStore()
        key = store.add().encode()
        it = Keys(store, {1: PEPPER})
        found = await asyncio.gather(*(it.read(key) for _ in range(50)))
        assert len(set(map(id, found))) == 1
        assert len(store.reads) == 1
        assert it.known(key) is found[0]
        it.close()

    run(main())


def test_a_wrong_secret_under_a_right_id_is_unknown_and_read_once() -> None:
    async def main() -> None:
        store = FakeStore()
        key = store.add().encode()
        it = Keys(store, {1: PEPPER})
        wrong = key[:-1] + (b"a" if key[-1:] != b"a" else b"b")
        for _ in range(3):
            assert await it.read(wrong) is None
        assert len(store.reads) == 1
        assert (await it.read(key)) is not None
        assert it.known(wrong) is None
        it.close()

    run(main())


def test_what_has_not_the_shape_of_a_key_reads_nothing() -> None:
    async def main() -> None:
        store = FakeStore()
        it = Keys(store, {1: PEPPER})
        for presented in (
            b"",
            b"1234",
            b"sk-tg-1234",
            b"sk-" + b"x" * 10_000,
            b"sk-tg-" + b"\xff" * 41,
        ):
            assert await it.read(presented) is None
        assert store.reads == []
        it.close()

    run(main())


def test_an_imported_key_goes_on_by_its_sha256_and_an_unknown_one_is_read_once() -> None:
    presented = b"sk-1234567890abcdef"
    sha256 = hashlib.sha256(presented).digest()

    async def main() -> None:
        store = FakeStore()
        own = store.add()
        (record,) = store.rows.values()
        foreign = replace(record, id=foreign_id(sha256), digest=digest_of(sha256, PEPPER))
        store.rows[foreign.id] = foreign
        it = Keys(store, {1: PEPPER})
        assert await it.read(presented) == foreign
        assert it.known(presented) == foreign
        for _ in range(3):
            assert await it.read(b"sk-1234567890abcdee") is None
        assert await it.read(sha256.hex().encode()) is None  # what is stored opens nothing
        assert len(store.reads) == 2
        it.forget(foreign.id)
        assert it.known(presented) is None
        assert await it.read(own.encode()) == record
        it.close()

    run(main())


def test_known_and_unknown_keys_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KNOWN", 10)
    monkeypatch.setattr(module, "MAX_UNKNOWN", 10)

    async def main() -> None:
        store = FakeStore()
        it = Keys(store, {1: PEPPER})
        keys = [store.add().encode() for _ in range(40)]
        for key in keys:
            await it.read(key)
            it.known(keys[0])  # used again and again, so it stays
            await it.read(make_key()[0].encode())
        assert len(it) == 10
        assert len(it._unknown) == 10
        assert len(it._digests_of) == 10
        assert it.known(keys[0]) is not None
        assert it.known(keys[1]) is None
        it.forget_all()
        assert (len(it), len(it._digests_of), len(it._unknown)) == (0, 0, 0)
        it.close()

    run(main())


def test_a_revocation_that_races_a_read_is_not_outlived_by_it() -> None:
    async def main() -> None:
        store = FakeStore()
        key = store.add().encode()
        [key_id] = store.rows
        it = Keys(store, {1: PEPPER})
        reading, go = threading.Event(), threading.Event()
        store.before = lambda: (reading.set(), go.wait(10))[1]  # type: ignore[func-returns-value]
        first = asyncio.ensure_future(it.read(key))
        await asyncio.to_thread(reading.wait, 10)
        store.rows[key_id] = replace(store.rows[key_id], revoked_at_s=1.0)
        it.forget(key_id)
        later = asyncio.ensure_future(it.read(key))  # does not join the read begun before
        await asyncio.sleep(0)
        go.set()
        await first
        record = await later
        assert record is not None
        assert record.revoked_at_s == 1.0
        known = it.known(key)
        assert known is None or known.revoked_at_s == 1.0
        it.close()

    run(main())


def test_a_key_that_is_created_while_it_is_asked_for_is_known_after() -> None:
    async def main() -> None:
        store = FakeStore()
        key, record = make_key()
        it = Keys(store, {1: PEPPER})
        reading, go = threading.Event(), threading.Event()
        store.before = lambda: (reading.set(), go.wait(10))[1]  # type: ignore[func-returns-value]
        early = asyncio.ensure_future(it.read(key.encode()))
        await asyncio.to_thread(reading.wait, 10)
        store.rows[record.id] = record
        it.forget(record.id)
        go.set()
        assert await early is None
        assert await it.read(key.encode()) == record
        it.close()

    run(main())


def test_a_pepper_that_was_changed_still_knows_its_old_keys() -> None:
    async def main() -> None:
        store = FakeStore()
        key = store.add().encode()
        it = Keys(store, {1: PEPPER, 2: b"q" * 32})
        assert await it.read(key) is not None
        assert it.known(key) is not None
        gone = Keys(store, {2: b"q" * 32})
        assert await gone.read(key) is None
        it.close()
        gone.close()

    run(main())


def test_a_pepper_that_came_since_is_read_when_a_key_names_it() -> None:
    async def main() -> None:
        store = FakeStore()
        first = store.add().encode()
        fresh, record = make_key()
        digest = digest_of(fresh.encode(), b"q" * 32)
        store.rows[record.id] = replace(record, digest=digest, pepper_version=2)
        there = {1: PEPPER}
        it = Keys(store, dict(there), lambda: dict(there))
        wrong = fresh[:-1] + ("a" if fresh[-1] != "a" else "b")
        assert await it.read(wrong.encode()) is None
        there[2] = b"q" * 32
        assert await it.read(fresh.encode()) == store.rows[record.id]
        assert it.known(fresh.encode()) is not None
        assert await it.read(first) is not None
        it.close()

    run(main())


def test_a_pepper_that_cannot_be_read_refuses_for_now() -> None:
    def fail() -> dict[int, bytes]:
        raise PermissionError("pepper.2")

    async def main() -> None:
        store = FakeStore()
        key, record = make_key()
        store.rows[record.id] = replace(record, pepper_version=2)
        it = Keys(store, {1: PEPPER}, fail)
        with pytest.raises(Refusal) as refused:
            await it.read(key.encode())
        assert refused.value.code.name == "store_unavailable"
        it.close()

    run(main())


def test_look_ups_that_wait_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_READS_WAITING", 3)

    async def main() -> None:
        store = FakeStore()
        go = threading.Event()
        store.before = lambda: go.wait(10)  # type: ignore[return-value, assignment]
        it = Keys(store, {1: PEPPER})
        keys = [store.add().encode() for _ in range(4)]
        waiting = [asyncio.ensure_future(it.read(key)) for key in keys[:3]]
        await asyncio.sleep(0)
        with pytest.raises(Refusal) as refused:
            await it.read(keys[3])
        assert refused.value.code.name == "overloaded"
        go.set()
        assert all(await asyncio.gather(*waiting))
        assert await it.read(keys[3]) is not None
        it.close()

    run(main())


def test_a_store_that_hangs_or_fails_is_said_so_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_TIMEOUT_S", 0.05)

    async def main() -> None:
        store = FakeStore()
        go = threading.Event()
        store.before = lambda: go.wait(10)  # type: ignore[return-value, assignment]
        it = Keys(store, {1: PEPPER})
        key = store.add().encode()
        with pytest.raises(Refusal) as refused:
            await it.read(key)
        assert refused.value.code.name == "store_unavailable"
        go.set()
        store.before, store.error = None, StoreUnavailable("locked")
        it.forget_all()
        with pytest.raises(Refusal):
            await it.read(key)
        store.error = None
        assert await it.read(key) is not None
        it.close()

    run(main())


def test_with_the_store_gone_known_keys_go_on_and_others_are_told_to_come_again(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            assert (await it.ask()).status == 200
            other = it.store.add()
            it.store.error = StoreUnavailable("the database is locked")
            assert (await it.ask()).status == 200
            reply = await it.ask(headers={"x-api-key": other})
            assert (reply.status, reply.code) == (503, "store_unavailable")
            assert reply.headers["x-should-retry"] == "true"
            assert int(reply.headers["retry-after-ms"]) > 0
            it.store.error = None
            assert (await it.ask(headers={"x-api-key": other})).status == 200

    run(main())


def test_a_real_store_that_is_missing_or_locked_is_unavailable(tmp_path: Path) -> None:
    async def main() -> None:
        key, _ = make_key()
        path = tmp_path / "ledger.db"
        it = Keys(KeyReader(path, timeout_s=0.05), {1: PEPPER})
        with pytest.raises(Refusal):
            await it.read(key.encode())
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("CREATE TABLE keys (id)")
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Refusal):
            await it.read(key.encode())
        holder.close()
        it.close()

    run(main())
