from sqlalchemy import Engine

from tidegate.stores import audit, database
from tidegate.stores.audit import Author


def test_the_newest_change_comes_first_and_pages_go_back(engine: Engine) -> None:
    with database.writing(engine) as connection:
        for number in range(5):
            author = Author("ann", float(number))
            audit.append(connection, author, "key.create", f"k{number}", "why")
    with database.reading(engine) as connection:
        newest = audit.recent(connection, limit=2)
        older = audit.recent(connection, limit=10, before_seq=newest[-1].seq)
    assert [row.subject for row in newest] == ["k4", "k3"]
    assert [row.subject for row in older] == ["k2", "k1", "k0"]
    assert newest[0] == audit.AuditRow(5, 4.0, "ann", "key.create", "k4", "why")


def test_a_change_made_elsewhere_is_a_row_of_its_own(engine: Engine) -> None:
    audit.note(engine, Author("ann", 1.0), "pepper.create", "2")
    with database.reading(engine) as connection:
        assert audit.recent(connection) == [audit.AuditRow(1, 1.0, "ann", "pepper.create", "2", "")]


def test_one_kind_is_read_by_its_time_the_newest_first(engine: Engine) -> None:
    with database.writing(engine) as connection:
        for number in range(5):
            author = Author("signal", float(number))
            audit.append(connection, author, "plan.publish", str(number))
            audit.append(connection, author, "key.create", "k")
    with database.reading(engine) as connection:
        found = audit.of_kind(connection, "plan.publish", 1.0, 3.0)
        assert [row.subject for row in found] == ["3", "2", "1"]
        assert len(audit.of_kind(connection, "plan.publish", 0.0, 9.0, limit=2)) == 2
