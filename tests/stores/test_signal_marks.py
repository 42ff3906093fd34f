from sqlalchemy import Engine
from tests.stores import rig

from tidegate.stores import database, retention, signal_marks
from tidegate.stores.ledger import Ledger


def test_each_recorder_has_a_mark_of_its_own_and_changes_one_count(engine: Engine) -> None:
    with database.writing(engine) as connection:
        assert signal_marks.folded(connection, "a") == signal_marks.newest_change(connection) == 0
        signal_marks.set_folded(connection, "a", 7)
        signal_marks.set_folded(connection, "a", 9)
        signal_marks.set_folded(connection, "b", 3)
        assert [signal_marks.next_change(connection) for _ in range(2)] == [1, 2]
    with database.reading(engine) as connection:
        assert signal_marks.folded(connection, "a") == 9
        assert signal_marks.folded(connection, "b") == 3
        assert signal_marks.newest_change(connection) == 2


def test_a_mark_does_not_outlive_the_numbers_that_it_speaks_of(engine: Engine) -> None:
    Ledger(engine).write(rig.entries(rig.receipt(), rig.receipt()), [])
    with database.writing(engine) as connection:
        signal_marks.set_folded(connection, "", 2)
        signal_marks.next_change(connection)
    retention.roll_off(engine, rig.NOON_S + 60)
    with database.reading(engine) as connection:
        assert signal_marks.folded(connection, "") == 0
        assert signal_marks.newest_change(connection) == 1
