"""Vectors have the same key where they are the same vector to the same people, and nowhere else."""

from itertools import combinations
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace
from tests.gateway.rig import target

from tidegate.core.ask import Ask
from tidegate.core.cache import EmbeddingsCache, RouteCache
from tidegate.core.plan import Release, Route, Share
from tidegate.core.receipt import Receipt
from tidegate.gateway.vector_key import MOST_ITEMS, Items, prepare_vectors, read_items

ROUTE = Route("r", Release("r@1", target(1)), cache=RouteCache(embeddings=EmbeddingsCache()))
RECEIPT = Receipt("1", 1.0, "g", "embeddings", key_id="k", team="t", customer="c")


def ask(**members: Any) -> Ask:
    raw = {name: Raw(msgspec.json.encode(value)) for name, value in members.items()}
    return Ask("embeddings", b"", raw, "r")


def read(**members: Any) -> Items | None:
    return read_items(ask(**{"model": "r", **members}), hears_users=False)


def keys(
    route: Route = ROUTE, receipt: Receipt = RECEIPT, namespace: str = "", **members: Any
) -> Any:
    ready = prepare_vectors(route)
    assert ready is not None
    found = read(**{"input": "a", **members})
    assert found is not None
    return [key for one in ready.keys(found, receipt, namespace).values() for key in one]


def test_everything_by_which_a_vector_may_differ_is_in_its_key() -> None:
    assert ROUTE.cache is not None
    of_key = replace(ROUTE, cache=RouteCache(embeddings=EmbeddingsCache(scope="key")))
    of_all = replace(ROUTE, cache=RouteCache(embeddings=EmbeddingsCache(scope="route")))
    found = [
        keys(),
        keys(namespace="n"),
        keys(input="b"),
        keys(input=[97]),
        keys(input="[97]"),
        keys(dimensions=2),
        keys(input_type="query"),
        keys(odd=None),
        keys(odd=1, encoding_format="base64"),
        keys(odd=1),
        keys(receipt=replace(RECEIPT, team="tc", customer="")),
        keys(receipt=replace(RECEIPT, customer=None)),
        keys(receipt=replace(RECEIPT, team="")),
        keys(of_key),
        keys(of_key, replace(RECEIPT, key_id="other")),
        keys(of_all),
        keys(replace(ROUTE, name="other")),
        keys(replace(ROUTE, release=replace(ROUTE.release, name="r@2"))),
        keys(replace(ROUTE, release=Release("r@1", target(1, "other")))),
        keys(replace(ROUTE, release=Release("r@1", target(1, model="m2")))),
        keys(replace(ROUTE, release=Release("r@1", target(1, dialect="openai")))),
        keys(replace(ROUTE, parameters=(("dimensions", "2"),))),
    ]
    for one, other in combinations(found, 2):
        assert one != other


def test_what_makes_no_difference_is_not() -> None:
    for same in (
        {"encoding_format": "base64"},
        {"encoding_format": None},
        {"user": "somebody"},
        {"dimensions": None},
        {"model": "alias"},
        {"input": ["a"]},
        {"input": ["a", "a"]},
    ):
        assert keys(**same) == keys(), same
    assert keys(receipt=replace(RECEIPT, key_id="other")) == keys()
    assert keys(dimensions=2.0) == keys(dimensions=2)


def test_each_target_has_keys_of_its_own() -> None:
    several = replace(ROUTE.release, others=(Share(target(1, "b"), 1.0),))
    both = keys(replace(ROUTE, release=several))
    assert len(set(both)) == 2


def test_an_unknown_server_may_hear_of_users() -> None:
    said = ask(input="a", user="u")
    heard, unheard = read_items(said, hears_users=True), read_items(said, hears_users=False)
    assert heard is not None and unheard is not None
    assert (heard.rest, unheard.rest) == (b'{"user":"u"}', b"{}")


items = st.one_of(
    st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=9),
    st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=3), min_size=1, max_size=9),
)


@given(items)
def test_a_batch_is_the_different_ones_at_their_places(said: list[Any]) -> None:
    found = read(input=said)
    assert found is not None
    assert [found.items[place] for place in found.places] == said
    assert len({msgspec.json.encode(it) for it in found.items}) == len(found.items)


@pytest.mark.parametrize(
    "said",
    [
        [],
        "",
        [""],
        [[]],
        ["a", 1],
        [1, "a"],
        [[1], "a"],
        [[1], 2],
        [1.5],
        [[1.5]],
        [True],
        [None],
        {"a": 1},
        ["a"] * (MOST_ITEMS + 1),
        [["a"]],
    ],
    ids=range(15),
)
def test_items_that_cannot_be_told_apart_are_nobody_s_business(said: Any) -> None:
    assert read(input=said) is None


def test_nor_are_numbers_beyond_all_bounds() -> None:
    said = ask(input="a")
    said.members["input"] = Raw(b"[%d]" % (2**70))
    assert read_items(said, hears_users=False) is None


def test_a_text_s_tokens_are_one_item() -> None:
    found = read(input=[1, 2, 3])
    assert found is not None
    assert (found.items, found.places) == ([[1, 2, 3]], [0])


def test_what_is_said_twice_is_not_looked_for() -> None:
    said = ask(input="a")
    said.members["odd"] = Raw(b'{"a":1,"a":2}')
    assert read_items(said, hears_users=False) is None
    said.members["odd"] = Raw(b'{"a":1,"b":{"a":2}}')
    assert read_items(said, hears_users=False) is not None


def test_a_route_without_it_has_none() -> None:
    assert prepare_vectors(replace(ROUTE, cache=None)) is None
    assert prepare_vectors(replace(ROUTE, cache=RouteCache())) is None
