import subprocess
import sys

from sqlalchemy import Column, Integer, MetaData, Table
from sqlalchemy.dialects import postgresql

from tidegate.core import plugs


def test_it_knows_on_conflict() -> None:
    table = Table("t", MetaData(), Column("id", Integer, primary_key=True))
    statement = plugs.load("stores", "postgresql_insert")(table).on_conflict_do_nothing()
    assert "ON CONFLICT DO NOTHING" in str(statement.compile(dialect=postgresql.dialect()))


def test_control_starts_without_its_dialect() -> None:
    code = (
        "import sys, tidegate.boot.embedded; print('sqlalchemy.dialects.postgresql' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
