import importlib
import pkgutil

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import BigInteger, Engine, inspect

from tidegate import stores
from tidegate.core.receipt import Receipt
from tidegate.stores import database, schema

PARTS = [
    importlib.import_module(f"tidegate.stores.{part.name}")
    for part in pkgutil.iter_modules(stores.__path__)
    if part.name.startswith("schema_")
]


def test_the_migrations_make_exactly_the_declared_tables(engine: Engine) -> None:
    assert len(PARTS) > 5
    assert all(part.metadata is schema.metadata for part in PARTS)
    with database.reading(engine) as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, schema.metadata) == []


def test_both_databases_leave_the_declared_rows_out_of_an_index(engine: Engine) -> None:
    word = f"{engine.name}_where"
    found = {
        index["name"]: index["dialect_options"][word] is not None
        for table in schema.metadata.tables
        for index in inspect(engine).get_indexes(table)
        if word in index.get("dialect_options", {})
    }
    declared = {
        index.name
        for table in schema.metadata.tables.values()
        for index in table.indexes
        if index.dialect_options["sqlite"]["where"] is not None
    }
    assert {name for name, partial in found.items() if partial} == declared
    assert len(declared) > 10


def test_every_receipt_column_is_a_field_of_the_receipt_or_made_from_one() -> None:
    made_here = {"seq", "detail", "node"}
    columns = {column.name for column in schema.receipts.columns}
    assert columns - made_here <= set(Receipt.__struct_fields__)


def test_money_is_an_integer_and_may_be_unknown() -> None:
    cost = schema.receipts.c.cost_nanousd
    assert isinstance(cost.type, BigInteger)
    assert cost.nullable
