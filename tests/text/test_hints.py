"""One automaton says whether anything of many patterns is in a text."""

import pytest

from tidegate.text.hints import Hints, plain_classes


def test_any_of_them_is_enough_and_none_is_never() -> None:
    found = Hints(["a+b", "(?i:c)"]).any
    assert [found(it) for it in ("xaab", "C", "xyz")] == [True, True, False]
    assert not Hints([]).any("anything")


def test_what_is_no_pattern_is_told() -> None:
    with pytest.raises(ValueError, match="no pattern"):
        Hints(["("])


def test_classes_are_those_of_ascii_and_latin() -> None:
    found = Hints([plain_classes(r"\b[\w-]+\s\S\b")]).any
    assert found("na\u00efve x") and not found("\u4e00 x") and not found("a\u00a0b")
    assert plain_classes(r"[^)\s]\.") == r"[^) \t\r\n]\."
