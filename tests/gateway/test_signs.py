"""In what words a ladder hears of what went wrong."""

from types import SimpleNamespace
from typing import Any

import pytest

from tidegate.core import clock
from tidegate.core.ask import Answer, Said
from tidegate.core.ladder import QUALITIES
from tidegate.core.outcome import Failure, Refusal
from tidegate.gateway.signs import signs_of, signs_of_answer


def progress(**fields: Any) -> Any:
    usual: dict[str, Any] = {
        "relay": None,
        "answer": None,
        "following": None,
        "connection": SimpleNamespace(lost=False),
        "ask": SimpleNamespace(stream=False),
        "receipt": SimpleNamespace(choices=1),
    }
    return SimpleNamespace(**{**usual, **fields})


@pytest.mark.parametrize(
    ("no", "signs"),
    [
        (Failure("unavailable", "upstream_unreachable", ""), ("unavailable",)),
        (Failure("interrupted", "upstream_interrupted", ""), ("unavailable",)),
        (Failure("timeout", "upstream_timeout", ""), ("timeout", "unavailable")),
        (Failure("rate_limited", "upstream_rate_limited", ""), ("rate_limited",)),
        (Failure("overflow", "context_length_exceeded", ""), ("overflow",)),
        (Failure("malformed", "upstream_malformed", ""), ("malformed",)),
        (
            Failure("refused_by_safety", "rejected_by_provider", ""),
            ("refused", "refused_by_safety"),
        ),
        (Failure("rejected", "rejected_by_provider", ""), ()),
        (Refusal("overloaded", ""), ("rate_limited",)),
        (Refusal("credential_missing", ""), ("unavailable",)),
        (Refusal("context_length_exceeded", ""), ("overflow",)),
        (Refusal("unsupported_parameter", ""), ()),
        (Refusal("draining", ""), ()),
        (Refusal("client_closed", ""), ()),
    ],
)
def test_what_an_attempt_ended_by(no: Refusal | Failure, signs: tuple[str, ...]) -> None:
    assert signs_of(progress(), no, None) == signs


def test_nothing_follows_what_is_out_or_wanted_no_more() -> None:
    no = Failure("interrupted", "upstream_interrupted", "")
    assert signs_of(progress(relay=SimpleNamespace(flowing=True)), no, None) == ()
    assert signs_of(progress(connection=SimpleNamespace(lost=True)), no, None) == ()


@pytest.mark.parametrize(("stream", "word"), [(True, "slow_first_token"), (False, "slow_answer")])
def test_what_its_ladder_was_tired_of_is_slow(stream: bool, word: str) -> None:
    asked = progress(ask=SimpleNamespace(stream=stream))
    late = Failure("timeout", "upstream_timeout", "")
    now_s = clock.monotonic_s()
    assert signs_of(asked, late, now_s - 1) == (word,)
    assert signs_of(asked, late, now_s + 60) == ("timeout", "unavailable")  # its target's own
    too_long = Refusal("deadline_too_short", "")  # it would have to stand in line for longer
    assert signs_of(asked, too_long, now_s + 60) == (word,)
    full = Refusal("overloaded", "")
    assert signs_of(asked, full, now_s - 1) == (word, "rate_limited")
    assert signs_of(asked, full, now_s + 60) == ("rate_limited",)
    down = Failure("unavailable", "upstream_unreachable", "")
    assert signs_of(asked, down, now_s - 1) == ("unavailable",)


@pytest.mark.parametrize(
    ("validity", "word"),
    [("malformed", "invalid"), ("schema_violation", "invalid"), ("empty", "empty")],
)
def test_an_answer_that_broke_its_contract(validity: str, word: str) -> None:
    following = SimpleNamespace(verdict=SimpleNamespace(validity=validity))
    no = Failure("malformed", "upstream_invalid_answer", "")
    assert signs_of(progress(following=following), no, None) == (word, "malformed")


@pytest.mark.parametrize(
    ("said", "finish", "signs"),
    [
        (Said("Yes."), "stop", ()),
        (Said("I'm sorry, but I can't help with that request."), "stop", ("refused",)),
        (Said("", refused=True), "stop", ("refused",)),
        (Said("Half"), "length", ("truncated",)),
        (Said("Ha"), "content_filter", ("refused",)),
        (Said(""), "stop", ("empty",)),
        (Said("", calls=(("f", "{}"),)), "tool_calls", ()),
    ],
)
def test_an_answer_that_has_ended(said: Said, finish: str, signs: tuple[str, ...]) -> None:
    answer = Answer(None, finish, None, None, b"", said=(said,))
    assert signs_of_answer(progress(answer=answer), QUALITIES) == signs
    if said.content.startswith("I'm sorry"):
        assert signs_of_answer(progress(answer=answer), ("empty",)) == ()


def test_of_a_stream_that_is_out_nothing_is_asked() -> None:
    assert signs_of_answer(progress(relay=SimpleNamespace(flowing=True)), QUALITIES) == ()
    assert signs_of_answer(progress(), QUALITIES) == ()
