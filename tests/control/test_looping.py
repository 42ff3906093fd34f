"""What the loop asks of the process around it."""

import fcntl
import os

from tests.control.conftest import Room


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
