"""Captured requests over the control API: operators' alone, each reading told, deleted for good."""

import pytest
from sqlalchemy import Engine
from tests.control.conftest import Room, error_code
from tests.stores.said import captured, feedback, recorded, table_bytes

from tidegate.control.api_captured import READ
from tidegate.control.shapes_captured import MOST_READ
from tidegate.core import clock
from tidegate.core.capture import Captured
from tidegate.core.controller import Tell
from tidegate.stores import audit, captures, database, notices
from tidegate.stores import feedback as feedback_of

CANARY = "canary-5d1e"


def keep(engine: Engine, count: int = 1, **fields: object) -> list[Captured]:
    now_s = clock.wall_s()
    made = [captured(now_s - 60 + n, n, **{"answer": CANARY, **fields}) for n in range(count)]
    with database.writing(engine) as connection:
        captures.store(connection, made, now_s)
    return made


def told(engine: Engine) -> list[str]:
    with database.reading(engine) as connection:
        return [row.subject for row in audit.recent(connection) if row.what == READ]


def test_a_list_says_nothing_of_what_was_said(room: Room, engine: Engine) -> None:
    [made] = keep(engine, customer="acme", redacted={"email": 1})
    answer = room.ask("GET", "/api/captured?route=chat&limit=5")
    [row] = answer.json()["captured"]
    assert row["receipt_id"] == made.receipt_id
    assert (row["customer"], row["answer_chars"], row["redacted"]) == (
        "acme",
        len(CANARY),
        {"email": 1},
    )
    assert CANARY not in answer.text
    assert told(engine) == []


def test_who_reads_what_was_said_is_in_the_audit_trail(room: Room, engine: Engine) -> None:
    first, second = keep(engine, 2)
    shown = room.ask("GET", f"/api/captured/{first.receipt_id}")
    assert shown.json()["answer"] == CANARY
    assert told(engine) == [first.receipt_id]
    exported = room.ask("GET", "/api/captured/export?customer=nobody")
    assert exported.json() == {"captured": [], "next_id": None}
    assert len(told(engine)) == 1
    exported = room.ask("GET", "/api/captured/export")
    assert [it["receipt_id"] for it in exported.json()["captured"]] == [
        second.receipt_id,
        first.receipt_id,
    ]
    assert told(engine)[0] == f"2 from {first.receipt_id} to {second.receipt_id}"
    with database.reading(engine) as connection:
        assert CANARY not in repr(audit.recent(connection))


def test_an_export_comes_page_by_page(room: Room, engine: Engine) -> None:
    made = keep(engine, MOST_READ + 1)
    page = room.ask("GET", "/api/captured/export?limit=1000").json()
    assert len(page["captured"]) == MOST_READ
    rest = room.ask("GET", f"/api/captured/export?before_id={page['next_id']}").json()
    assert [it["receipt_id"] for it in rest["captured"]] == [made[0].receipt_id]
    assert rest["next_id"] is None


@pytest.mark.parametrize("wanted", ["x", "..%2f..", "01900000-0000-7000-8000-000000000000"])
def test_what_is_not_kept_is_not_there(room: Room, wanted: str) -> None:
    answer = room.ask("GET", f"/api/captured/{wanted}")
    assert (answer.status_code, error_code(answer)) == (404, "not_found")


def test_a_customer_s_are_deleted_for_good(room: Room, engine: Engine) -> None:
    keep(engine, customer="acme")
    receipt = recorded(engine, customer="acme")
    comment = feedback(receipt, "comment", comment=CANARY, customer="acme")
    with database.writing(engine) as connection:
        feedback_of.store(connection, [comment])
    assert CANARY.encode() in table_bytes(engine)
    answer = room.ask("POST", "/api/captured/delete", {"customer": "acme"})
    assert answer.json() == {"captured": 1, "feedback": 1}
    assert CANARY.encode() not in table_bytes(engine)
    with database.reading(engine) as connection:
        assert "capture.delete" in [row.what for row in audit.recent(connection)]


@pytest.mark.parametrize("body", [{}, {"before_s": 0}, {"team": "x"}, {"customer": ""}])
def test_a_deletion_says_whose_or_how_old(room: Room, engine: Engine, body: object) -> None:
    keep(engine)
    assert room.ask("POST", "/api/captured/delete", body).status_code == 400
    assert CANARY.encode() in table_bytes(engine)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/captured"),
        ("GET", "/api/captured/export"),
        ("GET", "/api/captured/{id}"),
        ("POST", "/api/captured/delete"),
        ("GET", "/api/feedback"),
        ("GET", "/api/feedback/rates"),
    ],
)
def test_no_key_and_no_team_s_lead_comes_near(
    room: Room, engine: Engine, method: str, path: str
) -> None:
    [made] = keep(engine, team="growth", customer="acme")
    lead = room.make_team("growth")
    key = room.make_key(team="growth")["key"]
    path = path.format(id=made.receipt_id)
    for token, status in ((lead, 403), (key, 401), (None, 401)):
        answer = room.ask(method, path, token=token)
        assert answer.status_code == status
        assert CANARY not in answer.text


def test_an_incident_s_requests_are_told_and_noted(room: Room, engine: Engine) -> None:
    made = keep(engine, 2, cut=True)
    now_s = clock.wall_s()
    with database.writing(engine) as connection:
        for key, route in (("burn/chat/ttft", "chat"), ("loop/ticks", None)):
            tell = Tell("burn", key, "page", "It burns", "text", route=route)
            notices.note(connection, tell, now_s - 30)
    page = room.ask("GET", "/api/captured/incident?notice=burn/chat/ttft&before_s=100").json()
    assert [it["said"]["receipt_id"] for it in page["captured"]] == [it.receipt_id for it in made]
    assert {it["harm"] for it in page["captured"]} == {"cut"}
    assert page["beyond"] is None
    assert told(engine) == [f"2 of the incident {page['notice']['id']}"]
    late = room.ask("GET", "/api/captured/incident?notice=burn/chat/ttft&before_s=0").json()
    assert late["captured"] == []
    gone = room.ask("GET", "/api/captured/incident?notice=nothing")
    assert (gone.status_code, error_code(gone)) == (404, "not_found")
    odd = room.ask("GET", "/api/captured/incident?notice=loop/ticks")
    assert (odd.status_code, error_code(odd)) == (400, "invalid_request")
