"""Every column of LiteLLM's tables is read, says nothing, or is told of."""

import re

import pytest
from tests.config.litellm_rig import FOLDER
from tests.e2e.litellm_house import RECORDED

from tidegate.config.litellm_columns import (
    OF_BUDGET,
    READ,
    say_left,
    say_left_of_budget,
    say_left_table,
    text_of,
)
from tidegate.config.moving import Findings
from tidegate.stores.litellm_tables import TABLES


def columns(table: str) -> list[str]:
    """As LiteLLM's own migrations made them."""
    text = RECORDED.read_text()
    (body,) = re.findall(rf'CREATE TABLE public\."{TABLES[table]}" \((.*?)\n\);', text, re.DOTALL)
    return re.findall(r"^    (\w+) ", body, re.MULTILINE)


def test_what_is_read_is_there_and_what_is_left_is_told_of() -> None:
    for table, read in READ.items():
        there = set(columns(table))
        assert read <= there
        found = Findings()
        say_left(table, dict.fromkeys(there, "something"), found)
        told = {it.theirs.removeprefix(f"{table}.") for it in found.all()}
        assert told <= there - read
        assert all(it.said for it in found.all())


def test_what_restricts_is_not_among_what_says_nothing() -> None:
    found = Findings()
    row = {"blocked": True, "allowed_model_region": "eu", "alias": "x", "models": []}
    say_left("end_users", row, found)
    assert {it.theirs for it in found.all()} == {
        "end_users.blocked",
        "end_users.allowed_model_region",
    }


def newest() -> dict[str, list[str]]:
    """The columns of every table of LiteLLM 1.109.1, of its schema.prisma."""
    lines = (FOLDER / "tables.txt").read_text().splitlines()
    return {name: columns.split() for name, _, columns in (it.partition(":") for it in lines)}


@pytest.mark.parametrize("ours", sorted(READ))
def test_each_column_of_the_newest_tables_is_read_harmless_or_told_what_to_do(ours: str) -> None:
    there = newest()[TABLES[ours]]
    assert READ[ours] <= set(there)
    found = Findings()
    say_left(ours, dict.fromkeys(there, "something"), found)
    assert "nothing here does that" not in {it.said for it in found.all()}
    say_left_of_budget("keys", dict.fromkeys(newest()[TABLES["budgets"]], 1), OF_BUDGET, found)
    assert "nothing here does that" not in {it.said for it in found.all()}


def test_each_other_table_is_history_or_told_what_to_do() -> None:
    found = Findings()
    for name in newest().keys() - {*TABLES.values()}:
        say_left_table(name, found)
    told = {it.theirs: it.said for it in found.all()}
    assert "nothing here does that" not in told.values()
    assert "the table LiteLLM_AccessGroupTable" in told
    assert "the table LiteLLM_DailyUserSpend" not in told
    say_left_table("LiteLLM_OfTomorrow", found)
    assert found.all()[-1].said == "nothing here does that"


def test_names_are_printable_and_not_too_long() -> None:
    assert text_of("a\x1b[2Jb", 100) == "a?[2Jb"
    assert text_of("x" * 200, 100) == "x" * 100
    assert text_of("", 100) == "unnamed"
