"""Receipts and keys to store, and a database to store them in."""

import functools
import os
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from tidegate.core import clock
from tidegate.core.key import KeyRecord
from tidegate.core.receipt import Attempt, Receipt
from tidegate.stores import database, migrate

NOON_S = 1_790_000_000.0

_encode = msgspec.msgpack.Encoder().encode
_ids = clock.IdSource()


@functools.cache
def _schema() -> bytes:
    """An empty database of today's schema, brought to it once in a process of tests."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        migrated_here(path).dispose()
        return path.read_bytes()


def migrated_here(path: Path) -> Engine:
    """What is at `path`, or nothing, brought to today's schema."""
    engine = database.open_engine(path)
    migrate.migrate(engine)
    return engine


def lay(path: Path) -> None:
    """A new database of today's schema: a copy, which takes a twentieth of the time."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(_schema())


def migrated(path: Path) -> Engine:
    """What `lay` makes, opened."""
    lay(path)
    return database.open_engine(path)


def migrated_to(path: Path, revision: str, patch: pytest.MonkeyPatch) -> Engine:
    """A database as an older Tidegate left it."""
    engine = database.open_engine(path)
    upgrade = ScriptDirectory._upgrade_revs
    with patch.context() as patched:
        patched.setattr(
            ScriptDirectory,
            "_upgrade_revs",
            lambda scripts, _head, current: upgrade(scripts, revision, current),
        )
        assert migrate.migrate(engine) == revision
    return engine


def id_at(at_s: float) -> str:
    """An id as a gateway makes it at this time."""
    milliseconds = f"{int(at_s * 1000):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}{_ids.new()[13:]}"


def receipt(started_at_s: float = NOON_S, **fields: Any) -> Receipt:
    """A finished request of one attempt; `fields` replace what it says."""
    plain: dict[str, Any] = {
        "id": id_at(started_at_s),
        "started_at_s": started_at_s,
        "gateway": "g0",
        "endpoint": "chat",
        "key_id": "aaaa0000",
        "team": "blue",
        "route": "chat-fast",
        "target": "small",
        "provider": "sim",
        "status": 200,
        "input_tokens": 100,
        "output_tokens": 20,
        "cost_nanousd": 5000,
        "total_s": 1.0,
        "attempts": [Attempt(target="small", replica="r0", started_s=0.0)],
    }
    return Receipt(**{**plain, **fields})


def entry(one: Receipt) -> tuple[Receipt, bytes]:
    return one, _encode(one)


def entries(*several: Receipt) -> list[tuple[Receipt, bytes]]:
    return [entry(one) for one in several]


def key(key_id: str, **fields: Any) -> KeyRecord:
    plain: dict[str, Any] = {
        "id": key_id,
        "digest": b"\x01" * 32,
        "pepper_version": 1,
        "name": "a key",
        "team": "blue",
        "created_at_s": NOON_S,
        "routes": ("*",),
    }
    return KeyRecord(**{**plain, **fields})


def in_child(work: Callable[[], object]) -> int:
    """Start `work` in a copy of this process, which costs no imports; the child's pid."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return pid


def exit_of(pid: int) -> int:
    """How the child ended: its exit code, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
