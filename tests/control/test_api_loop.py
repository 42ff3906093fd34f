from tests.control import release_room as rooms
from tests.control.conftest import Room

from tidegate.control.loop import Status


def test_the_loop_says_what_it_holds_and_why(room: Room) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")
    decided = rooms.tick(room)
    room.loop.status = Status(at_s=1.0, took_s=0.01, epoch=1, decided=decided)
    found = room.ask("GET", "/api/loop").json()
    assert (found["leads"], found["epoch"], found["tick_s"]) == (True, 1, 10.0)
    [subject] = found["subjects"]
    assert (subject["controller"], subject["subject"]) == ("release", rooms.NAME)
    assert subject["proposals"][0]["what"] == "hold release_weight of chat at 0.1"


def test_a_replay_is_of_a_subject_or_of_a_number(room: Room) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")
    everything = room.ask("GET", "/api/loop/replay?limit=500").json()["decisions"]
    of_it = room.ask("GET", f"/api/loop/replay?subject={rooms.NAME}&limit=500").json()["decisions"]
    assert of_it == everything
    assert room.ask("GET", "/api/loop/replay?subject=none").json()["decisions"] == []
    assert room.ask("GET", "/api/loop/replay?seq=100000").json()["decisions"] == []
