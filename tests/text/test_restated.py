"""Who asks the same again in nearly the same words is known, in any script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.text.restated import MOST_CHARS, is_restated, likeness


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("What is the capital of Australia?", "what is the capital of australia"),
        ("How do I reset my router password?", "How do I reset the password of my router?"),
        ("how can i change my adress", "How can I change my address?"),
        ("Wie ändere ich meine Adresse?", "wie kann ich meine Adresse ändern?"),
        ("オーストラリアの首都はどこですか", "オーストラリアの首都は、どこですか。"),
        ("澳大利亚的首都是哪里。", "澳大利亚的首都是哪里"),
        ("호주의 수도는 어디인가요?", "호주의 수도는 어디인가요"),
        ("What is 12 * 7 in hexadecimal?", "what is 12 * 7 in hexadecimal??"),
    ],
)
def test_the_same_is_known(before: str, after: str) -> None:
    assert is_restated(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("What is the capital of Australia?", "And how many people live there?"),
        ("What is 12 * 7 in hexadecimal?", "What is 12 * 8 in hexadecimal?"),
        ("How do I cook rice?", "How do I cook a turkey for twelve people?"),
        ("continue", "continue"),
        ("yes please", "yes please"),
        ("继续", "继续"),
        ("", ""),
        ("?!?!?!?!?!?!?!", "?!?!?!?!?!?!?!"),
    ],
)
def test_another_question_is_none(before: str, after: str) -> None:
    assert not is_restated(before, after)


@given(st.text(max_size=80), st.text(max_size=80))
def test_likeness_is_a_share_and_has_no_direction(one: str, other: str) -> None:
    found = likeness(one, other)
    assert 0 <= found <= 1
    assert found == likeness(other, one)
    assert likeness(one, one) in (0, 1)


def test_of_a_long_text_the_beginning_is_looked_at() -> None:
    long = "many words of one text " * (MOST_CHARS // 20)
    assert likeness(long + "one", long + "quite another") == 1
