"""Invalidating over the control API: on the feed, in the audit trail, a lead's own only."""

import pytest
from sqlalchemy import Engine
from tests.control.conftest import Room, error_code
from tests.stores import rig

from tidegate.core import clock
from tidegate.core.cache_labels import EVERYTHING, Selector
from tidegate.core.feed import AnswersInvalidated
from tidegate.stores import audit, database
from tidegate.stores.ledger import Ledger


def told(room: Room, since: int) -> list[Selector]:
    entries = room.log.entries_after(since) or []
    bodies = [one.body for one in entries]
    return [
        it.selector for b in bodies if isinstance(b, AnswersInvalidated) for it in b.invalidations
    ]


def test_what_is_invalidated_is_told_on_the_feed_and_kept_in_the_audit_trail(
    room: Room, engine: Engine
) -> None:
    before = room.log.newest_seq()
    answer = room.ask("POST", "/cache/invalidate", {"tag": "prices", "team": "acme"})
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert made["invalidated"] == {"tag": "prices", "team": "acme"}
    assert (made["gateways"], made["waiting_for"]) == (0, [])
    meant = Selector(tag="prices", team="acme")
    assert told(room, before) == [meant]
    with database.reading(engine) as connection:
        row = audit.recent(connection, limit=1)[0]
    assert (row.what, row.subject, row.detail) == (
        "cache.invalidate",
        made["id"],
        "tag=prices team=acme",
    )
    lately = room.log.invalidated_lately().invalidations
    assert [(one.id, one.selector) for one in lately] == [(made["id"], meant)]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "say everything"),
        ({"everything": True, "tag": "a"}, "stands alone"),
        ({"version": "7"}, "name the prompt"),
        ({"customer": "c"}, "name the team"),
        ({"tag": "a\n"}, "tag is a word"),
        ({"tags": ["a"]}, "unknown field"),
        ({"tier": "warm"}, "Invalid enum value"),
    ],
    ids=["nothing", "everything", "version", "customer", "word", "field", "tier"],
)
def test_what_cannot_be_meant_is_refused(room: Room, asked: dict[str, object], words: str) -> None:
    before = room.log.newest_seq()
    answer = room.ask("POST", "/cache/invalidate", asked)
    assert error_code(answer) == "invalid_request"
    assert words in answer.json()["error"]["message"]
    assert told(room, before) == []


def test_an_entry_is_found_by_whoever_was_answered_from_it(room: Room, engine: Engine) -> None:
    now_s = clock.wall_s()
    first = rig.receipt(now_s - 60)
    second = rig.receipt(now_s - 30, cache="hit", cache_from=first.id)
    Ledger(engine).write(rig.entries(first, second), [])
    for asked in (first.id, second.id):
        answer = room.ask("POST", "/cache/invalidate", {"entry": asked})
        assert answer.json()["invalidated"] == {"entry": first.id}
    unknown = room.ask("POST", "/cache/invalidate", {"entry": "01XYZ"})
    assert unknown.json()["invalidated"] == {"entry": "01XYZ"}


def test_a_lead_s_are_the_team_s_own(room: Room) -> None:
    token = room.make_team("acme")
    before = room.log.newest_seq()
    for asked in ({"tag": "a"}, {"everything": True}, {"customer": "c"}):
        answer = room.ask("POST", "/cache/invalidate", asked, token=token)
        assert answer.status_code == 200, answer.text
    wanted = [Selector(tag="a"), Selector(), Selector(customer="c")]
    own = [Selector(tag=one.tag, customer=one.customer, team="acme") for one in wanted]
    assert told(room, before) == own
    assert EVERYTHING not in told(room, before)
    other = room.ask("POST", "/cache/invalidate", {"team": "beta"}, token=token)
    assert error_code(other) == "role_too_low"
    assert error_code(room.ask("POST", "/cache/invalidate", {}, token=token)) == "invalid_request"


def test_what_was_asked_anew_beside_an_older_answer_is_meant_itself(
    room: Room, engine: Engine
) -> None:
    now_s = clock.wall_s()
    first = rig.receipt(now_s - 60)
    for cache in ("refresh", "partial"):
        anew = rig.receipt(now_s - 30, cache=cache, cache_from=first.id)
        Ledger(engine).write(rig.entries(anew), [])
        answer = room.ask("POST", "/cache/invalidate", {"entry": anew.id})
        assert answer.json()["invalidated"] == {"entry": anew.id}


def test_a_lead_is_not_told_of_another_team_s_request(room: Room, engine: Engine) -> None:
    token = room.make_team("acme")
    theirs = rig.receipt(clock.wall_s() - 30, team="beta", cache="hit", cache_from="01F")
    Ledger(engine).write(rig.entries(theirs), [])
    answer = room.ask("POST", "/cache/invalidate", {"entry": theirs.id}, token=token)
    assert answer.json()["invalidated"] == {"entry": theirs.id, "team": "acme"}


def test_what_the_plan_has_not_is_said_and_obeyed(room: Room) -> None:
    before = room.log.newest_seq()
    made = room.ask("POST", "/cache/invalidate", {"route": "nope", "target": "gone"}).json()
    assert made["unknown"] == ['route "nope"', 'target "gone"']
    assert told(room, before) == [Selector(route="nope", target="gone")]
    known = next(iter(room.desk.plans.current.routes))
    assert room.ask("POST", "/cache/invalidate", {"route": known}).json()["unknown"] == []
    page = room.ask("GET", "/api/cache/worth?route=nope").json()
    assert page["unknown"] == 'route "nope"'
    assert room.ask("GET", f"/api/cache/worth?route={known}").json()["unknown"] is None
