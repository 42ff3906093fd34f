"""docs/providers.md says what the tests hold, and of every provider how to declare it."""

import pytest
from tests.providers.chatting import CHATTING
from tests.providers.test_family import KNOWN
from tests.sdks.matrix import PROVIDERS
from tests.sdks.page import BEGIN, PAGE, with_tables

from tidegate.core import plugs


def test_the_tables_are_those_of_today() -> None:
    page = PAGE.read_text()
    assert with_tables(page) == page, "python -m tests.sdks writes them anew"
    with pytest.raises(ValueError, match="has no"):
        with_tables(page.replace(BEGIN, ""))


def test_every_provider_is_in_the_tables_and_has_a_section() -> None:
    """`sim` is no provider of anybody's: it stands on a page of its own."""
    page = PAGE.read_text()
    family = {name for name in KNOWN if f"\n| `{name}` | " in page.partition("## The family")[2]}
    assert {*PROVIDERS, *family, "sim"} == set(CHATTING)
    for name in family - {*PROVIDERS, "sim"}:
        url = KNOWN[name][0] or f"yours: `{plugs.load('providers', name).address_form}"
        assert f"| `{name}` | {url if url.startswith('yours') else f'`{url}'}` | " in page
    for name in PROVIDERS:
        assert f"\n## `{name}`\n" in page
        assert f"kind: {name}" in page or f"\n  {name}:" in page
