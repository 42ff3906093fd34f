"""Token figures that cannot be true are marked, never repaired."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.ask import Usage
from tidegate.providers._openai_usage import read_usage
from tidegate.providers._usage import CONFLICT, MAX_PLAUSIBLE_TOKENS


def told(prompt: object, completion: object, **more: object) -> dict[str, object]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, **more}


def test_the_classes_are_disjoint() -> None:
    usage = read_usage(
        told(
            20,
            9,
            total_tokens=29,
            prompt_tokens_details={"cached_tokens": 8, "cache_write_tokens": 2},
            completion_tokens_details={"reasoning_tokens": 4},
        ),
        wants_output=True,
    )
    assert usage == Usage(10, 8, 2, 5, 4)


def test_reasoning_beside_the_completion_is_believed_where_the_total_proves_it() -> None:
    details = {"completion_tokens_details": {"reasoning_tokens": 40}}
    beside = read_usage(told(20, 9, total_tokens=69, **details), wants_output=True)
    assert beside == Usage(20, None, None, 9, 40)
    assert read_usage(told(20, 9, total_tokens=29, **details), wants_output=True) == CONFLICT
    assert read_usage(told(20, 9, **details), wants_output=True) == CONFLICT
    within = read_usage(told(20, 49, total_tokens=69, **details), wants_output=True)
    assert within == Usage(20, None, None, 9, 40)


@pytest.mark.parametrize("name", ["prompt_cache_hit_tokens", "cached_tokens"])
def test_what_was_cached_has_other_names(name: str) -> None:
    assert read_usage(told(20, 9, **{name: 8}), wants_output=True) == Usage(12, 8, None, 9)
    assert read_usage(told(20, 9, **{name: 0}), wants_output=True) == Usage(20, 0, None, 9)
    both = told(20, 9, prompt_tokens_details={"cached_tokens": 8}, **{name: 8})
    assert read_usage(both, wants_output=True) == Usage(12, 8, None, 9)


def test_absent_is_unknown_and_0_is_data() -> None:
    assert read_usage(told(3, 1), wants_output=True) == Usage(3, None, None, 1, None)
    details = {"cached_tokens": 0}
    zero = read_usage(told(3, 1, prompt_tokens_details=details), wants_output=True)
    assert zero.cache_read_tokens == 0
    assert read_usage({"prompt_tokens": 3, "total_tokens": 3}, wants_output=False) == Usage(3)


@pytest.mark.parametrize(
    "usage",
    [
        told(-1, 1),
        told(1, -1),
        told(0, 1),
        told(MAX_PLAUSIBLE_TOKENS + 1, 1),
        told(1, 10**18),
        told(3, 1, total_tokens=5),
        told(3, 1, prompt_tokens_details={"cached_tokens": 4}),
        told(3, 1, prompt_tokens_details={"cached_tokens": -1}),
        told(3, 1, completion_tokens_details={"reasoning_tokens": 2}),
        told(3, 1, total_tokens=2, completion_tokens_details={"reasoning_tokens": -2}),
        told(3, 1, prompt_cache_hit_tokens=4),
        told(3, 1, cached_tokens=-1),
        told(3, 1, prompt_tokens_details={"audio_tokens": 4}),
        told(3, 1, completion_tokens_details={"audio_tokens": -1}),
        told("3", 1),
        told(3.5, 1),
        told(None, 1),
        told(3, None),
        {},
        [],
        "3",
        7,
    ],
)
def test_what_cannot_be_true_is_a_conflict(usage: object) -> None:
    assert read_usage(usage, wants_output=True) == CONFLICT


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_anything_at_all_is_a_usage_or_a_conflict(value: object) -> None:
    assert read_usage({"prompt_tokens": value, "completion_tokens": 1}, wants_output=True)


def test_audio_is_told_beside_the_classes() -> None:
    usage = told(
        *(10, 8),
        prompt_tokens_details={"audio_tokens": 4},
        completion_tokens_details={"audio_tokens": 3},
    )
    found = read_usage(usage, wants_output=True)
    assert (found.input_tokens, found.audio_input_tokens) == (10, 4)
    assert (found.output_tokens, found.audio_output_tokens) == (8, 3)
