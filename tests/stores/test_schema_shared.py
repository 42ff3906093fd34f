from sqlalchemy import inspect

from tidegate.stores import schema, schema_shared


def test_versions_are_given_and_never_counted_by_the_database() -> None:
    assert inspect(schema_shared.plans).autoincrement_column is None


def test_the_tables_are_made_with_the_others() -> None:
    assert {"plans", "gateways"} <= set(schema.metadata.tables)
