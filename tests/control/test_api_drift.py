"""Drift and the way back over the control API."""

from msgspec import Raw
from tests.control.conftest import PLAN, Room
from tests.stores.changed import revision

from tidegate.core import clock
from tidegate.stores import database, revisions

LARGE = PLAN.replace("routes:", "  large: {{provider: mine, model: large, price: free}}\nroutes:")


def test_what_moved_is_told_and_a_patch_takes_it_home(room: Room) -> None:
    text = LARGE.format(route="chat")
    room.plan_file.write_text(text)
    assert room.ask("POST", "/api/plan/reload").json()["outcome"] != "refused"
    nothing = room.ask("GET", "/api/plan/drift").json()
    assert (nothing["moved"], nothing["changes"]) == ([], [])
    assert room.ask("GET", "/api/plan/write-back").json() == {"patch": "", "by_hand": []}
    moved = {"members": {"target": Raw(b'"large"')}, "base": {"target": Raw(b'"small"')}}
    with database.writing(room.desk.engine) as connection:
        revisions.append(connection, revision(at_s=clock.wall_s(), **moved))
    room.ask("POST", "/api/plan/reload")
    assert room.plans.current.routes["chat"].release.target.name == "large"
    asked = {"lever": "frozen", "scope": "chat", "value": 1, "for_s": 60, "reason": "x"}
    room.ask("POST", "/api/changes", asked)
    told = room.ask("GET", "/api/plan/drift").json()
    assert [one["lever"] for one in told["changes"]] == ["frozen"]
    (one,) = told["moved"]
    assert (one["file"], one["served"], one["author"]) == ('"small"', '"large"', "operator:ann")
    patch = room.ask("GET", "/api/plan/write-back").json()["patch"]
    assert "-  chat: small\n+  chat: large\n" in patch
    room.plan_file.write_text(text.replace("chat: small", "chat: large"))
    room.ask("POST", "/api/plan/reload")
    assert room.ask("GET", "/api/plan/drift").json()["moved"] == []


def test_a_file_that_is_gone_is_said(room: Room) -> None:
    room.plan_file.unlink()
    answer = room.ask("GET", "/api/plan/write-back")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "plan_refused")
