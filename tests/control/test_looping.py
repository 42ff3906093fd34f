from tests.control import release_room as rooms
from tests.control.conftest import Room

from tidegate.control import looping


def test_the_weight_is_what_is_in_force_now(room: Room) -> None:
    rooms.furnish(room)
    assert looping.weight_of(room.desk.engine, rooms.NAME) is None
    rooms.create(room)
    assert looping.weight_of(room.desk.engine, rooms.NAME) == 0.0
    rooms.ask(room, "start")
    rooms.tick(room)
    rooms.lead_to(room, "step")
    assert looping.weight_of(room.desk.engine, rooms.NAME) == 0.1
