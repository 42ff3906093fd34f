"""Every column of LiteLLM's tables is read, says nothing, or is told of."""

import re

from tests.e2e.litellm_house import RECORDED

from tidegate.config.litellm_columns import READ, say_left, text_of
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


def test_names_are_printable_and_not_too_long() -> None:
    assert text_of("a\x1b[2Jb", 100) == "a?[2Jb"
    assert text_of("x" * 200, 100) == "x" * 100
    assert text_of("", 100) == "unnamed"
