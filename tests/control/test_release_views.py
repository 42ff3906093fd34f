from tests.control import release_room as rooms
from tests.control.conftest import Room

from tidegate.control import release_views
from tidegate.stores import database


def test_a_release_without_traffic_has_no_time_to_tell(room: Room) -> None:
    rooms.furnish(room)
    rooms.create(room)
    with database.reading(room.desk.engine) as connection:
        found = release_views.find(connection, rooms.NAME)
        told = release_views.explained(connection, found)
    assert told.release.requests_per_s is None
    assert told.metrics[0].verdict == "no_data"
    assert (told.metrics[0].needed, told.metrics[0].needed_s) == (None, None)
    assert told.cached_shares == (None, None)


def test_the_time_still_needed_is_at_present_traffic(room: Room) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")
    for _ in range(2):
        rooms.append(room, rooms.arm(180, 2), rooms.arm(20, 0))
        rooms.tick(room)
    with database.reading(room.desk.engine) as connection:
        found = release_views.find(connection, rooms.NAME)
        told = release_views.explained(connection, found)
    [metric] = told.metrics
    assert metric.needed is not None and metric.needed_s is not None
    assert found.per_s is not None
    assert metric.needed_s == metric.needed / found.per_s


def test_none_bad_of_some_is_said_with_its_bound(room: Room) -> None:
    rooms.begun(room)
    rooms.tick(room)
    rooms.append(room, rooms.arm(500, 5), rooms.arm(60, 0))
    rooms.tick(room)
    with database.reading(room.desk.engine) as connection:
        told = release_views.explained(connection, release_views.find(connection, rooms.NAME))
    assert "none of 60 requests was bad: at 95 %, no more than 5 % are" in told.notes


def test_an_orthogonal_one_tells_that_it_has_half_of_the_units(room: Room) -> None:
    rooms.furnish(room, rooms.RELEASE + "orthogonal: true\n")
    rooms.create(room)
    with database.reading(room.desk.engine) as connection:
        told = release_views.explained(connection, release_views.find(connection, rooms.NAME))
    assert any("one half of the units to itself" in note for note in told.notes)


def test_the_weight_is_that_of_its_step_and_all_once_it_is_promoted(room: Room) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")
    with database.reading(room.desk.engine) as connection:
        assert release_views.view(release_views.find(connection, rooms.NAME)).weight == 0.1
    rooms.lead_to(room, "done")
    with database.reading(room.desk.engine) as connection:
        assert release_views.view(release_views.find(connection, rooms.NAME)).weight == 1.0
