"""An answer was good enough, was not, or nobody knows; and some could not be followed up."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.capture import Captured
from tidegate.text.follow_up import RETRY_S, WINDOW_S, Found, Later, Turn, followed_up

Q = "What is the capital of Australia?"
A = "It is Sydney."


def request(*said: str, at_s: float = 0.0, answer: str = A, **fields: Any) -> Captured:
    roles = ("user", "assistant")
    messages = [{"role": roles[n % 2], "content": it} for n, it in enumerate(said)]
    return Captured(
        receipt_id=f"{at_s}",
        at_s=at_s,
        until_s=1e9,
        route="chat",
        messages=msgspec.json.encode(messages).decode(),
        answer=answer,
        purpose="production",
        **fields,
    )


def found(turn: Captured, *later: Captured, **fields: Any) -> Found | None:
    of = {"is_known": True, **fields}
    return followed_up(Turn(turn, 10.0, **of), [Later(it) for it in later])


def is_bad(turn: Captured, *later: Captured, **fields: Any) -> bool | None:
    made = found(turn, *later, **fields)
    assert made is not None
    assert "Sydney" not in made.why and "Australia" not in made.why
    return made.is_bad


def then(*said: str, at_s: float = 60.0) -> Captured:
    return request(*said, at_s=at_s)


@pytest.mark.parametrize(
    ("next_one", "bad"),
    [
        (then(Q, A, "What's the capital of Australia?"), True),
        (then(Q, A, "No, that's wrong."), True),
        (then(Q, A, "Nein, das stimmt nicht"), True),
        (then(Q), True),
        (then(Q, A, "And how many people live there?"), False),
        (then(Q, A, "No problem, thanks"), False),
        (then(Q, A, "No, that's wrong.", at_s=10 + WINDOW_S + 1), False),
        (then(Q, A, "No, that's wrong.", at_s=10 + WINDOW_S), True),
        (then(Q, at_s=10 + WINDOW_S + 1), False),
    ],
)
def test_the_next_turn_says_it(next_one: Captured, bad: bool) -> None:
    assert is_bad(request(Q), next_one) is bad


def test_the_first_of_the_next_turns_counts() -> None:
    one, other = then(Q, A, "thanks, next one"), then(Q, A, "No, that's wrong.", at_s=90)
    assert is_bad(request(Q), one, other) is False
    assert is_bad(request(Q), other, one) is True


def test_no_next_turn_is_no_complaint_where_one_would_be_known() -> None:
    assert is_bad(request(Q)) is False
    assert is_bad(request(Q), may_be_missed=True) is None
    assert is_bad(request(Q), then(Q, A, "next"), may_be_missed=True) is False


def test_an_edited_question_is_a_complaint() -> None:
    before = ("hi", "hello")
    assert is_bad(request(*before, Q), then(*before, "What is the capital of Austria?")) is True


def test_feedback_is_one_whatever_came_next() -> None:
    assert is_bad(request(Q), complained=True) is True
    assert is_bad(request(Q), then(Q, A, "thanks"), complained=True) is True


@pytest.mark.parametrize(
    ("answer", "said", "bad"),
    [
        ("Which Australia do you mean?", Q + "!", False),
        ("Which Australia do you mean?", "No, that's wrong", False),
        ("It is Sydney. Would you like to know more?", Q + "!", True),
        ("It is Sydney. Would you like to know more?", "No, that's wrong", True),
        ("It is Sydney. Would you like to know more?", "No, the river", False),
    ],
)
def test_what_the_assistant_asked_is_answered(answer: str, said: str, bad: bool) -> None:
    assert is_bad(request(Q, answer=answer), then(Q, answer, said)) is bad


def test_asked_anew_after_a_question_of_the_assistant_is_still_a_complaint() -> None:
    assert is_bad(request(Q, answer="Which one?"), then(Q)) is True


def test_of_a_shortened_answer_nobody_knows_what_it_asked() -> None:
    turn = request(Q, shortened=True)
    assert is_bad(turn, then(Q, A, "No, that's wrong")) is None
    assert is_bad(turn, then(Q, A, "And the river?")) is False
    assert is_bad(turn) is False


@pytest.mark.parametrize(
    "turn",
    [
        request(Q, cut=True),
        request(Q, calls=(("find", "{}"),)),
        request(),
        msgspec.structs.replace(request(Q), messages="no JSON"),
    ],
    ids=["cut", "calls", "nobody_asked", "unreadable"],
)
@pytest.mark.parametrize("complained", [False, True])
def test_what_is_no_answer_cannot_be_followed_up(turn: Captured, complained: bool) -> None:
    assert found(turn, then(Q), complained=complained) is None


def test_a_client_that_sends_again_by_itself_complains_of_nothing() -> None:
    assert found(request(Q), then(Q, at_s=10 + RETRY_S)) is None
    assert found(request(Q), then(Q, at_s=4.0)) is None
    told = Later(then(Q), is_retry=True)
    assert followed_up(Turn(request(Q), 10.0, is_known=True), [told]) is None
    assert is_bad(request(Q), then(Q, at_s=10.1 + RETRY_S)) is True


def test_what_began_before_the_answer_ended_says_nothing_of_it() -> None:
    assert is_bad(request(Q), then(Q, A, "No, that's wrong", at_s=5.0)) is False


def test_of_those_who_begin_alike_nobody_knows() -> None:
    assert is_bad(request(Q), then(Q), is_known=False) is None
    assert is_bad(request(Q), then(Q, "Another answer.", "No, wrong!"), is_known=False) is None
    assert is_bad(request(Q), then(Q), then(Q, A, "No, wrong!"), is_known=False) is True
    assert is_bad(request(Q), complained=True, is_known=False) is True


@given(st.lists(st.text(max_size=30), max_size=5), st.text(max_size=30), st.floats(0, 1e4))
def test_whether_it_could_be_followed_up_does_not_depend_on_what_was_said_next(
    later: list[str], answer: str, at_s: float
) -> None:
    turn, next_one = request(Q, answer=answer), then(*later, at_s=at_s)
    made = found(turn, next_one)
    is_repeated = later[:1] == [Q] and len(later) == 1 and at_s <= 10 + RETRY_S
    assert (made is None) is is_repeated
