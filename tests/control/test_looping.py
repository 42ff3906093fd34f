from tests.control import release_room as rooms
from tests.control.conftest import Room

from tidegate.control import looping
from tidegate.control.error_budgets import ErrorBudgets


def test_what_binds_releases_is_decided_before_them(room: Room) -> None:
    rooms.furnish(room)
    first, *rest = room.loop.watchers
    assert isinstance(first, ErrorBudgets)
    assert len(rest) == 1


def test_a_route_without_objectives_shows_none(room: Room) -> None:
    rooms.furnish(room)
    rooms.tick(room)
    assert looping.render(room.loop) == b""
