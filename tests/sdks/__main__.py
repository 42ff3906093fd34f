"""Write the tables into docs/providers.md: `python -m tests.sdks`."""

from tests.sdks.page import PAGE, with_tables

PAGE.write_text(with_tables(PAGE.read_text()))
