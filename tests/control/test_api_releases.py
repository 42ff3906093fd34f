import asyncio
from typing import Any

import pytest
from tests.control import release_room as rooms
from tests.control.conftest import Room, error_code

from tidegate.control import api_releases
from tidegate.core.declared_loop import DeclaredLoop


def operators(room: Room, *names: str) -> list[str]:
    """People beside the operator who asks otherwise, by their tokens."""
    tokens = [(name * 24)[:24] for name in names]
    file = room.layout.state / "operator.tokens"
    lines = (f"operator {name} {it}\n" for name, it in zip(names, tokens, strict=True))
    file.write_text("".join(lines))
    file.chmod(0o600)
    return tokens


def approve(room: Room, token: str) -> Any:
    body = {"id": rooms.NAME, "what": "approve"}
    return room.ask("POST", "/api/releases/ask", body, token=token)


def test_a_release_is_made_of_its_file_and_shown(room: Room) -> None:
    rooms.furnish(room)
    rooms.create(room)
    [one] = room.ask("GET", "/api/releases").json()["releases"]
    assert (one["id"], one["state"], one["owner"]) == ("chat/next", "created", "ada")
    again = room.ask("POST", "/api/releases", {"id": rooms.NAME})
    assert again.json() == {"id": rooms.NAME, "is_new": False, "notes": []}


def test_a_file_that_says_something_else_under_the_same_name_is_refused(room: Room) -> None:
    rooms.furnish(room)
    rooms.create(room)
    rooms.write(room, "next", rooms.RELEASE + "labels: [fix]\n")
    answer = room.ask("POST", "/api/releases", {"id": rooms.NAME})
    assert (answer.status_code, error_code(answer)) == (409, "taken")


@pytest.mark.parametrize(
    ("release", "problem"),
    [
        (rooms.RELEASE.replace("target: new", "target: nobody"), "nobody"),
        (rooms.RELEASE.replace("harm:", "harms:"), "harms"),
        ("", "it is empty"),
    ],
    ids=["target that does not exist", "unknown key", "empty"],
)
def test_a_file_that_is_wrong_makes_nothing_and_is_told_with_its_line(
    room: Room, release: str, problem: str
) -> None:
    rooms.furnish(room, release)
    answer = room.ask("POST", "/api/releases", {"id": rooms.NAME})
    assert (answer.status_code, error_code(answer)) == (422, "plan_refused")
    assert problem in str(answer.json()["error"]["problems"])
    assert room.ask("GET", "/api/releases").json()["releases"] == []


@pytest.mark.parametrize("name", ["chat", "../chat/next", "chat/..", "chat/none"])
def test_a_name_without_a_file_makes_nothing(room: Room, name: str) -> None:
    rooms.furnish(room)
    answer = room.ask("POST", "/api/releases", {"id": name})
    assert answer.status_code in (400, 422), answer.text


def test_what_would_come_to_nothing_is_refused(room: Room) -> None:
    rooms.furnish(room)
    rooms.create(room)
    for what in ("pause", "resume", "approve"):
        answer = rooms.ask(room, what)
        assert (answer.status_code, error_code(answer)) == (400, "invalid_request"), what
    assert rooms.ask(room, "start", "chat/none").status_code == 404


@pytest.mark.parametrize("what", ["rollback", "skip_analysis"])
def test_what_people_take_on_themselves_needs_a_reason(room: Room, what: str) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")
    assert rooms.ask(room, what).status_code == 400
    assert rooms.ask(room, what, reason="it is rude").status_code == 200


def test_a_gates_outcome_names_a_gate_of_the_release(room: Room) -> None:
    rooms.furnish(room, rooms.RELEASE + "gates: [evals]\n")
    rooms.create(room)
    assert rooms.ask(room, "gate_passed", gate="other").status_code == 400
    assert rooms.ask(room, "gate_passed").status_code == 400
    assert rooms.ask(room, "start", gate="evals").status_code == 400
    assert rooms.ask(room, "start").status_code == 200
    rooms.tick(room)
    rooms.tick(room)
    assert rooms.kept(room).state == "gated"
    assert rooms.ask(room, "gate_passed", gate="evals").status_code == 200
    rooms.tick(room)
    assert rooms.kept(room).state == "step"


def test_the_same_person_does_not_approve_twice(room: Room) -> None:
    bo, _ = operators(room, "bo", "cy")
    rooms.begun(room, rooms.RELEASE + "approvals: {start: 2}\n")
    rooms.tick(room)
    assert approve(room, bo).status_code == 200
    rooms.tick(room)
    answer = approve(room, bo)
    assert (answer.status_code, error_code(answer)) == (409, "taken")


def test_who_made_or_started_it_does_not_approve_it(room: Room) -> None:
    bo, cy = operators(room, "bo", "cy")
    rooms.furnish(room, rooms.RELEASE + "approvals: {start: 1}\n")
    rooms.create(room)
    body = {"id": rooms.NAME, "what": "start"}
    assert room.ask("POST", "/api/releases/ask", body, token=bo).status_code == 200
    rooms.tick(room)
    for token in ("", bo):  # the one made it, the other started it
        answer = approve(room, token)
        assert (answer.status_code, error_code(answer)) == (409, "taken")
        assert "somebody else has to approve it" in answer.json()["error"]["message"]
    rooms.tick(room)
    assert rooms.kept(room).state == "gated"
    assert approve(room, cy).status_code == 200
    rooms.tick(room)
    assert rooms.kept(room).state == "step"


def test_a_viewer_sees_and_asks_nothing(room: Room) -> None:
    rooms.begun(room)
    tokens = room.layout.state / "operator.tokens"
    tokens.write_text(f"viewer eve {'v' * 24}\n")
    tokens.chmod(0o600)
    assert room.ask("GET", "/api/releases", token="v" * 24).status_code == 200
    body = {"id": rooms.NAME, "what": "pause"}
    assert room.ask("POST", "/api/releases/ask", body, token="v" * 24).status_code == 403


def test_it_says_what_is_still_needed_and_what_it_cannot_see(room: Room) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")
    for _ in range(3):
        rooms.append(room, rooms.arm(450, 5), rooms.arm(50, 0))
        rooms.tick(room)
    found = room.ask("GET", f"/api/releases/explain?id={rooms.NAME}").json()
    [metric] = found["metrics"]
    assert metric["name"] == "error"
    assert metric["needed"] is not None
    assert metric["smallest"].endswith("points")
    assert metric["margin"] == "5 points"
    assert any("cannot see an effect below" in note for note in found["notes"])
    assert found["release"]["requests_per_s"] > 0
    assert [line["state"] for line in found["time_line"]][:2] == ["created", "gated"]
    assert found["members"]["target"] == '"new"'


def test_what_was_asked_is_kept_with_who_and_why(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_releases, "UNDONE_TIMEOUT_S", 0.0)
    rooms.begun(room)
    rooms.lead_to(room, "step")
    assert rooms.ask(room, "rollback", reason="it is rude").json()["is_done"] is False
    rooms.tick(room)
    found = room.ask("GET", f"/api/releases/explain?id={rooms.NAME}").json()
    assert found["asked"][-1]["what"] == "rollback"
    assert found["asked"][-1]["reason"] == "it is rude"
    assert "it is rude" in found["release"]["reason"]
    assert room.ask("GET", "/api/releases").json()["releases"] == []
    ended = room.ask("GET", "/api/releases?ended=true").json()["releases"]
    assert [one["state"] for one in ended] == ["rolled_back"]


def test_a_rollback_is_answered_once_it_is_obeyed(room: Room) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")

    async def ticked() -> Any:
        asking = asyncio.create_task(
            asyncio.to_thread(rooms.ask, room, "rollback", reason="it is rude")
        )
        await asyncio.sleep(0.2)
        assert not asking.done()
        await room.loop.tick(DeclaredLoop())
        return (await asking).json()

    answer = asyncio.run(ticked())
    assert (answer["is_done"], answer["waiting_for"]) == (True, [])
    assert rooms.kept(room).state == "rolled_back"


def test_one_that_names_no_metrics_is_guarded_by_what_its_route_has(room: Room) -> None:
    """And its file says the same as before once the route has more."""
    bare = rooms.RELEASE.replace("harm: {error: {margin: 0.05}}\n", "")
    graded = rooms.PLAN.replace(
        "chat: old",
        "chat: {target: old, capture: {share: 10%, keep: 7d}, "
        "quality: {checks: [{contains: {any: [thanks]}}]}}",
    )
    rooms.furnish(room, bare, graded)
    rooms.create(room)
    late = [guard for guard in rooms.kept(room).rollout.harm if not guard.must_be_safe]
    assert [guard.name for guard in late] == ["quality", "follow_up", "thumbs_down"]
    assert {guard.no_data for guard in late} == {"ignore"}
    rooms.furnish(room, bare)
    again = room.ask("POST", "/api/releases", {"id": rooms.NAME})
    assert again.json()["is_new"] is False


def test_one_that_names_what_nobody_looks_at_is_made_and_told(room: Room) -> None:
    rooms.furnish(room, rooms.RELEASE.replace("harm: {", "harm: {quality: {}, "))
    made = room.ask("POST", "/api/releases", {"id": rooms.NAME}).json()
    assert made["notes"][0].startswith("harm quality: nothing will be known of it")
    told = room.ask("GET", f"/api/releases/explain?id={rooms.NAME}").json()
    assert made["notes"][0] in told["notes"]
