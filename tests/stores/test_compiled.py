from sqlalchemy import Engine, bindparam, select

from tidegate.stores import database
from tidegate.stores.compiled import compiled
from tidegate.stores.schema import meta


def test_rows_go_in_as_they_are_and_are_counted(engine: Engine) -> None:
    columns = ("name", "value")
    statement = database.upsert(engine, meta).values({name: bindparam(name) for name in columns})
    write = compiled(engine, statement.on_conflict_do_nothing().inline(), columns)
    with database.writing(engine) as connection:
        assert write(connection, [("a", "1"), ("b", "2")]) == 2
        assert write(connection, [("a", "9")]) == 0
        found = connection.execute(select(meta).where(meta.c.name.in_(("a", "b"))))
        assert sorted(tuple(row) for row in found) == [("a", "1"), ("b", "2")]
