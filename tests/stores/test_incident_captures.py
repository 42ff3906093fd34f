"""An incident's captured requests, the bad ones first."""

from sqlalchemy import Engine
from tests.stores import rig
from tests.stores.said import NOON_S, captured, feedback

from tidegate.core.controller import Tell
from tidegate.core.receipt import Receipt
from tidegate.stores import captures, database, incident_captures, notices
from tidegate.stores import feedback as feedback_of
from tidegate.stores.incident_captures import Window
from tidegate.stores.ledger import Ledger

WINDOW = Window("chat", NOON_S - 100, NOON_S + 100)


def keep(engine: Engine, at_s: float = NOON_S, **fields: object) -> Receipt:
    """A request with its receipt, and what was said in it."""
    cut = bool(fields.pop("cut", False))
    made = rig.receipt(at_s, **{"key_id": "k", "route": "chat", **fields})
    Ledger(engine).write(rig.entries(made), [])
    said = captured(at_s, receipt_id=made.id, cut=cut, route=made.route)
    with database.writing(engine) as connection:
        assert captures.store(connection, [said], NOON_S) == 1
    return made


def found(engine: Engine, **which: int) -> list[tuple[str, str | None]]:
    with database.reading(engine) as connection:
        rows = incident_captures.of_window(connection, WINDOW, NOON_S, **which)
        return [(it.said.receipt_id, it.harm) for it in rows]


def test_the_bad_ones_come_first_by_what_is_gravest(engine: Engine) -> None:
    good = keep(engine, NOON_S - 90, validity="valid", model_refusal="none")
    bad = {
        "cut": keep(engine, NOON_S - 80, cut=True),
        "thumbs_down": keep(engine, NOON_S - 70),
        "invalid": keep(engine, NOON_S - 60, validity="malformed"),
        "refusal": keep(engine, NOON_S - 50, model_refusal="partial", validity="malformed"),
        "error": keep(engine, NOON_S - 40, error_code="unavailable", validity="interrupted"),
    }
    with database.writing(engine) as connection:
        feedback_of.store(connection, [feedback(bad["thumbs_down"], rating=-1.0)])
        feedback_of.store(connection, [feedback(good, rating=1.0)])
    expected = [(it.id, name) for name, it in reversed(bad.items())]
    assert found(engine) == [*expected, (good.id, None)]
    assert found(engine, beyond=2, limit=2) == expected[2:4]


def test_only_of_its_route_and_time_and_with_what_nobody_has_a_receipt_of(engine: Engine) -> None:
    keep(engine, route="other")
    keep(engine, NOON_S - 101)
    keep(engine, NOON_S + 100)
    with database.writing(engine) as connection:
        captures.store(connection, [captured(NOON_S)], NOON_S)
    assert [harm for _, harm in found(engine)] == [None]


def test_an_incident_is_a_notice_by_its_id_or_the_newest_of_its_key(engine: Engine) -> None:
    tell = Tell("burn", "burn/chat/ttft", "page", "It burns", "text", route="chat")
    with database.writing(engine) as connection:
        for at_s in (NOON_S, NOON_S + 9):
            notices.note(connection, tell, at_s)
            last = incident_captures.notice(connection, tell.key)
            assert last is not None and (last.at_s, last.route) == (at_s, "chat")
            resolved = Tell("burn", tell.key, "page", "x", "x", route="chat", resolved=True)
            notices.note(connection, resolved, at_s + 1)
        assert incident_captures.notice(connection, last.id) == incident_captures.notice(
            connection, tell.key
        )
        assert incident_captures.notice(connection, "nothing") is None
