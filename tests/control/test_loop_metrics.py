from prometheus_client.parser import text_string_to_metric_families
from tests.control import release_room as rooms
from tests.control.conftest import Room

from tidegate.control import looping
from tidegate.control.loop_metrics import Ticked, render


def series(text: bytes) -> dict[tuple[str, ...], float]:
    """By the name and the values of the labels."""
    families = text_string_to_metric_families(text.decode())
    samples = [sample for family in families for sample in family.samples]
    return {(it.name, *it.labels.values()): it.value for it in samples}


def test_before_the_first_tick_nothing_is_said_of_it() -> None:
    assert render(Ticked(None, 0.0, failing=False), [], {}) == b""


def test_names_are_escaped() -> None:
    found = series(render(Ticked(1.0, 0.5, failing=True), [('a"b', 'a"b/c\\d', "step")], {}))
    assert found["tidegate_release_state", 'a"b', 'a"b/c\\d', "step"] == 1
    assert found["tidegate_loop_failing",] == 1
    assert found["tidegate_loop_tick_seconds",] == 0.5


def test_a_release_is_shown_where_it_stands_and_counted_where_it_came_to(room: Room) -> None:
    rooms.furnish(room)
    rooms.create(room)
    rooms.ask(room, "start")
    for _ in range(3):
        rooms.tick(room)
    rooms.lead_to(room, "step")
    rooms.tick(room)
    shown = series(looping.render(room.loop))
    assert shown["tidegate_release_state", "chat", rooms.NAME, "step"] == 1
    rooms.ask(room, "rollback", reason="it is slow")
    for _ in range(2):
        rooms.tick(room)
    shown = series(looping.render(room.loop))
    assert shown["tidegate_release_moves_total", "rolled_back", "rollback_asked"] == 1
    assert not [name for name in shown if name[0] == "tidegate_release_state"]
