"""What of a question counts, and what it asks for."""

import pytest

from tidegate.text.veto_reading import read, stem


@pytest.mark.parametrize(
    ("word", "root"),
    [
        ("studies", "study"),
        ("classes", "class"),
        ("class", "class"),
        ("learning", "learn"),
        ("running", "run"),
        ("making", "mak"),
        ("make", "mak"),
        ("passwords", "password"),
        ("this", "this"),
        ("bus", "bus"),
        ("king", "king"),
        ("gas", "gas"),
        ("calling", "call"),
        ("дом", "дом"),
    ],
)
def test_endings_that_leave_the_meaning_are_cut(word: str, root: str) -> None:
    assert stem(word) == root


def test_words_that_count_come_in_the_order_of_what_is_said_of_what() -> None:
    assert read("What is the price of a red car in Rome?").words == ["red", "car", "pric", "rom"]
    assert read("Is milk or beer healthier?").words == ["beer", "milk", "healthier"]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("How do I swim?", ("how", "")),
        ("What are some ways to swim?", ("how", "")),
        ("How many swim?", ("how ", "")),
        ("What's the reason for it?", ("why", "")),
        ("How come?", ("why", "")),
        ("Could it be?", ("whether", "can")),
        ("Was it there?", ("whether", "is")),
        ("Write a poem", ("tell", "")),
        ("Why should I?", ("why", "should")),
        ("", ("tell", "")),
    ],
)
def test_what_is_asked_for(text: str, asked: tuple[str, str]) -> None:
    kind, _, modal = read(text).asked
    assert (kind, modal) == asked


def test_others_that_are_asked_for_besides() -> None:
    assert read("Who won, and when and where?").asked == ("who", frozenset({"when", "where"}), "")
