"""Sentences go out whole, in whichever language, and never a letter is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.text.sentences import Sentences


def out(*pieces: str, most: int = 600) -> list[str]:
    sentences = Sentences(most)
    shown = [sentences.add(piece) for piece in pieces]
    return [*filter(None, [*shown, sentences.flush()])]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One is here. Two is not", "One is here. "),
        ("Is it? Yes", "Is it? "),
        ('He said "yes." Then', 'He said "yes." '),
        ("\u4eca\u5929\u5f88\u597d\u3002\u660e\u5929", "\u4eca\u5929\u5f88\u597d\u3002"),
        ("\u0643\u064a\u0641\u061f \u062c\u064a\u062f", "\u0643\u064a\u0641\u061f "),
        ("A line\nand more", "A line\n"),
        ("Dr. Smith came. He", "Dr. Smith came. "),
        ("It costs 3.50 in all. More", "It costs 3.50 in all. "),
        ("Das ist z.B. so. Und", "Das ist z.B. so. "),
        ("J. Doe is here. He", "J. Doe is here. "),
        ("```py\na = 1. \nb\n``` and. More", "```py\na = 1. \nb\n``` and. "),
    ],
)
def test_it_ends_where_a_sentence_does(text: str, first: str) -> None:
    assert out(text)[0] == first
    assert out(*text)[0] in (first, first.rstrip(), "```py\na = 1. \nb\n```")


def test_the_number_of_a_line_ends_nothing() -> None:
    assert out("\n1. First", " thing. Next")[1] == "1. First thing. "


def test_a_sentence_without_end_goes_out_between_words() -> None:
    assert out("word " * 10, "more", most=20) == ["word " * 10, "more"]
    assert out("x" * 30, most=20) == ["x" * 30]


@given(st.lists(st.text(alphabet="ab.!?\n `1\u3002", max_size=12), max_size=20))
def test_no_letter_is_lost(pieces: list[str]) -> None:
    assert "".join(out(*pieces, most=15)) == "".join(pieces)


def test_marks_without_end_are_looked_through_in_time() -> None:
    marks = "." * 100_000
    it = Sentences(1_000_000)
    assert it.add(f"{marks}x") == ""
    assert it.add(f"{marks} y") == f"{marks}x{marks} "
