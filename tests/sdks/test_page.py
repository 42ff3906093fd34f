"""docs/providers.md says what the tests hold, and of every provider how to declare it."""

import pytest
from tests.providers.chatting import CHATTING
from tests.providers.family import SERVED
from tests.providers.test_family import KNOWN
from tests.sdks.matrix import PROVIDERS, kind
from tests.sdks.page import BEGIN, PAGE, with_tables

from tidegate.core import plugs
from tidegate.core.receipt import METERED
from tidegate.providers._media import PATHS


def test_the_tables_are_those_of_today() -> None:
    page = PAGE.read_text()
    assert with_tables(page) == page, "python -m tests.sdks writes them anew"
    with pytest.raises(ValueError, match="has no"):
        with_tables(page.replace(BEGIN, ""))


def test_the_page_of_what_is_no_chat_names_who_serves_it() -> None:
    """Not those of which nothing is known, nor the house's own engine."""
    page = (PAGE.parent / "media.md").read_text()
    theirs = {n: it for n, it in SERVED.items() if not it >= METERED}
    for endpoint in METERED:
        paths = f"`/v1{PATHS[endpoint].decode()}`"
        row = next(line for line in page.splitlines() if line.startswith("| ") and paths in line)
        named = ", ".join(f"`{name}`" for name, served in theirs.items() if endpoint in served)
        assert row.endswith(f" | {named} |"), named


def test_every_provider_is_in_the_tables_and_has_a_section() -> None:
    """`sim` is no provider of anybody's, `any_llm` many: both stand on pages of their own."""
    page = PAGE.read_text()
    family = {name for name in KNOWN if f"\n| `{name}` | " in page.partition("## The family")[2]}
    assert {*map(kind, PROVIDERS), *family, "any_llm", "sim"} == set(CHATTING)
    for name in family - {*PROVIDERS, "sim"}:
        url = KNOWN[name][0] or f"yours: `{plugs.load('providers', name).address_form}"
        assert f"| `{name}` | {url if url.startswith('yours') else f'`{url}'}` | " in page
    for name in map(kind, PROVIDERS):
        assert f"\n## `{name}`\n" in page
        assert f"kind: {name}" in page or f"\n  {name}:" in page
