"""What each path asks for, and in whose wire."""

import pytest

from tidegate.gateway.entry import CHAT, COMPLETIONS, EMBEDDINGS, dialects, entries


@pytest.mark.parametrize(
    ("path", "entry"),
    [("chat/completions", CHAT), ("completions", COMPLETIONS), ("embeddings", EMBEDDINGS)],
)
def test_openai_s_paths_are_the_gateway_s_own(path: str, entry: object) -> None:
    found = entries(dialects())
    assert found[f"/v1/{path}".encode()] is found[f"/{path}".encode()] is entry


def test_every_dialect_is_named_as_its_file_and_shares_no_path() -> None:
    known = dialects()
    paths = [path for dialect in known.values() for path in dialect.paths]
    assert {name: dialect.name for name, dialect in known.items()} == {name: name for name in known}
    assert len(set(paths)) == len(paths)
    assert not set(paths) & set(entries({}))


def test_a_dialect_s_paths_lead_to_it() -> None:
    entry = entries(dialects())[b"/v1/messages"]
    assert (entry.endpoint, entry.content) == ("chat", "messages")
    assert entry.dialect is not None
    assert entry.dialect.name == "anthropic_messages"


def test_responses_have_their_text_in_input() -> None:
    entry = entries(dialects())[b"/v1/responses"]
    assert (entry.endpoint, entry.content, entry.starts) == ("chat", "input", b'["')
    assert entry.dialect is not None
    assert entry.dialect.name == "openai_responses"
