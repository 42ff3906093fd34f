"""Cohere's two ways of counting, as disjoint classes."""

import msgspec
import pytest
from msgspec import Raw

from tidegate.core.ask import Usage
from tidegate.providers._cohere_usage import read_usage


def read(told: object, wants_output: bool = True) -> Usage | None:
    return read_usage(Raw(msgspec.json.encode(told)), wants_output=wants_output)


BILLED = {"input_tokens": 19, "output_tokens": 7.0}
TOKENS = {"input_tokens": 240.0, "output_tokens": 9}


def test_what_is_billed_counts_before_what_was_read() -> None:
    assert read({"billed_units": BILLED, "tokens": TOKENS}) == Usage(19, None, None, 7)
    assert read({"tokens": TOKENS}) == Usage(240, None, None, 9)
    assert read({"billed_units": BILLED, "cached_tokens": 8}) == Usage(11, 8, None, 7)
    assert read({"billed_units": BILLED, "cached_tokens": 0}) == Usage(19, 0, None, 7)


def test_what_was_cached_of_the_template_is_no_part_of_what_is_billed() -> None:
    told = {"billed_units": BILLED, "tokens": TOKENS, "cached_tokens": 230}
    assert read(told) == Usage(19, None, None, 7)


@pytest.mark.parametrize("told", [None, {}, {"billed_units": None}, {"cached_tokens": 4}])
def test_untold_is_unknown(told: object) -> None:
    assert read(told) is None


@pytest.mark.parametrize(
    "told",
    [
        7,
        {"billed_units": {"input_tokens": 3}},
        {"billed_units": {"input_tokens": 0, "output_tokens": 3}},
        {"billed_units": {"input_tokens": 3.5, "output_tokens": 3}},
        {"billed_units": {"input_tokens": "3", "output_tokens": 3}},
        {"billed_units": {"input_tokens": True, "output_tokens": 3}},
        {"billed_units": {"input_tokens": 3, "output_tokens": -1}},
        {"billed_units": {"input_tokens": 3, "output_tokens": 1e30}},
        {"billed_units": BILLED, "tokens": TOKENS, "cached_tokens": 241},
    ],
)
def test_what_cannot_be_is_marked(told: object) -> None:
    usage = read(told)
    assert usage is not None and usage.conflict


def test_embeddings_have_no_output() -> None:
    told = {"billed_units": {"input_tokens": 3}}
    assert read(told, wants_output=False) == Usage(3)
