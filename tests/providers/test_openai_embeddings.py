"""Embeddings in OpenAI's shape, of providers whose chat is another."""

import msgspec
import pytest
from tests.dialects.grammar import target

from tidegate.core.ask import Usage
from tidegate.core.embeddings import Made, Wanted
from tidegate.core.outcome import Failure
from tidegate.providers._openai_embeddings import OpenAIEmbeddings

EMBEDDER = OpenAIEmbeddings("output_dimension")
ROWS = '{"data":[{"index":1,"embedding":[]},{"index":0,"embedding":[0.5,-1]}],"model":"served"'


def test_what_is_asked() -> None:
    sent = EMBEDDER.encode(Wanted(["a", "b"], 64), target())
    assert sent.path == b"/embeddings"
    asked = {"model": "their-model", "input": ["a", "b"], "output_dimension": 64}
    assert msgspec.json.decode(sent.body) == asked
    assert b"dimension" not in OpenAIEmbeddings().encode(Wanted(["a"]), target()).body
    assert b'"dimensions":3' in OpenAIEmbeddings().encode(Wanted(["a"], 3), target()).body


def test_what_was_made_is_read_in_its_order() -> None:
    told = f'{ROWS},"usage":{{"prompt_tokens":4,"total_tokens":4}}}}'.encode()
    assert EMBEDDER.read(told) == Made([[0.5, -1.0], []], Usage(input_tokens=4), "served")
    assert EMBEDDER.read(f"{ROWS}}}".encode()).usage is None


@pytest.mark.parametrize("usage", ["7", "{}", '{"prompt_tokens":-4}', "1e999"])
def test_a_count_that_cannot_be_is_none(usage: str) -> None:
    made = EMBEDDER.read(f'{ROWS},"usage":{usage}}}'.encode())
    assert made.usage is not None and made.usage.conflict


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"data":[{"index":1,"embedding":[1]}]}', b'{"data":' + b"[" * 9999],
)
def test_what_is_none_is_malformed(body: bytes) -> None:
    with pytest.raises(Failure) as failed:
        EMBEDDER.read(body)
    assert failed.value.kind == "malformed"
