from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import BigInteger, Engine

from tidegate.core.receipt import Receipt
from tidegate.stores import (
    database,
    schema,
    schema_budgets,
    schema_notices,
    schema_objectives,
    schema_readings,
    schema_shared,
    schema_signals,
)


def test_the_migrations_make_exactly_the_declared_tables(engine: Engine) -> None:
    with database.reading(engine) as connection:
        context = MigrationContext.configure(connection)
        assert schema_budgets.metadata is schema_shared.metadata is schema.metadata
        assert schema_notices.metadata is schema_signals.metadata is schema.metadata
        assert schema_readings.metadata is schema_objectives.metadata is schema.metadata
        assert compare_metadata(context, schema.metadata) == []


def test_every_receipt_column_is_a_field_of_the_receipt_or_made_from_one() -> None:
    made_here = {"seq", "detail", "node"}
    columns = {column.name for column in schema.receipts.columns}
    assert columns - made_here <= set(Receipt.__struct_fields__)


def test_money_is_an_integer_and_may_be_unknown() -> None:
    cost = schema.receipts.c.cost_nanousd
    assert isinstance(cost.type, BigInteger)
    assert cost.nullable
