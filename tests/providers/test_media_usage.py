"""Tokens, seconds, and figures that nobody can believe."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.ask import Units, Usage
from tidegate.providers._media_usage import read_media_usage, seconds

CONFLICT = (Usage(conflict=True), Units())


def test_engines_names_and_a_total_alone() -> None:
    told = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    assert read_media_usage(told, wants_output=True) == (Usage(5, output_tokens=2), Units())
    assert read_media_usage({"total_tokens": 7}, wants_output=False) == (Usage(7), Units())
    assert read_media_usage(None, wants_output=True) is None


def test_mistral_tells_audio_by_its_seconds_and_the_total() -> None:
    told = {"prompt_tokens": 4, "completion_tokens": 635, "total_tokens": 3264}
    found = read_media_usage({**told, "prompt_audio_seconds": 203}, wants_output=True)
    heard = Usage(2629, output_tokens=635, audio_input_tokens=2625)
    assert found == (heard, Units(audio_s=203.0))
    assert read_media_usage(told, wants_output=True) == CONFLICT
    odd = {**told, "prompt_tokens": -4, "prompt_audio_seconds": 203}
    assert read_media_usage(odd, wants_output=True) == (Usage(conflict=True), Units(audio_s=203.0))
    ranked = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 815}
    assert read_media_usage(ranked, wants_output=False) == (Usage(815), Units())


@pytest.mark.parametrize(
    "told",
    [
        {},
        [],
        "many",
        {"input_tokens": 0, "output_tokens": 0},
        {"input_tokens": -1, "output_tokens": 1},
        {"input_tokens": 10**12, "output_tokens": 1},
        {"input_tokens": 1, "output_tokens": 1, "total_tokens": 3},
        {"input_tokens": 1},
        {"input_tokens": 1.5, "output_tokens": 1},
        {"input_tokens": 5, "output_tokens": 1, "input_tokens_details": {"image_tokens": 6}},
        {"input_tokens": 5, "output_tokens": 1, "output_tokens_details": {"image_tokens": -1}},
    ],
)
def test_figures_that_cannot_be_true_are_marked(told: Any) -> None:
    assert read_media_usage(told, wants_output=True) == CONFLICT


@pytest.mark.parametrize(
    "told", ["x", "1e999", None, True, 0, -1, 1e9, 10**400, float("nan"), float("inf"), [1]]
)
def test_a_length_that_nobody_can_believe_is_unknown(told: Any) -> None:
    assert seconds(told) is None
    found = read_media_usage({"type": "duration", "seconds": told}, wants_output=True)
    assert found == (None, Units())


NAMES = st.sampled_from(
    [
        *("input_tokens", "output_tokens", "total_tokens", "seconds", "type"),
        *("input_token_details", "audio_tokens", "image_tokens", "prompt_tokens"),
    ]
)
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=6,
)


@given(st.dictionaries(NAMES, JSON, max_size=6), st.booleans())
def test_nothing_is_made_up(told: Any, wants_output: bool) -> None:
    found = read_media_usage(told, wants_output=wants_output)
    assert found is not None
    usage, units = found
    assert units.audio_s is None or 0 < units.audio_s <= 259_200
    if usage is not None and not usage.conflict:
        assert usage.input_tokens is not None and 0 < usage.input_tokens <= 10**8
        assert (usage.output_tokens is not None) == wants_output
