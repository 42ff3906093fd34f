"""The plug `jina`: what it serves, and where."""

from tests.providers.media_asks import TARGET, asked, ranked

from tidegate.providers.jina import plug


def test_it_embeds_and_ranks() -> None:
    assert plug.endpoints == {"embeddings", "rerank"}
    out = plug.passthrough["media"].encode(ranked("a"), TARGET)
    assert out.path == b"/rerank" and b'"a"' in out.body
    embedded = plug.encode(asked("embeddings", {"input": "a"}), TARGET)
    assert embedded.path == b"/embeddings"
