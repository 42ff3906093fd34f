"""The loop as control puts it together."""

from tests.control.conftest import Room

from tidegate.control.observe import Releases


def test_what_binds_releases_is_looked_at_before_they_are(room: Room) -> None:
    assert isinstance(room.loop.watchers[-1], Releases)
    assert [one.controller.name for one in room.loop.watchers] == ["error_budget", "release"]
