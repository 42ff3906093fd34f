"""What is known of an observation."""

from tidegate.core.audit import KINDS, Observed


def test_tokens_are_told_or_unknown_and_never_zero() -> None:
    seen = Observed("1", "front", 1.0, "/v1/chat/completions", "whole")
    assert not seen.told and seen.input_tokens is None
    assert Observed("1", "front", 1.0, "/", "whole", input_tokens=0).told


def test_each_kind_has_its_place_in_a_report() -> None:
    assert len(set(KINDS)) == len(KINDS) and KINDS[0] == "lost"
