"""Of a text that grows only what may become a part of something is held, and never too much."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.text import held


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("The sky is cl", "cl"),
        ("The sky is clear ", ""),
        ("The sky is clear.", "clear."),
        ("call 415 555", "415 555"),
        ("call 415 555 ", "415 555 "),
        ("IBAN GB82 WEST 12", "IBAN GB82 WEST 12"),
        ("it is (AB 12 34", "(AB 12 34"),
        ("it is no./AB ", "no./AB "),
        ("in 2024 we", "2024 we"),
        ("in 2024 we ", ""),
        ("\u7535\u8bdd\u662f1381", "1381"),
        ("\u5929\u6c14\u5f88\u597d", ""),
        ("key\n-----BEGIN RSA PRIVATE KEY-----\nMII", "-----BEGIN RSA PRIVATE KEY-----\nMII"),
        ("-----BEGIN A-----\nx\n-----END A----- now ", ""),
    ],
)
def test_what_may_go_on_is_held(text: str, left: str) -> None:
    assert text[held.settled(text, 0) :] == left


@given(st.text(alphabet="ab1 .\n\u4e00-", max_size=60), st.integers(0, 60))
def test_it_is_a_place_in_the_text(text: str, since: int) -> None:
    assert 0 <= held.settled(text, min(since, len(text))) <= len(text)


@given(st.text(alphabet="aAbB1 .\n\t-", max_size=40), st.integers(0, 40))
def test_a_text_of_ascii_is_held_as_any_other(text: str, since: int) -> None:
    since = min(since, len(text))
    found, beyond_ascii = held.settled(text, since), held.settled("\u7535" + text, since + 1)
    assert beyond_ascii == found + 1 or (not found and not beyond_ascii)


def test_of_a_text_without_any_end_not_all_is_held() -> None:
    endless = "a" * (held.MOST_CHARS + 10)
    assert held.settled(endless, 0) == len(endless) - held.GROUPED_CHARS
    assert len("1 " * 500) - held.settled("1 " * 500, 0) < 2 * held.GROUPED_CHARS
