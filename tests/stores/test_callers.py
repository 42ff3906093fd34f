"""Revocations of callers: the last word counts, gateways are told, and read it."""

from pathlib import Path

from sqlalchemy import Engine

from tidegate.core.caller import Meant, Revocation
from tidegate.stores import audit, callers, database, feed
from tidegate.stores.audit import Author
from tidegate.stores.key_reader import KeyReader
from tidegate.stores.shared import Shared

ANN, BOB = Author("ann", 10.0), Author("bob", 20.0)
SUBJECT, TOKEN = Meant("https://i", "a"), Meant("https://i", token_id="j")


def test_the_last_word_counts_and_is_on_the_feed(engine: Engine, place: Path | Shared) -> None:
    reader = KeyReader(place, timeout_s=5.0)
    ids = (SUBJECT.id, Meant("https://i").id, TOKEN.id)
    assert reader.revoked(ids) == []
    first = callers.revoke(engine, SUBJECT, None, ANN)
    second = callers.revoke(engine, TOKEN, None, ANN)
    third = callers.revoke(engine, SUBJECT, 5.0, BOB)
    assert (second, third) == (first + 1, first + 2)
    assert reader.revoked(ids) == [
        Revocation(SUBJECT.id, 5.0, 20.0),
        Revocation(TOKEN.id, None, 10.0),
    ]
    with database.reading(engine) as connection:
        assert [row.key_id for row in feed.after(connection, first - 1)] == [
            *(SUBJECT.id, TOKEN.id, SUBJECT.id)
        ]
        assert [(one.subject, one.token_id) for one in callers.find(connection)] == [
            ("a", None),
            (None, "j"),
        ]
        assert [it.detail for it in audit.recent(connection)] == [
            "a of https://i, tokens made until 5",
            "token j of https://i",
            "a of https://i",
        ]
    assert callers.restore(engine, SUBJECT, BOB) == third + 1
    assert callers.restore(engine, SUBJECT, BOB) is None
    assert reader.revoked(ids) == [Revocation(TOKEN.id, None, 10.0)]
    reader.close()
