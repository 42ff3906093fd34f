"""A control that is killed while it tells people tells nobody twice, and forgets nobody."""

import os
import signal
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.actuators.receivers import Http, running
from tests.stores import rig
from tests.stores.test_notices import note, tell

from tidegate.actuators import _post
from tidegate.control import notifying
from tidegate.control.notifying import Notifying
from tidegate.core.declared_notifications import DeclaredNotifications, DeclaredWay
from tidegate.core.secret import SecretRef
from tidegate.stores import database
from tidegate.stores.deliveries import LEASE_S
from tidegate.stores.schema_notices import deliveries as table

MOMENTS = ("before it is sent", "after it is sent", "after it was taken")


def made(path: Path, way: DeclaredWay, secret: str) -> Notifying:
    declared = DeclaredNotifications(ways={"it": way})
    return Notifying(database.open_engine(path), lambda: declared, {"S": secret}, lambda: True)


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def serve_and_be_killed(path: Path, way: DeclaredWay, secret: str, at: str) -> None:
    it = made(path, way, secret)
    if at == "before it is sent":
        _post._exchange = die  # type: ignore[assignment]
    elif at == "after it is sent":
        _post.HTTPConnection.getresponse = die  # type: ignore[assignment,method-assign]
    else:
        it._write = die  # type: ignore[assignment]
    it.look(notifying.clock.wall_s())
    it.serve("it")


@pytest.mark.parametrize("kind", ["webhook", "slack"])
@pytest.mark.parametrize("at", MOMENTS)
def test_a_sender_killed_at_any_moment_tells_it_once_or_says_that_it_may_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, at: str
) -> None:
    path = tmp_path / "ledger.db"
    engine = rig.migrated(path)
    note(engine, tell("a"))
    engine.dispose()
    with running(http := Http()):
        url = http.url if kind == "webhook" else None
        way = DeclaredWay(kind, url=url, secret=SecretRef(env="S"), private=True)
        secret = f"{http.url}/x"
        ended = rig.exit_of(rig.in_child(partial(serve_and_be_killed, path, way, secret, at)))
        assert ended == -signal.SIGKILL
        it = made(path, way, secret)
        now_s = notifying.clock.wall_s()
        it.look(now_s)
        it.serve("it")  # its lease is not over: it may still be under way
        assert len(http.taken) <= 1
        monkeypatch.setattr(notifying.clock, "wall_s", lambda: now_s + LEASE_S + 1)
        it.look(now_s + LEASE_S + 1)
        it.serve("it")
        with database.reading(it._engine) as connection:
            (state,) = connection.execute(select(table.c.state)).scalars().all()
        it._engine.dispose()
    bodies = {one.body for one in http.taken}
    if kind == "webhook":
        assert state == "delivered"
        assert len({one.headers["idempotency-key"] for one in http.taken}) == len(bodies) == 1
    else:
        assert state == "unknown"
        assert len(http.taken) == (at != "before it is sent")
