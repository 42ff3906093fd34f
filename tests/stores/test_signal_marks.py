from sqlalchemy import Engine

from tidegate.stores import database, signal_marks


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
