"""Moving in over the API: what an import would come to, all of it at once, and again."""

import hashlib
from typing import Any

import msgspec
from sqlalchemy import Engine, event, func, inspect, select, table
from sqlalchemy.exc import OperationalError
from tests.control.conftest import Room, error_code

from tidegate.core import clock
from tidegate.core.key import digest_of, foreign_id
from tidegate.core.key_limits import KeyLimits
from tidegate.core.moved import Moved, MovedBudget, MovedIn, MovedKey, MovedSpend, MovedTeam
from tidegate.stores import audit, database, keys, openings
from tidegate.stores.schema_imports import imported

SHA256 = hashlib.sha256(b"sk-litellm-1234").hexdigest()
KEY_ID = foreign_id(bytes.fromhex(SHA256))
DOLLAR = 10**9


def a_key(sha256: str = SHA256, **given: Any) -> MovedKey:
    limits = KeyLimits(5 * DOLLAR, "month", requests_per_minute=60)
    told: dict[str, Any] = {"name": "app", "team": "growth", "routes": ("*",), "limits": limits}
    return MovedKey(sha256, created_at_s=1.0, **{**told, **given})


def a_house(**given: Any) -> Moved:
    at_s = clock.wall_s()
    everything: dict[str, Any] = {
        "keys": [a_key()],
        "teams": [MovedTeam("growth", "Growth", ("*",), 1.0, requests_per_minute=600)],
        "budgets": [MovedBudget("team.growth", 100 * DOLLAR, {"team": "growth"}, "month")],
        "spends": [
            MovedSpend({"key": KEY_ID}, at_s, 123_456_789),
            MovedSpend({"team": "growth"}, at_s, 7 * DOLLAR),
        ],
    }
    return Moved("litellm", **{**everything, **given})


def ask(room: Room, moved: Moved) -> MovedIn:
    answer = room.ask("POST", "/api/imports", moved)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=MovedIn)


def apply(room: Room, moved: Moved) -> MovedIn:
    return ask(room, msgspec.structs.replace(moved, apply=True))


def counts(told: MovedIn) -> dict[str, tuple[int, int, int, int]]:
    return {it.kind: (it.new, it.changed, it.same, it.kept) for it in told.kinds}


def test_nothing_stays_of_what_is_only_asked(room: Room, engine: Engine) -> None:
    told = ask(room, a_house())
    assert not told.applied
    assert counts(told) == {
        "team": (1, 0, 0, 0),
        "budget": (1, 0, 0, 0),
        "key": (1, 0, 0, 0),
        "spend": (2, 0, 0, 0),
    }
    assert keys.get(engine, KEY_ID) is None
    assert room.ask("GET", "/team/list").json() == []
    with database.reading(engine) as connection:
        assert openings.get(connection, {"team": "growth"}) is None
        assert connection.execute(select(imported)).all() == []


def test_all_of_it_is_there_at_once_with_what_was_spent(room: Room, engine: Engine) -> None:
    assert apply(room, a_house()).applied
    record = keys.get(engine, KEY_ID)
    assert record is not None
    pepper = room.desk.peppers[record.pepper_version]
    assert record.digest == digest_of(bytes.fromhex(SHA256), pepper)
    assert record.attributes == {"tier": "free"}  # the plan's defaults are a moved key's too
    assert SHA256.encode() not in room.ask("GET", f"/api/keys/{KEY_ID}").content
    listed = room.ask("GET", "/api/budgets").json()["budgets"]
    used = {it["name"]: it["highest"][0]["used_usd"] for it in listed}
    assert used == {"team.growth": "7.00", f"key:{KEY_ID}": "0.123456789"}
    explained = room.ask("GET", f"/api/budgets/key:{KEY_ID}").json()
    assert explained["budget"]["highest"][0]["used_usd"] == "0.123456789"
    limits = {one.name for one in room.plans.current.limits}
    assert limits == {"team.growth", "team.growth.requests"}
    info = room.ask("GET", "/key/info?key=sk-litellm-1234").json()
    assert (info["key"], info["info"]["spend"]) == (KEY_ID, 0.123456789)
    with database.reading(engine) as connection:
        assert {row.what for row in audit.recent(connection)} >= {"import", "team.create"}


def test_an_import_that_ends_at_any_statement_has_done_nothing_or_all(
    room: Room, engine: Engine
) -> None:
    """The store goes away, or control is killed, before each of its statements in turn."""
    at, count, before = 0, 0, everything(engine)

    def ending(*_: object) -> None:
        nonlocal count
        count += 1
        if count == at:
            raise OperationalError("", {}, Exception("it went away"))

    house = msgspec.structs.replace(a_house(), apply=True)
    event.listen(engine, "before_cursor_execute", ending)
    event.listen(engine, "commit", ending)
    try:
        while everything(engine) == before:
            at, count = at + 1, 0
            answer = room.ask("POST", "/api/imports", house)
            count = -1_000_000
            assert answer.status_code in (200, 503)
    finally:
        event.remove(engine, "before_cursor_execute", ending)
        event.remove(engine, "commit", ending)
    assert at > 20
    told = counts(apply(room, house))
    assert {kind: it[:2] for kind, it in told.items()} == dict.fromkeys(told, (0, 0))
    assert (told["key"], told["spend"]) == ((0, 0, 1, 0), (0, 0, 2, 0))


def everything(engine: Engine) -> dict[str, int]:
    """How many rows each table has."""
    with database.reading(engine) as connection:
        return {
            name: connection.execute(select(func.count()).select_from(table(name))).scalar_one()
            for name in inspect(connection).get_table_names()
        }


def test_the_same_again_changes_nothing_and_later_spend_takes_the_place(room: Room) -> None:
    house = a_house()
    apply(room, house)
    version = room.plans.current.version
    told = apply(room, house)
    assert counts(told) == {
        "team": (0, 0, 1, 0),
        "budget": (0, 0, 1, 0),
        "key": (0, 0, 1, 0),
        "spend": (0, 0, 2, 0),
    }
    assert room.plans.current.version == version
    more = MovedSpend({"key": KEY_ID}, clock.wall_s(), 2 * DOLLAR)
    told = apply(room, a_house(keys=[a_key(name="renamed")], spends=[more]))
    assert counts(told)["key"] == (0, 1, 0, 0)
    assert counts(told)["spend"] == (0, 1, 0, 0)
    info = room.ask("GET", f"/key/info?key={KEY_ID}").json()["info"]
    assert (info["key_alias"], info["spend"]) == ("renamed", 2.0)


def test_gateways_are_told_that_an_opening_balance_has_changed(room: Room, engine: Engine) -> None:
    """Its counters begin anew then: what says that two limits count the same is another."""
    apply(room, a_house())
    (team,) = (it for it in room.plans.current.limits if it.name == "team.growth")
    at_s = clock.wall_s()
    more = [MovedSpend({"key": KEY_ID}, at_s, 2), MovedSpend({"team": "growth"}, at_s, 3)]
    apply(room, a_house(spends=more))
    (again,) = (it for it in room.plans.current.limits if it.name == "team.growth")
    assert again.openings == team.openings + 1
    record = keys.get(engine, KEY_ID)
    assert record is not None and record.limits is not None
    assert record.limits.openings == 1
    assert record.limits.limits()[-1].openings == 1
    apply(room, a_house(spends=more))
    assert keys.get(engine, KEY_ID) == record
    room.ask("POST", "/key/update", {"key": KEY_ID, "max_budget": 9})
    record = keys.get(engine, KEY_ID)
    assert record is not None and record.limits is not None and record.limits.openings == 1


def test_a_key_that_had_spent_nothing_when_it_came_is_told_too(room: Room, engine: Engine) -> None:
    """Gateways may count its budget already, from nothing."""
    apply(room, a_house(spends=[]))
    record = keys.get(engine, KEY_ID)
    assert record is not None and record.limits is not None and record.limits.openings == 0
    apply(room, a_house(spends=[MovedSpend({"key": KEY_ID}, clock.wall_s(), 2)]))
    record = keys.get(engine, KEY_ID)
    assert record is not None and record.limits is not None and record.limits.openings == 1


def test_what_was_changed_here_stays_and_is_a_conflict_once_it_changes_there(
    room: Room, engine: Engine
) -> None:
    apply(room, a_house())
    room.ask("POST", "/key/update", {"key": KEY_ID, "rpm_limit": 5})
    assert counts(apply(room, a_house()))["key"] == (0, 0, 1, 0)
    theirs = a_house(keys=[a_key(name="renamed"), a_key("a" * 64)])
    asked = ask(room, theirs)
    assert asked.conflicts == [
        f"key {SHA256}: it has changed here as well as there since it was imported"
    ]
    refused = room.ask("POST", "/api/imports", msgspec.structs.replace(theirs, apply=True))
    assert (refused.status_code, error_code(refused)) == (409, "changed_on_both_sides")
    assert keys.get(engine, foreign_id(b"\xaa" * 32)) is None  # nor the other one
    told = apply(room, msgspec.structs.replace(theirs, keep_ours=True))
    assert counts(told)["key"] == (1, 0, 0, 1)
    kept = keys.get(engine, KEY_ID)
    assert kept is not None and kept.limits is not None
    assert (kept.name, kept.limits.requests_per_minute) == ("app", 5)
    assert counts(apply(room, theirs))["key"] == (0, 0, 2, 0)


def test_a_key_that_was_revoked_here_is_not_alive_again(room: Room, engine: Engine) -> None:
    apply(room, a_house())
    room.ask("POST", f"/api/keys/{KEY_ID}/revoke")
    apply(room, a_house())
    told = apply(room, a_house(keys=[a_key(name="renamed")], keep_ours=True))
    assert counts(told)["key"] == (0, 0, 0, 1)
    record = keys.get(engine, KEY_ID)
    assert record is not None and record.revoked_at_s is not None


def test_a_block_there_comes_and_goes(room: Room, engine: Engine) -> None:
    apply(room, a_house(keys=[a_key(blocked=True)]))
    record = keys.get(engine, KEY_ID)
    assert record is not None and record.revoked_at_s is not None
    apply(room, a_house())
    record = keys.get(engine, KEY_ID)
    assert record is not None and record.revoked_at_s is None


def test_keys_that_are_gone_there_are_named_and_live_on(room: Room, engine: Engine) -> None:
    apply(room, a_house())
    told = apply(room, a_house(keys=[]))
    assert told.gone == [KEY_ID]
    room.ask("POST", f"/api/keys/{KEY_ID}/revoke")
    assert apply(room, a_house(keys=[])).gone == []


def refusal(room: Room, **given: Any) -> str:
    answer = room.ask("POST", "/api/imports", a_house(apply=True, **given))
    assert 400 <= answer.status_code < 500
    assert room.ask("GET", "/team/list").json() == []
    return error_code(answer)


def test_what_could_not_be_made_here_is_refused_whole(room: Room) -> None:
    assert refusal(room, keys=[a_key(routes=("none",))]) == "invalid_request"
    assert refusal(room, keys=[a_key(), a_key()]) == "invalid_request"
    assert refusal(room, keys=[a_key(limits=KeyLimits(5))]) == "invalid_request"
    assert refusal(room, keys=[a_key(limits=KeyLimits(-5, "month"))]) == "invalid_request"
    assert refusal(room, budgets=[MovedBudget("b", 1, {"colour": "red"})]) == "invalid_request"
    assert refusal(room, budgets=[MovedBudget("b", 1, {})]) == "invalid_request"
    assert refusal(room, budgets=[MovedBudget("b", 1, {"team": "x"})]) == "plan_refused"
    narrow = [MovedTeam("growth", "Growth", (), 1.0)]
    assert refusal(room, teams=narrow) == "grant_too_wide"


def test_the_plan_has_to_hold_all_of_it(room: Room, engine: Engine) -> None:
    """A plan has a thousand limits at most: what is beyond refuses all, when asked as well."""
    many = [MovedBudget(f"b{n}", 10**9, {"customer": f"c{n}"}, "month") for n in range(1001)]
    for wanted in (a_house(budgets=many), a_house(budgets=many, apply=True)):
        answer = room.ask("POST", "/api/imports", wanted)
        assert (answer.status_code, error_code(answer)) == (422, "plan_refused")
    assert keys.get(engine, KEY_ID) is None


def test_a_lead_may_not(room: Room) -> None:
    token = room.make_team("search")
    answer = room.ask("POST", "/api/imports", a_house(), token=token)
    assert answer.status_code == 403
