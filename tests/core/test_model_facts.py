"""What is known of a model, and what is not."""

from datetime import date

import pytest

from tidegate.core.model_facts import MODALITIES, UNKNOWN, ModelFacts, Purpose, unknown

TODAY = date(2026, 11, 22)


def test_nothing_is_refused_for_what_nobody_knows() -> None:
    assert all(UNKNOWN.takes(kind) for kind in MODALITIES)
    some = ModelFacts(inputs=("text", "image"), more_inputs=True)
    assert some.takes("video")
    assert unknown("openai", "https://api.openai.com/v1", "gpt-4o") == UNKNOWN


def test_what_is_all_is_all() -> None:
    text = ModelFacts(inputs=("text",))
    assert [kind for kind in MODALITIES if text.takes(kind)] == ["text"]


@pytest.mark.parametrize(
    ("day", "left"), [(None, None), (date(2026, 11, 23), 1), (TODAY, 0), (date(2026, 11, 20), -2)]
)
def test_days_are_counted_to_and_past_the_last(day: date | None, left: int | None) -> None:
    assert ModelFacts(retires_on=day).days_left(TODAY) == left


@pytest.mark.parametrize(
    ("serves", "endpoints"),
    [
        (None, {"chat", "completions", "embeddings", "rerank", "images"}),
        ("chat", {"chat", "completions", "images"}),
        ("embeddings", {"embeddings"}),
        ("rerank", {"rerank"}),
    ],
)
def test_what_a_model_is_for(serves: Purpose | None, endpoints: set[str]) -> None:
    asked = ("chat", "completions", "embeddings", "rerank", "images")
    facts = ModelFacts(serves=serves)
    assert {it for it in asked if facts.may_serve(it)} == endpoints
