"""Gemini's figures in disjoint classes; those that cannot be true are marked, never repaired."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from tidegate.core.ask import Usage
from tidegate.providers._gemini_usage import final, read_usage
from tidegate.providers._usage import CONFLICT, MAX_PLAUSIBLE_TOKENS


def told(**counts: Any) -> Raw:
    members = {f"{name}TokenCount": count for name, count in counts.items()}
    return Raw(msgspec.json.encode(members))


def test_the_classes_are_disjoint() -> None:
    usage = told(
        prompt=100, cachedContent=40, candidates=20, thoughts=30, toolUsePrompt=5, total=155
    )
    assert read_usage(usage, wrote=True) == Usage(65, 40, None, 20, 30)


def of_kinds(**tokens: int) -> list[dict[str, Any]]:
    return [{"modality": kind, "tokenCount": count} for kind, count in tokens.items()]


def test_what_was_heard_is_told_apart_unless_it_was_cached() -> None:
    def heard(**details: Any) -> Usage:
        counts = {"promptTokenCount": 100, "cachedContentTokenCount": 30, "candidatesTokenCount": 2}
        return read_usage(Raw(msgspec.json.encode({**counts, **details})), wrote=True)

    prompt = of_kinds(TEXT=20, AUDIO=80)
    assert heard(promptTokensDetails=prompt, cacheTokensDetails=of_kinds(AUDIO=30)) == Usage(
        70, 30, None, 2, audio_input_tokens=50
    )
    assert heard(promptTokensDetails=of_kinds(TEXT=100)) == Usage(70, 30, None, 2)
    assert heard(promptTokensDetails=[{"modality": "AUDIO"}, {}]) == Usage(70, 30, None, 2)
    assert heard(promptTokensDetails=[{"modality": None, "tokenCount": None}]) == Usage(
        70, 30, None, 2
    )
    assert heard(promptTokensDetails=of_kinds(AUDIO=71)) == CONFLICT
    assert heard(cacheTokensDetails=of_kinds(AUDIO=1)) == CONFLICT


@pytest.mark.parametrize(
    ("counts", "wrote", "output"),
    [
        ({"prompt": 3, "total": 3}, False, 0),  # the total proves it
        ({"prompt": 3, "thoughts": 4, "total": 7}, False, 0),
        ({"prompt": 3, "candidates": 0}, False, 0),
        ({"prompt": 3}, False, None),
        ({"prompt": 3, "total": 3}, True, None),  # older models count at the end
        ({"prompt": 3, "candidates": 0, "total": 3}, True, None),
        ({"prompt": 3, "candidates": 2, "total": 5}, True, 2),
    ],
)
def test_a_count_that_is_left_out_is_0_only_where_that_is_proven(
    counts: dict[str, int], wrote: bool, output: int | None
) -> None:
    usage = read_usage(told(**counts), wrote=wrote)
    assert (usage.output_tokens, usage.conflict) == (output, False)
    assert (final(usage) == CONFLICT) == (output is None)


@pytest.mark.parametrize(
    "usage",
    [
        told(prompt=0, candidates=1),
        told(candidates=1, total=1),
        told(prompt=-1, candidates=1),
        told(prompt=3, candidates=-1),
        told(prompt=3, candidates=1, total=5),
        told(prompt=3, cachedContent=4, candidates=1),
        told(prompt=3, thoughts=-1, candidates=1),
        told(prompt=3, toolUsePrompt=-1, candidates=1),
        told(prompt=MAX_PLAUSIBLE_TOKENS + 1, candidates=1),
        told(prompt=3.5, candidates=1),
        told(prompt="3", candidates=1),
        Raw(b"[]"),
        Raw(b'"x"'),
        Raw(b"7"),
    ],
)
def test_what_cannot_be_true_is_a_conflict(usage: Raw) -> None:
    assert read_usage(usage, wrote=True) == CONFLICT
    assert final(read_usage(usage, wrote=False)) == CONFLICT


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_anything_at_all_is_a_usage_or_a_conflict(value: object) -> None:
    usage = read_usage(told(prompt=value, candidates=1), wrote=True)
    assert usage.conflict or usage.output_tokens == 1
