"""Embeddings on Vertex AI: simulated, in the shape of its own API."""

import msgspec
import pytest
from msgspec import structs
from tests.dialects.grammar import target

from tidegate.core.ask import Usage
from tidegate.core.embeddings import Made, Wanted
from tidegate.core.outcome import Failure, Refusal
from tidegate.providers._vertex_embeddings import MOST_TEXTS, Embeddings

EMBEDDER = Embeddings()
ONE = '{"embeddings":{"statistics":{"truncated":false,"token_count":%s},"values":[0.5,-1]}}'
GEMINIS = b'{"embeddings":[{"values":[0.5,-1]}],"usageMetadata":{"promptTokenCount":4}}'


def told(*counts: str) -> bytes:
    return f'{{"predictions":[{",".join(ONE % it for it in counts)}],"metadata":{{}}}}'.encode()


@pytest.mark.parametrize("model", ["text-embedding-005", "gemini-embedding-001"])
def test_texts_are_instances_and_none_is_cut(model: str) -> None:
    to = structs.replace(target(), model=f"google/{model}")
    outgoing = EMBEDDER.encode(Wanted(["a", "b"], 64), to)
    assert outgoing.path == f"/publishers/google/models/{model}:predict".encode()
    assert msgspec.json.decode(outgoing.body) == {
        "instances": [{"content": "a"}, {"content": "b"}],
        "parameters": {"autoTruncate": False, "outputDimensionality": 64},
    }


def test_geminis_later_models_have_contents() -> None:
    to = structs.replace(target(), model="google/gemini-embedding-2")
    outgoing = EMBEDDER.encode(Wanted(["a"]), to)
    path = b"/publishers/google/models/gemini-embedding-2:batchEmbedContents"
    assert outgoing.path == path
    assert msgspec.json.decode(outgoing.body) == {
        "requests": [
            {
                "content": {"parts": [{"text": "a"}]},
                "embedContentConfig": {"autoTruncate": False},
            }
        ]
    }


def test_more_texts_than_google_takes_are_refused_at_once() -> None:
    EMBEDDER.encode(Wanted(["a"] * MOST_TEXTS), target())
    with pytest.raises(Refusal, match="at most 250"):
        EMBEDDER.encode(Wanted(["a"] * (MOST_TEXTS + 1)), target())


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        (told("3.0", "4"), Usage(input_tokens=7)),
        (told("3", "null"), None),
        (told("-3", "9"), Usage(conflict=True)),
        (told("0"), Usage(conflict=True)),
        (told("1e30"), Usage(conflict=True)),
        (told("2.5"), Usage(conflict=True)),
        (GEMINIS, Usage(input_tokens=4)),
    ],
)
def test_what_was_made_and_how_many_tokens_it_took(body: bytes, tokens: Usage | None) -> None:
    made = EMBEDDER.read(body)
    assert made == Made([[0.5, -1.0]] * len(made.vectors), tokens)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"predictions":[{}]}', b'{"predictions":7}'])
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(Failure) as no:
        EMBEDDER.read(body)
    assert no.value.kind == "malformed"
