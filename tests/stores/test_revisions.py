"""Revisions stand in their order, and nobody edits them."""

import pytest
from msgspec import Raw
from sqlalchemy import Engine
from tests.stores.changed import revision

from tidegate.core.signal import NoData, Signal
from tidegate.stores import audit, database, leadership, revisions
from tidegate.stores.errors import RowRefused
from tidegate.stores.leadership import Fenced


def test_they_are_numbered_in_their_order_and_read_as_they_were_written(engine: Engine) -> None:
    moved = {"target": Raw(b'"large"'), "parameters": Raw(b'{"temperature":0}')}
    one = revision(members=moved, base={"target": Raw(b'"small"')}, rollout="chat/v2", salt="ab")
    seen = (Signal("ttft", "s", "chat", 60.0, NoData("no_traffic")),)
    two = revision("r2", route="other", evidence=seen)
    with database.writing(engine) as connection:
        assert [revisions.append(connection, it).seq for it in (one, two)] == [1, 2]
        found = revisions.every(connection)
        assert [(it.seq, it.id, it.route) for it in found] == [
            (1, "r1", "chat"),
            (2, "r2", "other"),
        ]
        assert {name: bytes(raw) for name, raw in found[0].members.items()} == {
            name: bytes(raw) for name, raw in moved.items()
        }
        assert (bytes(found[0].base["target"]), found[0].salt) == (b'"small"', "ab")
        assert found[1].evidence == seen
        assert [it.id for it in revisions.every(connection, "other")] == ["r2"]
        newest, _ = audit.recent(connection)
        assert (newest.what, newest.subject, newest.detail) == ("revision.set", "other", "cheaper")


def test_a_controller_of_an_earlier_leadership_moves_nothing(engine: Engine) -> None:
    with database.writing(engine) as connection:
        leadership.take(connection, "a", 1.0)
        leadership.take(connection, "b", 2.0)
        with pytest.raises(Fenced):
            revisions.append(connection, revision(author="controller:release", epoch=1))
        revisions.append(connection, revision(author="controller:release", epoch=2))
        assert len(revisions.every(connection)) == 1


def test_the_same_revision_stands_once(engine: Engine) -> None:
    with pytest.raises(RowRefused), database.writing(engine) as connection:
        revisions.append(connection, revision())
        revisions.append(connection, revision())
