"""The figures of a window are one definition for the store, the API and the command line."""

import subprocess
import sys

from tidegate.stores import schema
from tidegate.stores.figures import Sums


def test_the_daily_sums_have_a_column_for_each_sum() -> None:
    columns = [column.name for column in schema.receipts_daily.columns]
    assert columns[-len(Sums.__struct_fields__) :] == list(Sums.__struct_fields__)


def test_who_reads_an_answer_loads_no_database() -> None:
    program = "import sys, tidegate.cli.receipts; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
