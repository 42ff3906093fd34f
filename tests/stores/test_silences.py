"""A silence holds back what it matches, from now until its time or until somebody ends it."""

from typing import Any

import pytest
from sqlalchemy import Engine

from tidegate.core.notice import Notice
from tidegate.stores import audit, database, silences
from tidegate.stores.audit import Author
from tidegate.stores.silences import Matchers, TooManySilences

NOON_S = 1_790_000_000.0
BY = Author("ops", NOON_S)


def notice(**fields: Any) -> Notice:
    plain: dict[str, Any] = {
        "id": "n1",
        "key": "burn/chat/ttft",
        "topic": "burn",
        "severity": "page",
        "title": "It burns",
        "text": "",
        "at_s": NOON_S,
        "route": "chat",
    }
    return Notice(**{**plain, **fields})


@pytest.mark.parametrize(
    ("matchers", "matched"),
    [
        (Matchers(), True),
        (Matchers(topic="burn", severity="page", route="chat", key="burn/chat/ttft"), True),
        (Matchers(topic="release"), False),
        (Matchers(severity="ticket"), False),
        (Matchers(route="other"), False),
        (Matchers(topic="burn", route="other"), False),
        (Matchers(key="burn/*"), True),
        (Matchers(key="*/ttft"), True),
        (Matchers(key="*chat*"), True),
        (Matchers(key="b*/*/t*t"), True),
        (Matchers(key="*"), True),
        (Matchers(key="burn"), False),
        (Matchers(key="burn/chat*chat/ttft"), False),
        (Matchers(key="*tt*tt*"), False),
        (Matchers(key="burn.chat.ttft"), False),
    ],
)
def test_all_that_it_says_must_hold(matchers: Matchers, matched: bool) -> None:
    assert matchers.match(notice()) is matched
    assert not Matchers(route="chat").match(notice(route=None))


def test_it_is_in_force_from_now_until_its_time_or_its_end(engine: Engine) -> None:
    with database.writing(engine) as connection:
        first = silences.add(connection, Matchers(topic="burn"), NOON_S + 60, "known", BY)
        second = silences.add(connection, Matchers(key="x*"), NOON_S + 90, "too", BY)
        assert silences.in_force(connection, NOON_S + 59) == [first, second]
        assert silences.in_force(connection, NOON_S + 60) == [second]
        assert silences.end(connection, second.id, Author("ops", NOON_S + 70))
        assert not silences.end(connection, second.id, Author("ops", NOON_S + 71))
        assert not silences.end(connection, "none", BY)
        assert silences.in_force(connection, NOON_S + 71) == []
        told = [(row.actor, row.what, row.subject) for row in audit.recent(connection)]
    assert told == [
        ("ops", "notice.unsilence", second.id),
        ("ops", "notice.silence", second.id),
        ("ops", "notice.silence", first.id),
    ]


def test_there_are_only_so_many(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silences, "MAX_IN_FORCE", 1)
    with database.writing(engine) as connection:
        silences.add(connection, Matchers(), NOON_S + 60, "", BY)
        with pytest.raises(TooManySilences):
            silences.add(connection, Matchers(), NOON_S + 60, "", BY)
        silences.add(connection, Matchers(), NOON_S + 90, "", Author("ops", NOON_S + 60))
