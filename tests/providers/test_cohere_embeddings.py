"""Cohere's embeddings."""

import msgspec
import pytest
from tests.dialects.grammar import target

from tidegate.core.ask import Usage
from tidegate.core.embeddings import Made, Wanted
from tidegate.core.outcome import Failure, Refusal
from tidegate.providers._cohere_embeddings import MOST_TEXTS, CohereEmbeddings

EMBEDDER = CohereEmbeddings()


def test_what_is_asked() -> None:
    sent = EMBEDDER.encode(Wanted(["a", "b"], 256), target())
    assert sent.path == b"/embed"
    assert msgspec.json.decode(sent.body) == {
        "model": "their-model",
        "texts": ["a", "b"],
        "input_type": "search_document",
        "embedding_types": ["float"],
        "output_dimension": 256,
    }


def test_more_texts_than_cohere_takes_are_refused_at_once() -> None:
    EMBEDDER.encode(Wanted(["a"] * MOST_TEXTS), target())
    with pytest.raises(Refusal, match="at most 96 texts") as no:
        EMBEDDER.encode(Wanted(["a"] * (MOST_TEXTS + 1)), target())
    assert no.value.param == "input"


def test_what_was_made_is_read() -> None:
    told = b'{"embeddings":{"float":[[0.5,-1],[]]},"meta":{"billed_units":{"input_tokens":4}}}'
    assert EMBEDDER.read(told) == Made([[0.5, -1.0], []], Usage(input_tokens=4))
    assert EMBEDDER.read(b'{"embeddings":{"float":[]}}') == Made([])


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"embeddings":[[1]]}', b'{"embeddings":{"int8":[]}}']
)
def test_what_is_none_is_malformed(body: bytes) -> None:
    with pytest.raises(Failure) as failed:
        EMBEDDER.read(body)
    assert failed.value.kind == "malformed"
