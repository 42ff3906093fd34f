from msgspec.structs import replace
from tests.control import release_room as rooms
from tests.control.conftest import Room
from tests.stats.release import arm, block

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


def test_what_is_found_afterwards_is_told_in_what_was_counted(room: Room) -> None:
    named = rooms.RELEASE.replace("harm: {", "harm: {quality: {margin: 0.3}, ")
    rooms.begun(room, named)
    rooms.lead_to(room, "step")
    rooms.good(room)
    rooms.assessed(room, 1, count=15)
    rooms.tick(room)
    with database.reading(room.desk.engine) as connection:
        found = release_views.find(connection, rooms.NAME)
        told = release_views.explained(connection, found)
    quality = told.metrics[0]
    assert (quality.name, quality.counted) == ("quality", "judged answers")
    assert (quality.stable, quality.canary, quality.verdict) == (15, 15, "undecided")
    assert quality.needed is not None and 10 < quality.needed < 100
    assert found.per_s is not None and found.per_s > 0.1  # and none of them is a request more
    assert told.metrics[1].counted == "requests"


def test_how_long_it_takes_until_enough_are_judged_is_by_how_fast_they_are(room: Room) -> None:
    rooms.furnish(room)
    rooms.create(room)
    judged = arm(5, 0, "quality")
    several = tuple(
        replace(block(judged, judged), began_s=at_s, ended_s=at_s + 50.0, late="quality")
        for at_s in (0.0, 50.0)
    )
    with database.reading(room.desk.engine) as connection:
        found = replace(release_views.find(connection, rooms.NAME), latest=several)
    assert found.late_per_s("quality") == 0.1
    assert found.late_per_s("thumbs_down") is None
    assert found.per_s is None


def test_what_need_not_be_shown_to_be_safe_is_said(room: Room) -> None:
    rooms.furnish(room, rooms.RELEASE.replace("harm: {error: {margin: 0.05}}\n", ""))
    rooms.create(room)
    with database.reading(room.desk.engine) as connection:
        told = release_views.explained(connection, release_views.find(connection, rooms.NAME))
    assert "need not be shown to be safe: thumbs_down" in told.notes
    assert [one.name for one in told.metrics if not one.must_be_safe] == ["thumbs_down"]
