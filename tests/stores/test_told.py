"""What became of notices can be asked by notice, by message and by way."""

from sqlalchemy import Engine
from tests.stores.test_deliveries import arrived, claimed, failed, must, routed
from tests.stores.test_notices import NOON_S, note, tell

from tidegate.core.notice import NotDelivered
from tidegate.stores import database, told


def test_each_way_of_a_notice_with_its_message_or_none(engine: Engine) -> None:
    note(engine, tell("a"))
    routed(engine, ways=("chat", "mail"))
    sent, _ = must(claimed(engine))
    with database.writing(engine) as connection:
        (one,) = told.told_by(connection, sent.id)
        fates = told.of_notices(connection, [one.id, "none"])
    assert list(fates) == [one.id]
    (_, first), (_, second) = fates[one.id]
    assert first is not None and first.id == sent.id and second is None


def test_what_a_way_was_told_and_still_holds(engine: Engine) -> None:
    for key in ("holds", "over", "long over", "not told"):
        note(engine, tell(key))
        routed(engine)
        one, _ = must(claimed(engine))
        if key == "not told":
            failed(engine, one, NOON_S, NotDelivered("no", final=True))
        else:
            arrived(engine, one)
    note(engine, tell("over", resolved=True), NOON_S + 60)
    note(engine, tell("long over", resolved=True), NOON_S + 10)
    with database.reading(engine) as connection:
        found = told.told_lately(connection, "chat", NOON_S - 1, NOON_S + 30)
        assert {one.key for one in found} == {"holds", "over"}
        assert told.told_lately(connection, "chat", NOON_S + 1, NOON_S + 30) == []
        assert told.told_lately(connection, "mail", NOON_S - 1, NOON_S + 30) == []
