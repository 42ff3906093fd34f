from sqlalchemy import Engine, inspect

from tidegate.core.engine_signals import ENGINE_SIGNALS
from tidegate.stores.schema_readings import readings, readings_newest


def test_every_signal_has_an_amount_and_a_weight() -> None:
    for name in ENGINE_SIGNALS:
        assert {f"{name}_amount", f"{name}_weight"} <= set(readings.c.keys())


def test_a_migrated_database_has_the_same_columns(engine: Engine) -> None:
    there = inspect(engine)
    for table in (readings, readings_newest):
        columns = {column["name"]: column["nullable"] for column in there.get_columns(table.name)}
        assert columns == {column.name: column.nullable for column in table.columns}
        key = there.get_pk_constraint(table.name)["constrained_columns"]
        assert key == [column.name for column in table.primary_key]
