"""What a target cannot do is refused by the caller's name of it, or left out and named."""

import pytest
from msgspec import Raw

from tidegate.core.conversation import Conversation
from tidegate.core.losses import MAX_NAME_CHARS, MAX_NAMES, Losses
from tidegate.core.outcome import Refusal

SAID = Conversation(
    [], unread={"logprobs": Raw(b"true"), "logit_bias": Raw(b"{}")}, names={"choices": "n"}
)


def test_strict_refuses_by_the_callers_name() -> None:
    with pytest.raises(Refusal) as refused:
        Losses(SAID, "anthropic", drop=False).lose("choices")
    no = refused.value
    assert (no.code.name, no.code.status, no.param) == ("unsupported_parameter", 400, "n")
    assert "`n`" in no.message and "anthropic" in no.message


def test_drop_leaves_out_and_names_once() -> None:
    losses = Losses(SAID, "anthropic", drop=True)
    for field in ("choices", "seed", "choices"):
        losses.lose(field)
    losses.lose_unread()
    assert losses.names == ["n", "seed", "logprobs", "logit_bias"]


def test_a_hint_is_left_out_and_named_under_either_rule() -> None:
    losses = Losses(SAID, "anthropic", drop=False)
    losses.lose("prompt_cache_key")
    assert losses.names == ["prompt_cache_key"]


@pytest.mark.parametrize("field", ["ceiling_tokens", "budget_tokens"])
def test_a_limit_on_tokens_is_never_left_out(field: str) -> None:
    with pytest.raises(Refusal):
        Losses(SAID, "anthropic", drop=True).lose(field)


def test_what_the_middle_has_no_word_for_is_refused_by_its_name() -> None:
    with pytest.raises(Refusal) as refused:
        Losses(SAID, "anthropic", drop=False).lose_unread()
    assert refused.value.param == "logprobs"


def test_names_are_fit_for_a_header_whatever_the_caller_has_sent() -> None:
    said = Conversation([], unread={f"{at}\r\nx-a: b,é": Raw(b"1") for at in range(99)})
    said.unread = {"a" * 1000: Raw(b"1"), **said.unread}
    losses = Losses(said, "anthropic", drop=True)
    losses.lose_unread()
    assert losses.names[:2] == ["a" * MAX_NAME_CHARS, "0__x-a:_b__"]
    assert len(losses.names) == MAX_NAMES
    with pytest.raises(Refusal) as refused:
        Losses(said, "anthropic", drop=False).lose_unread()
    assert refused.value.param == "a" * MAX_NAME_CHARS


def test_what_would_make_the_answer_worse_is_left_out_and_named_under_either_rule() -> None:
    losses = Losses(SAID, "anthropic", drop=False)
    losses.note("choices")
    assert losses.names == ["n"]
