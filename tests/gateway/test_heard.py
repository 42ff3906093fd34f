"""What of an answer is kept: its first choice as it comes, and no more than asked."""

from tidegate.core.ask import Said
from tidegate.core.outcome import Failure
from tidegate.gateway.heard import SPARE_CHARS, Heard

NO = Failure("malformed", "upstream_invalid_answer", "no")


class Inner:
    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def content(self, choice: int, text: str) -> Failure | None:
        self.told.append((choice, text))
        return NO if text == "bad" else None

    def called(self, choice: int, call: int, name: str, arguments: str) -> Failure | None:
        self.told.append((choice, call, name, arguments))
        return NO if arguments == "bad" else None


def test_the_first_choice_is_kept_with_its_calls() -> None:
    heard = Heard(100)
    for choice, text in ((0, "a"), (1, "x"), (0, "b")):
        assert heard.content(choice, text) is None
    heard.called(0, 0, "find", "")
    heard.called(0, 0, "", '{"q":')
    heard.called(1, 0, "other", "{}")
    heard.called(0, 0, "", "1}")
    assert heard.text == "ab"
    assert heard.calls == (("find", '{"q":1}'),)
    assert not heard.shortened


def test_a_follower_behind_it_hears_all_and_has_the_last_word() -> None:
    inner = Inner()
    heard = Heard(1, inner)
    assert heard.content(1, "x") is None
    assert heard.content(0, "bad") is NO
    assert heard.called(0, 0, "f", "bad") is NO
    assert inner.told == [(1, "x"), (0, "bad"), (0, 0, "f", "bad")]


def test_no_more_is_kept_than_asked_for() -> None:
    heard = Heard(10)
    heard.content(0, "x" * 10)
    heard.called(0, 0, "f", "y" * 10_000)
    heard.content(0, "z")
    assert len(heard.text) + len(heard.calls[0][1]) == 10 + SPARE_CHARS
    assert heard.shortened


def test_a_whole_answer_is_kept_alike() -> None:
    heard = Heard(100)
    heard.take(Said("hello", calls=(("f", "{}"),)))
    assert (heard.text, heard.calls) == ("hello", (("f", "{}"),))
