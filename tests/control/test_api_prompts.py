"""Prompts over the control API: what is served, and moving a tag."""

import pytest
from sqlalchemy import Engine
from tests.control.conftest import Room
from tests.control.prompted import begin, stable, write

from tidegate.core.layout import Layout


@pytest.fixture
def room(layout: Layout, engine: Engine, tmp_path: pytest.TempPathFactory) -> Room:
    return Room(layout, engine, layout.state.parent / "tidegate.yaml")


def flip(room: Room, version: str | None, tag: str = "stable", **given: object) -> tuple[int, dict]:
    body = {"version": version, "reason": "a test", **given}
    answer = room.ask("POST", f"/api/prompts/support/tags/{tag}", body)
    return answer.status_code, answer.json()


def test_what_is_served_is_shown_with_what_moved_it(room: Room) -> None:
    begin(room, "off")
    [shown] = room.ask("GET", "/api/prompts").json()["prompts"]
    assert shown["versions"] == ["v1", "v2"]
    assert shown["routes"] == {"chat": "v1"}
    status, made = flip(room, "v2")
    assert (status, made["flip"]["base"], made["waiting_for"]) == (200, "v1", [])
    assert stable(room) == "v2"
    shown = room.ask("GET", "/api/prompts/support").json()
    [tag] = shown["tags"]
    assert (tag["version"], tag["declared"], tag["flip"]["reason"]) == ("v2", "v1", "a test")
    flips = room.ask("GET", "/api/prompts/support/flips").json()["flips"]
    assert [it["version"] for it in flips] == ["v2"]


def test_a_flip_stands_until_the_file_says_another_word(room: Room) -> None:
    begin(room, "off")
    flip(room, "v2")
    room.plans._reload("api")
    assert stable(room) == "v2"
    write(room.plan_file.parent, "v3", stable="v3")
    room.plans._reload("api")
    assert stable(room) == "v3"
    write(room.plan_file.parent, stable="v1")
    room.plans._reload("api")
    assert stable(room) == "v2", "it says again what it said when the tag was moved"


def test_a_tag_that_routes_do_not_need_comes_and_goes(room: Room) -> None:
    begin(room, "off")
    assert flip(room, "v2", tag="canary")[0] == 200
    assert room.plans.current.prompts["support"].tags == {"canary": "v2", "stable": "v1"}
    assert flip(room, None, tag="canary")[0] == 200
    assert room.plans.current.prompts["support"].tags == {"stable": "v1"}


def test_what_cannot_be_served_changes_nothing(room: Room) -> None:
    begin(room, "off")
    write(room.plan_file.parent, "v4", text="{% if %}", stable="v1")
    for version, tag, status in (
        ("v9", "stable", 400),
        ("v4", "stable", 400),
        ("v2", "a..b", 400),
        ("v2", "CON", 400),
        (None, "stable", 422),
    ):
        assert flip(room, version, tag)[0] == status, (version, tag)
    assert room.ask("GET", "/api/prompts/absent").status_code == 404
    assert stable(room) == "v1"
    assert room.ask("GET", "/api/prompts/support/flips").json()["flips"] == []


def test_a_version_that_was_tagged_never_says_anything_else(room: Room) -> None:
    begin(room, "off")
    write(room.plan_file.parent, "v1", text="something else", stable="v1")
    room.plans._reload("api")
    served = room.plans.current.prompts["support"].versions["v1"]
    assert served.turns[0].source.startswith("v1 ")
    problems = room.ask("GET", "/api/prompts").json()["problems"]
    assert any("tagged before" in problem for problem in problems)


def test_stable_moves_only_to_what_is_certified(room: Room) -> None:
    begin(room)
    status, said = flip(room, "v2")
    assert status == 409
    assert said["error"]["code"] == "uncertified"
    assert "support@v2 at m-1: no gate was passed" in said["error"]["problems"][0]
    assert flip(room, "v2", tag="canary")[0] == 200
    status, said = flip(room, "v2", uncertified=True)
    assert (status, said["flip"]["reason"]) == (200, "uncertified: a test")
    assert stable(room) == "v2"


def test_a_plan_without_prompts_says_so(room: Room) -> None:
    room.plan_file.write_text(
        "providers: {up: {kind: openai_compatible, base_url: 'http://a:9', api_key: none}}\n"
        "routes: {chat: {target: {provider: up, model: m, price: free}}}\n"
    )
    room.plans.start(0)
    assert room.ask("GET", "/api/prompts").json()["prompts"] == []
    assert flip(room, "v2")[0] == 404


def test_a_tag_goes_back_while_the_file_asks_for_what_is_not_certified(room: Room) -> None:
    begin(room)
    assert flip(room, "v2", uncertified=True)[0] == 200
    assert room.ask("GET", "/api/prompts").json()["problems"] == [], "the file's word is past"
    write(room.plan_file.parent, "v3", stable="v3")
    room.plans._reload("api")
    assert stable(room) == "v2"
    assert flip(room, "v1", uncertified=True)[0] == 200
    assert stable(room) == "v1"


def test_what_is_moved_meanwhile_is_no_success(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(room, "off")
    amend = room.desk.amend

    async def slow(change):  # type: ignore[no-untyped-def]
        write(room.plan_file.parent, "v3", stable="v3")
        return await amend(change)

    monkeypatch.setattr(type(room.desk), "amend", lambda _, change: slow(change))
    assert flip(room, "v2")[0] == 409
    assert stable(room) == "v3"


@pytest.mark.parametrize("certificates", ["off", "required"])
def test_what_goes_bad_in_the_repository_keeps_nothing_else_from_being_published(
    room: Room, certificates: str
) -> None:
    begin(room, certificates)
    assert flip(room, "v2", uncertified=True)[0] == 200
    at = room.plan_file.parent / "repo" / "prompts" / "support"
    for spoil in (
        lambda: (at / "v2.jinja2").write_text("something else"),
        (at / "v2.jinja2").unlink,
        lambda: write(room.plan_file.parent, canary="v1"),
        lambda: at.rename(at.with_name("gone")),
    ):
        spoil()
        room.plans._reload("api")
        assert room.plans.problems == []
        assert stable(room) == "v2"
        problems = room.ask("GET", "/api/prompts").json()["problems"]
        assert any("serves on" in problem for problem in problems)
