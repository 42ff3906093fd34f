"""What leads to a rung, and when two do the same."""

from tidegate.core.ladder import BEFORE, FAILURES, MADE_UP, QUALITIES, Rung, When
from tidegate.core.resilience import FAILURE_CLASSES


def test_a_ladder_knows_every_failure_that_routes_know() -> None:
    assert set(FAILURES) == {*FAILURE_CLASSES, "timeout"}


def test_the_words_of_a_rung_are_all_that_leads_there() -> None:
    assert When().words == frozenset()
    whole = When(FAILURES, 80, 3.0, 9.0, QUALITIES, True)
    others = {"budget", "slow_first_token", "slow_answer", "pressure"}
    assert whole.words == {*FAILURES, *QUALITIES, *others}


def test_two_rungs_do_the_same_whatever_leads_there() -> None:
    one = Rung("a", when=When(("timeout",)), target="m")
    assert one.changes == Rung("b", target="m").changes
    assert one.changes != Rung("a", target="n").changes


def test_nobody_is_served_by_what_was_made_up() -> None:
    assert {"handover", "apology"} == MADE_UP
    assert BEFORE.isdisjoint({*FAILURES, *QUALITIES})
