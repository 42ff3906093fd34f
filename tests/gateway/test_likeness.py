"""What is noted of a kept question that another is like."""

from tidegate.core.kept_answer import Found, KeptAnswer
from tidegate.gateway.likeness import Likeness


def test_nothing_speaks_against_it_unless_that_is_said() -> None:
    found = Found(KeptAnswer("r", 1.0, 60.0, "t", False, b""), 1.0, {})
    assert Likeness("How?", found, 0.9).veto is None
