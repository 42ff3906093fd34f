"""What the page of suites and graders says is so."""

import re
from pathlib import Path

from msgspec.structs import fields
from tests.evals.written import suite

from tidegate.core import plugs
from tidegate.evals.promptfoo_checks import READ, SET
from tidegate.evals.promptfoo_unsupported import UNSUPPORTED
from tidegate.text.language_profiles import LANGUAGES

PAGE = (Path(__file__).resolve().parents[2] / "docs/evals.md").read_text()
_NAMES = re.compile(r"`([^`]+)`")


def rows(head: str) -> list[list[str]]:
    """The cells of the table below a head."""
    table = PAGE.partition(f"\n{head}\n")[2].partition("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


def test_the_table_lists_every_grader_with_every_option() -> None:
    told = {
        name.strip(" `"): _NAMES.findall(options)
        for name, options, _ in rows("| grader | options | says |")
    }
    made = {
        name: [field.encode_name for field in fields(plugs.load("graders", name).options)]
        for name in plugs.names("graders")
    }
    assert told == made


def test_every_type_of_promptfoos_is_told_of_where_it_belongs() -> None:
    table = [name for kinds, _ in rows("| assertion | becomes |") for name in _NAMES.findall(kinds)]
    assert sorted(table) == sorted([*READ, SET])
    section = PAGE.partition("*unsupported, not executed*")[2].partition("\n\n")[0]
    assert set(UNSUPPORTED) <= set(_NAMES.findall(section))


def test_the_suite_on_the_page_is_one(tmp_path: Path) -> None:
    [shown] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert len(suite(tmp_path, shown).cases) == 2


def test_the_page_counts_the_languages_that_there_are() -> None:
    assert f"in {len(LANGUAGES)} languages" in PAGE
