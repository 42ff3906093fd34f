"""Captured questions, newest first and no more than are wanted."""

import pytest
from sqlalchemy import Engine
from tests.stores.said import NOON_S, captured

from tidegate.stores import captures, database, questions
from tidegate.stores.questions import newest_questions


def test_the_newest_first_within_their_bounds(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = '["' + "x" * questions.MOST_CHARS + '"]'
    several = [
        captured(NOON_S - 500, 1),
        captured(NOON_S, 2, tools="[]"),
        captured(NOON_S, 3, messages=long),
        captured(NOON_S, 4, route="talk"),
    ]
    with database.writing(engine) as connection:
        captures.store(connection, several, NOON_S)

    def found(**which: object) -> list[str]:
        asked = {"since_s": NOON_S - 900, "route": None, "limit": 10, **which}
        with database.reading(engine) as connection:
            made = newest_questions(connection, NOON_S, **asked)  # type: ignore[arg-type]
        return [it.receipt_id[-1] for it in made]

    assert found() == ["4", "2", "1"]
    assert found(route="chat") == ["2", "1"]
    assert (found(since_s=NOON_S - 60), found(limit=1)) == (["4", "2"], ["4"])
    monkeypatch.setattr(questions, "MOST_CHARS_IN_ALL", 2 * len(several[0].messages) + 1)
    assert found() == ["4"]
    with database.reading(engine) as connection:
        assert newest_questions(connection, NOON_S, since_s=0, route="chat", limit=1)[0].tools == (
            "[]"
        )
