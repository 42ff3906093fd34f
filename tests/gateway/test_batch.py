"""What is asked of each target, and what is made of its answer."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from tidegate.core.ask import Answer, Ask
from tidegate.core.cache import EmbeddingsCache
from tidegate.core.kept_answer import Found, KeptAnswer
from tidegate.core.outcome import Failure
from tidegate.core.receipt import Receipt
from tidegate.gateway.batch import Batch, agreeing, rows_of
from tidegate.gateway.vector_form import to_keep
from tidegate.gateway.vector_key import read_items

INPUT = ["a", "b", "a", "c"]


def kept(
    number: float, model: str | None = "m", made_at_s: float = 1.0, body: bytes = b""
) -> Found:
    body = to_keep(body or b"[%f]" % number) or body
    return Found(KeptAnswer("r", made_at_s, 9.0, "t", False, body, model_served=model), 1.0, {})


def batch(found: dict[int, Found]) -> tuple[Batch, Ask]:
    members = {"input": Raw(msgspec.json.encode(INPUT)), "model": Raw(b'"m"')}
    ask = Ask("embeddings", msgspec.json.encode(members), members, "m")
    asked = read_items(ask, hears_users=False)
    assert asked is not None
    made = Batch(EmbeddingsCache(), asked, {}, "r", True, 1.0, members, {"t": found})
    return made, ask


def came(*numbers: float) -> bytes:
    rows = [{"index": index, "embedding": [number]} for index, number in enumerate(numbers)]
    return msgspec.json.encode({"data": rows, "usage": {"prompt_tokens": 1}})


def joined(it: Batch, body: bytes, model: str | None = "m") -> tuple[list[Any], Receipt]:
    receipt = Receipt("1", 1.0, "g", "embeddings")
    found = it.join(body, Answer(None, None, model, None, b""), receipt)
    return [row["embedding"][0] for row in msgspec.json.decode(found)["data"]], receipt


def test_a_target_is_asked_for_what_is_not_kept_of_it() -> None:
    it, ask = batch({1: kept(2)})
    it.aim(ask, "t")
    assert msgspec.json.decode(ask.body) == {"input": ["a", "c"], "model": "m"}
    assert joined(it, came(1, 3))[0] == [1, 2, 1, 3]
    it.aim(ask, "other")
    assert msgspec.json.decode(ask.members["input"]) == ["a", "b", "c"]
    found, receipt = joined(it, came(1, 5, 3))
    assert (found, receipt.cache, receipt.cache_item_hits) == ([1, 5, 1, 3], "miss", 0)
    it.whole = True
    it.aim(ask, "t")
    assert msgspec.json.decode(ask.members["input"]) == ["a", "b", "c"]


@pytest.mark.parametrize("model", ["m2", None])
def test_another_model_s_vectors_are_not_joined(model: str | None) -> None:
    it, ask = batch({1: kept(2)})
    it.aim(ask, "t")
    joined(it, came(1, 3), model)
    assert it.mixed


def test_nor_those_of_another_length() -> None:
    it, ask = batch({1: kept(2, body=b"[1.0,2.0]")})
    it.aim(ask, "t")
    joined(it, came(1, 3))
    assert it.mixed


@pytest.mark.parametrize("numbers", [(), (1,), (1, 2, 3)])
def test_another_number_of_vectors_is_a_failure(numbers: Any) -> None:
    it, ask = batch({1: kept(2)})
    it.aim(ask, "t")
    with pytest.raises(Failure, match="another number"):
        joined(it, came(*numbers))


def test_what_is_kept_goes_with_the_newest() -> None:
    old, new = kept(1, "m1", 1.0), kept(2, "m2", 2.0)
    assert agreeing({0: old, 1: new, 2: old}) == {1: new}
    longer = kept(1, "m2", 3.0, b"[1.0,2.0]")
    assert agreeing({0: old, 1: new, 3: longer}) == {3: longer}
    damaged = kept(1, "m2", 9.0, b"fabc")
    assert agreeing({0: old, 1: damaged}) == {0: old}
    assert agreeing({1: damaged}) == {}


def test_what_was_saved_is_known_or_is_not() -> None:
    it, _ = batch({})
    receipt = Receipt("1", 1.0, "g", "embeddings")
    known, unknown = kept(1), kept(1)
    known.answer = msgspec.structs.replace(known.answer, cost_nanousd=7)
    it.note(receipt, {0: known})
    assert (receipt.cache, receipt.cache_item_hits, receipt.saved_nanousd) == ("partial", 2, 14)
    it.note(receipt, {0: known, 1: unknown})
    assert (receipt.cache_item_hits, receipt.saved_nanousd) == (3, None)
    it.note(receipt, {0: known, 1: known, 2: known})
    assert (receipt.cache, receipt.saved_nanousd) == ("hit", 28)
    it.note(receipt, {})
    assert (receipt.cache, receipt.cache_tier, receipt.saved_nanousd) == ("miss", None, None)


@given(st.permutations(range(5)))
def test_rows_are_read_by_their_index(order: list[int]) -> None:
    rows = [{"index": index, "embedding": index} for index in order]
    body = msgspec.json.encode({"data": rows})
    assert rows_of(body, 5) == [Raw(b"%d" % index) for index in range(5)]


@pytest.mark.parametrize(
    "rows",
    [
        [{"index": 0, "embedding": 1}] * 2,
        [{"index": 0, "embedding": 1}, {"index": 2, "embedding": 1}],
        [{"index": 0, "embedding": 1}, {"embedding": 1}],
        [{"index": 0}, {"index": 1}],
        [{"index": "0", "embedding": 1}] * 2,
        "rows",
    ],
    ids=range(6),
)
def test_rows_that_nobody_can_place_are_none(rows: Any) -> None:
    assert rows_of(msgspec.json.encode({"data": rows}), 2) is None


def test_rows_without_an_index_come_in_order() -> None:
    body = msgspec.json.encode({"data": [{"embedding": 1}, {"embedding": 2}]})
    assert rows_of(body, 2) == [Raw(b"1"), Raw(b"2")]
