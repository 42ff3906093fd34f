"""docs/providers.md says what the tests hold, and of every provider how to declare it."""

import pytest
from tests.providers.chatting import CHATTING
from tests.sdks.matrix import PROVIDERS, kind
from tests.sdks.page import BEGIN, PAGE, with_tables


def test_the_tables_are_those_of_today() -> None:
    page = PAGE.read_text()
    assert with_tables(page) == page, "python -m tests.sdks writes them anew"
    with pytest.raises(ValueError, match="has no"):
        with_tables(page.replace(BEGIN, ""))


def test_every_provider_is_in_the_tables_and_has_a_section() -> None:
    """`sim` is no provider of anybody's, `any_llm` many: both stand on pages of their own."""
    assert {*map(kind, PROVIDERS), "any_llm", "sim"} == set(CHATTING)
    page = PAGE.read_text()
    for name in map(kind, PROVIDERS):
        assert f"\n## `{name}`\n" in page
        assert f"kind: {name}" in page or f"\n  {name}:" in page
