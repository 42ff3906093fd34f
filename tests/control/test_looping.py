"""The loop as control puts it together, and what it asks of the process around it."""

import fcntl
import os

from tests.control.conftest import Room

from tidegate.control.observe import Releases


def test_what_binds_releases_is_looked_at_before_they_are(room: Room) -> None:
    assert isinstance(room.loop.watchers[-1], Releases)
    assert [one.controller.name for one in room.loop.watchers] == [
        "cache_worth",
        "error_budget",
        "release",
    ]


def test_a_gateway_that_runs_and_is_not_connected_obeys_nothing(room: Room) -> None:
    assert room.loop.outside.obeyed(1)
    lock = room.layout.journal / "g1" / "lock"
    lock.parent.mkdir(parents=True)
    fd = os.open(lock, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        assert not room.loop.outside.obeyed(1)
    finally:
        os.close(fd)
    assert room.loop.outside.obeyed(1)
