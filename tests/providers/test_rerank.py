"""Rankings in wires of their own: what is asked of them, and their answers in the one shape."""

from typing import Any

import msgspec
import pytest
from msgspec import structs
from tests.providers.media_asks import TARGET, asked, form_asked, ranked

from tidegate.core.ask import Usage
from tidegate.core.outcome import Failure, Refusal
from tidegate.core.plan import Replica
from tidegate.providers._media import Media
from tidegate.providers._rerank import (
    CohereRanking,
    DataRanking,
    ListRanking,
    NimRanking,
    as_tei,
    as_voyage,
    of_data,
    of_list,
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


def test_nvidia_has_words_of_its_own_and_a_host_for_hosted_rankings() -> None:
    asked_of = ranked("a", {"text": "b"}, top_n=1, truncate="END", odd=1)
    nim = NimRanking()
    out = nim.encode(asked_of, TARGET)
    assert out.path == b"/ranking"
    assert decode(out.body) == {
        "model": "their-model",
        "query": {"text": "q"},
        "passages": [{"text": "a"}, {"text": "b"}],
        "truncate": "END",
    }
    hosted = Replica("r", "https", "ai.api.nvidia.com", 443, "/v1")
    target = structs.replace(TARGET, model="nvidia/llama-3.2-rank", replicas=(hosted,))
    path = nim.encode(asked_of, target).path
    assert path == b"/retrieval/nvidia/llama-3_2-rank/reranking"
    told = {"rankings": [{"index": 1, "logit": -1.5}, {"index": 0, "logit": 2.5}]}
    told["usage"] = {"prompt_tokens": 9, "total_tokens": 9}
    answer = nim.read_answer(asked_of, msgspec.json.encode(told))
    assert answer.usage == Usage(9) and answer.shown is not None
    assert decode(answer.shown)["results"] == [{"index": 0, "relevance_score": 2.5}]


@pytest.mark.parametrize("plug", [CohereRanking(), DataRanking(), ListRanking()])
def test_what_is_no_ranking_passes_as_it_is(plug: Media) -> None:
    out = plug.encode(form_asked("transcriptions"), TARGET)
    assert out.path == b"/audio/transcriptions" and b"their-model" in out.body
    assert plug.read_answer(asked("transcriptions"), b'{"text":"hi"}').shown is None


def test_nobody_gets_more_than_was_asked_for_and_an_odd_number_is_none() -> None:
    told = msgspec.json.encode([{"index": at, "score": at} for at in range(3)])
    for top_n, count in ((1, 1), (None, 3), (0, 3), (-1, 3), ("2", 3), (9, 3)):
        shown = of_list(ranked("a", "b", "c", top_n=top_n), told).shown
        assert shown is not None and len(decode(shown)["results"]) == count


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
    answer = of_list(ASKED, msgspec.json.encode(told))
    assert answer.shown is not None and answer.usage is None
    best = {"index": 1, "relevance_score": 0.9, "document": {"text": "b"}}
    assert decode(answer.shown) == {"results": [best]}
    listed = {"object": "list", "model": "v", "usage": {"total_tokens": 5}}
    listed["data"] = [{"index": 1, "relevance_score": 0.9, "document": "b"}]
    answer = of_data(ASKED, msgspec.json.encode(listed))
    assert answer.usage == Usage(5) and answer.model_served == "v" and answer.shown is not None
    assert decode(answer.shown)["results"] == [best]


@pytest.mark.parametrize(
    "rows",
    [[], [{"index": 2, "score": 1.0}], [{"index": 0}], [{"index": 0, "score": 1.0}] * 2, 5],
)
def test_a_ranking_of_something_else_is_none(rows: Any) -> None:
    for read, body in ((of_list, rows), (of_data, {"data": rows})):
        with pytest.raises(Failure) as failed:
            read(ASKED, msgspec.json.encode(body))
        assert failed.value.kind == "malformed"
