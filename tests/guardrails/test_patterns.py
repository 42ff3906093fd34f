"""Patterns of a plan are RE2's: found by type, linear whatever they are, refused where they are
none."""

import pytest
from tests.guardrails.looked import complaint, found

from tidegate.core.guardrail import Guardrail
from tidegate.guardrails import patterns
from tidegate.guardrails.patterns import plug


def test_each_is_found_by_its_type() -> None:
    several = (("employee", r"EMP-\d{6}"), ("case", r"(?i)case \pL+"))
    assert found("patterns", "EMP-123456 of CASE \u00e4gir", patterns=several) == [
        ("EMP-123456", "employee"),
        ("CASE \u00e4gir", "case"),
    ]


@pytest.mark.parametrize("source", ["(", "(?=x)y", r"(a)\1"])
def test_what_is_no_pattern_of_re2_is_refused(source: str) -> None:
    assert "is none" in (complaint("patterns", patterns=(("it", source),)) or "")


def test_what_matches_nothing_at_all_is_refused() -> None:
    assert "everywhere" in (complaint("patterns", patterns=(("it", "x*"),)) or "")


def test_a_pattern_that_would_explode_elsewhere_is_linear() -> None:
    """Its work cannot be counted from here; twenty times as much would never end elsewhere."""
    hostile = (("it", "(a*)*(a|aa)*(a+)+b"),)
    assert found("patterns", "a" * 20_000, patterns=hostile) == []


def test_what_may_have_a_space_holds_a_window_and_others_a_word() -> None:
    spaced = plug.detector(Guardrail("p", "patterns", "block", patterns=(("it", "a.b"),)))
    assert spaced.settled("x" * 500, 499) == 500 - patterns.REACH_CHARS - 1
    short = plug.detector(Guardrail("p", "patterns", "block", patterns=(("it", r"EMP-\d+"),)))
    other = plug.detector(Guardrail("p", "patterns", "block", patterns=(("it", "\u4e00+"),)))
    assert other.settled("\u4e00" * 500, 499) == 500 - patterns.REACH_CHARS - 1
    assert short.settled("some words EM", 10) == len("some words ")


def test_without_the_extra_a_plan_with_patterns_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "re2", None)
    assert "tidegate[guardrails]" in (complaint("patterns", patterns=(("it", "x"),)) or "")
    with pytest.raises(ValueError, match="google-re2"):
        plug.detector(Guardrail("p", "patterns", "block", patterns=(("it", "x"),)))


@pytest.mark.parametrize("source", [r"A[\001-Z]+B", "A[\x01-Z]+B", r"A\040B", r"A[\x01-Z]+B"])
def test_a_space_that_is_written_by_its_number_is_one(source: str) -> None:
    found = plug.detector(Guardrail("p", "patterns", "block", patterns=(("it", source),)))
    assert found.find("A B") == [(0, 3, "it")]
    assert found.settled("words A", 6) == 0
