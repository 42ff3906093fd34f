import pytest
from msgspec import Raw
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.stores.rig import NOON_S

from tidegate.core.rollout import Rollout
from tidegate.core.rollout_state import Asked, What
from tidegate.stores import audit, database, rollouts
from tidegate.stores.audit import Author
from tidegate.stores.rollouts import Moved, RolloutKept, RolloutNotFound

ADA = Author("operator:ada", NOON_S)
NEW = Rollout("chat/new", "chat", "d1", "ada", {"target": Raw(b'"new"')}, why="cheaper")


def asked(what: What, rollout: str = "chat/new", reason: str = "") -> Asked:
    return Asked(0, rollout, what, "operator:ada", NOON_S, reason)


def test_a_release_comes_back_as_it_was_made(engine: Engine) -> None:
    with database.writing(engine) as connection:
        assert rollouts.create(connection, NEW, ADA)
        assert not rollouts.create(connection, NEW, ADA)
        kept = rollouts.find(connection, "chat/new")
        assert (kept.rollout, kept.state, kept.author) == (NEW, "created", "operator:ada")
        assert [row.what for row in audit.recent(connection)] == ["release.create"]
        assert [line.state for line in rollouts.time_line(connection, "chat/new")] == ["created"]


def test_another_content_under_the_same_id_is_refused(engine: Engine) -> None:
    with database.writing(engine) as connection:
        rollouts.create(connection, NEW, ADA)
        with pytest.raises(RolloutKept, match="another name"):
            rollouts.create(connection, replace(NEW, digest="d2"), ADA)


def test_wishes_come_back_in_their_order_and_after_a_number(engine: Engine) -> None:
    with database.writing(engine) as connection:
        rollouts.create(connection, NEW, ADA)
        rollouts.create(connection, replace(NEW, id="mail/new", route="mail"), ADA)
        first = rollouts.ask(connection, asked("start"))
        rollouts.ask(connection, asked("start", "mail/new"))
        rollouts.ask(connection, asked("rollback", reason="it is rude"))
        found = rollouts.asked_after(connection, {"chat/new": first, "mail/new": 0})
        assert {name: [one.what for one in some] for name, some in found.items()} == {
            "chat/new": ["rollback"],
            "mail/new": ["start"],
        }
        assert [one.what for one in rollouts.wishes(connection, "chat/new")] == [
            "start",
            "rollback",
        ]
        newest = audit.recent(connection, limit=1)[0]
        assert (newest.what, newest.detail) == ("release.rollback", "it is rude")


def test_nothing_is_asked_of_a_release_that_is_not_there(engine: Engine) -> None:
    with database.writing(engine) as connection, pytest.raises(RolloutNotFound):
        rollouts.ask(connection, asked("start"))


def test_a_release_that_has_ended_is_no_longer_open(engine: Engine) -> None:
    with database.writing(engine) as connection:
        rollouts.create(connection, NEW, ADA)
        rollouts.note_problem(connection, "chat/new", "no target `new`", NOON_S)
        assert rollouts.find(connection, "chat/new").problem == "no target `new`"
        line = Moved(NOON_S + 1, "rolled_back", 1, "error is worse", 7)
        rollouts.move(connection, "chat/new", line, ended=True)
        assert rollouts.under_way(connection, {}) == []
        kept = rollouts.every(connection)[0]
        assert (kept.state, kept.step, kept.why, kept.problem) == (
            *("rolled_back", 1, "error is worse"),
            None,
        )
        assert rollouts.time_line(connection, "chat/new")[-1] == line


def test_a_release_that_is_not_there_is_not_moved(engine: Engine) -> None:
    line = Moved(NOON_S, "gated", 0, "", 1)
    with database.writing(engine) as connection, pytest.raises(RolloutNotFound):
        rollouts.move(connection, "chat/new", line, ended=False)


def test_what_a_release_says_is_read_once(engine: Engine) -> None:
    with database.writing(engine) as connection:
        rollouts.create(connection, NEW, ADA)
        read: dict[str, Rollout] = {}
        [kept] = rollouts.under_way(connection, read)
        assert kept == rollouts.find(connection, "chat/new")
        [again] = rollouts.under_way(connection, read)
        assert again.rollout is kept.rollout
        line = Moved(NOON_S + 1, "rolled_back", 0, "", 1)
        rollouts.move(connection, "chat/new", line, ended=True)
        assert rollouts.under_way(connection, read) == []
        assert read == {}
