"""Gemini's embeddings: simulated, in the shape of its own API."""

import pytest
from msgspec import structs
from tests.dialects.grammar import target

from tidegate.core.ask import Usage
from tidegate.core.embeddings import Made, Wanted
from tidegate.core.outcome import Failure, Refusal
from tidegate.providers._gemini_embeddings import MOST_TEXTS, body_of, read
from tidegate.providers.gemini import Embeddings

EMBEDDER = Embeddings()
TOLD = b'{"embeddings":[{"values":[0.5,-1]},{"values":[]}],"usageMetadata":{"promptTokenCount":4}}'


def test_each_text_is_a_request_of_its_own() -> None:
    asked = body_of(Wanted(["a", "b"], 64), "models/m")
    assert [one["content"] for one in asked["requests"]] == [
        {"parts": [{"text": "a"}]},
        {"parts": [{"text": "b"}]},
    ]
    assert {one["outputDimensionality"] for one in asked["requests"]} == {64}
    assert "outputDimensionality" not in body_of(Wanted(["a"]), "models/m")["requests"][0]


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("gemini-embedding-001", b"/models/gemini-embedding-001:batchEmbedContents"),
        ("tunedModels/mine", b"/tunedModels/mine:batchEmbedContents"),
    ],
)
def test_where_it_is_sent(model: str, path: bytes) -> None:
    to = structs.replace(target(), model=model)
    assert EMBEDDER.encode(Wanted(["a"]), to).path == path


def test_more_texts_than_google_takes_are_refused_at_once() -> None:
    EMBEDDER.encode(Wanted(["a"] * MOST_TEXTS), target())
    with pytest.raises(Refusal, match="at most 100 texts") as no:
        EMBEDDER.encode(Wanted(["a"] * (MOST_TEXTS + 1)), target())
    assert no.value.param == "input"


def test_what_was_made_is_read() -> None:
    assert read(TOLD) == Made([[0.5, -1.0], []], Usage(input_tokens=4))
    assert EMBEDDER.read(b'{"embeddings":[]}') == Made([])


@pytest.mark.parametrize("told", [b"0", b"-1", b"99999999999999", b'"4"', b"[]", b"1e999"])
def test_a_count_that_cannot_be_is_none(told: bytes) -> None:
    made = read(TOLD.replace(b":4}", b":" + told + b"}"))
    assert made.usage is not None and made.usage.conflict


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"embeddings":[{"values":["a"]}]}', b'{"embeddings":' + b"[" * 9999],
)
def test_what_is_no_answer_is_malformed(body: bytes) -> None:
    with pytest.raises(Failure) as failed:
        read(body)
    assert failed.value.kind == "malformed"
