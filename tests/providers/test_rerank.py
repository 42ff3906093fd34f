"""Rankings in wires of their own: what is asked of them, and their answers in the one shape."""

from typing import Any

import msgspec
import pytest
from tests.providers.media_asks import TARGET, ranked

from tidegate.core.ask import Usage
from tidegate.core.outcome import Failure, Refusal
from tidegate.providers._rerank import (
    CohereRanking,
    as_tei,
    as_voyage,
    of_tei,
    of_voyage,
    read_wanted,
)

decode = msgspec.json.decode
ASKED = ranked("a", {"text": "b"}, top_n=1, return_documents=True)


def test_what_is_asked_in_each_wire() -> None:
    assert decode(as_voyage(ASKED, TARGET)) == {
        "model": "their-model",
        "query": "q",
        "documents": ["a", "b"],
        "top_k": 1,
        "return_documents": True,
    }
    assert decode(as_tei(ASKED)) == {"query": "q", "texts": ["a", "b"], "return_text": True}
    out = CohereRanking().encode(ranked("a", top_n=1, odd=1), TARGET)
    assert out.path == b"/rerank"
    assert decode(out.body) == {
        "model": "their-model",
        "query": "q",
        "documents": ["a"],
        "top_n": 1,
    }


@pytest.mark.parametrize("document", [{"image": "x"}, {"text": 5}, 7])
def test_what_is_no_text_is_refused_by_name(document: Any) -> None:
    with pytest.raises(Refusal) as refused:
        read_wanted(ranked("a", document))
    assert refused.value.param == "documents"


def test_a_query_that_is_no_text_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        read_wanted(ranked("a", query={"image": "x"}))
    assert refused.value.param == "query"


def test_answers_are_in_the_one_shape_the_most_relevant_first() -> None:
    told = [{"index": 0, "score": 0.1, "text": "a"}, {"index": 1, "score": 0.9, "text": "b"}]
    answer = of_tei(ASKED, msgspec.json.encode(told))
    assert answer.shown is not None and answer.usage is None
    best = {"index": 1, "relevance_score": 0.9, "document": {"text": "b"}}
    assert decode(answer.shown) == {"results": [best]}
    listed = {"object": "list", "model": "v", "usage": {"total_tokens": 5}}
    listed["data"] = [{"index": 1, "relevance_score": 0.9, "document": "b"}]
    answer = of_voyage(ASKED, msgspec.json.encode(listed))
    assert answer.usage == Usage(5) and answer.model_served == "v" and answer.shown is not None
    assert decode(answer.shown)["results"] == [best]


@pytest.mark.parametrize(
    "rows",
    [[], [{"index": 2, "score": 1.0}], [{"index": 0}], [{"index": 0, "score": 1.0}] * 2, 5],
)
def test_a_ranking_of_something_else_is_none(rows: Any) -> None:
    for read, body in ((of_tei, rows), (of_voyage, {"data": rows})):
        with pytest.raises(Failure) as failed:
            read(ASKED, msgspec.json.encode(body))
        assert failed.value.kind == "malformed"
