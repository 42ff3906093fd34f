"""Every sign is one that an automaton can look for."""

from tidegate.guardrails._injection_patterns import SIGNS
from tidegate.text.hints import Hints


def test_each_has_a_weight_and_compiles() -> None:
    for weight, source in SIGNS:
        assert 0 < weight <= 1
        assert not Hints([source]).any("The weather is fine today.")
