"""Whole words of a plan are found in whichever case; a stream holds only what may become one."""

from tests.guardrails.looked import complaint, found

from tidegate.core.guardrail import Guardrail
from tidegate.guardrails.words import plug

WORDS = ("Project Falcon", "falcon", "\u0130stanbul")


def test_whole_words_in_any_case() -> None:
    text = "PROJECT FALCON, a falcon, falconry; \u0130stanbul"
    assert [it for it, _ in found("words", text, words=WORDS)] == [
        "PROJECT FALCON",
        "falcon",
        "\u0130stanbul",
    ]


def test_only_the_beginning_of_a_word_is_held() -> None:
    detector = plug.detector(Guardrail("w", "words", "block", words=WORDS))
    assert detector.settled("we saw proj", 0) == len("we saw ")
    assert detector.settled("we saw projx", 0) == len("we saw projx")
    assert detector.settled("a falcon", 0) == 2
    assert detector.settled("a falcons", 0) == 9


def test_an_empty_word_is_none() -> None:
    assert complaint("words", words=("x", " ")) == "one of its words is empty"
