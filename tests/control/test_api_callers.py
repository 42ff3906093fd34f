"""Revoking callers over the control API: on the feed, listed, and taken back."""

from tests.control.conftest import Room, error_code

from tidegate.core.caller import id_of_caller, id_of_issuer, id_of_token
from tidegate.core.feed import KeyChanged

ISSUER = "https://issuer.example"


def told(room: Room, since: int) -> list[str]:
    bodies = [one.body for one in room.log.entries_after(since) or []]
    return [body.key_id for body in bodies if isinstance(body, KeyChanged)]


def test_what_is_revoked_is_told_listed_and_taken_back(room: Room) -> None:
    before = room.log.newest_seq()
    asked: list[dict[str, object]] = [
        {"issuer": ISSUER},
        {"issuer": ISSUER, "subject": "a", "before_s": 5},
        {"issuer": ISSUER, "token_id": "j"},
    ]
    for one in asked:
        answer = room.ask("POST", "/api/callers/revoke", one)
        assert answer.status_code == 200, answer.text
    ids = [id_of_issuer(ISSUER), id_of_caller(ISSUER, "a"), id_of_token(ISSUER, "j")]
    assert told(room, before) == ids
    listed = room.ask("GET", "/api/callers/revocations").json()["revocations"]
    assert {one["id"] for one in listed} == set(ids)
    assert {one["before_s"] for one in listed} == {None, 5.0}
    back = room.ask("POST", "/api/callers/restore", {"issuer": ISSUER, "subject": "a"})
    assert back.json()["id"] == ids[1]
    assert told(room, before) == [*ids, ids[1]]
    again = room.ask("POST", "/api/callers/restore", {"issuer": ISSUER, "subject": "a"})
    assert (again.status_code, error_code(again)) == (404, "not_found")


def test_a_subject_and_a_token_are_not_one(room: Room) -> None:
    asked = {"issuer": ISSUER, "subject": "a", "token_id": "j"}
    answer = room.ask("POST", "/api/callers/revoke", asked)
    assert error_code(answer) == "invalid_request"


def test_a_name_that_no_issuer_has_is_no_issuer_s(room: Room) -> None:
    answer = room.ask("POST", "/api/callers/revoke", {"issuer": "kubernets", "subject": "a"})
    assert (answer.status_code, error_code(answer)) == (404, "not_found")
    assert "its issuers: none" in answer.text
