"""A breaker as a machine: each state, each event, and what follows."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.resilience import Breaker
from tidegate.gateway.breaker import TURNS, CircuitBreaker, State, Tripped, Verdict

RULES = Breaker(failures=3, window_s=10.0, open_s=5.0)


def breaker(state: State = "closed") -> tuple[CircuitBreaker, Tripped]:
    """At second 0 for a closed one; open since then, or half open at second 5."""
    tripped = Tripped()
    it = CircuitBreaker(RULES, tripped)
    if state != "closed":
        for _ in range(3):
            it.told("failed", False, 0.0)
    if state == "half_open":
        assert it.enter(5.0)
    return it, tripped


@pytest.mark.parametrize(
    ("state", "tries", "verdict", "after"),
    [
        ("closed", False, "worked", "closed"),
        ("closed", False, "failed", "closed"),
        ("closed", False, "dropped", "closed"),
        ("open", False, "worked", "closed"),
        ("open", False, "failed", "open"),
        ("open", False, "dropped", "open"),
        ("half_open", False, "worked", "closed"),
        ("half_open", False, "failed", "half_open"),
        ("half_open", False, "dropped", "half_open"),
        ("half_open", True, "worked", "closed"),
        ("half_open", True, "failed", "open"),
        ("half_open", True, "dropped", "open"),
    ],
)
def test_what_follows(state: State, tries: bool, verdict: Verdict, after: State) -> None:
    it, tripped = breaker(state)
    it.told(verdict, tries, 5.0)
    assert it.state == after
    assert tripped.count == (after != "closed")


def test_the_table_has_only_what_there_is() -> None:
    for state, _, verdict in TURNS:
        assert state in get_args(State)
        assert verdict in get_args(Verdict)


def test_it_opens_by_failures_in_a_row_within_its_window() -> None:
    it, _ = breaker()
    for at_s in (0.0, 1.0):
        it.told("failed", False, at_s)
    it.told("worked", False, 2.0)
    for at_s in (3.0, 4.0):
        it.told("failed", False, at_s)
    assert it.state == "closed", "not in a row"
    it.told("failed", False, 14.0)
    assert it.state == "closed", "not within the window"
    for at_s in (15.0, 16.0):
        it.told("failed", False, at_s)
    assert it.state == "open"


def test_one_request_tries_it_when_its_time_has_come() -> None:
    it, _ = breaker("open")
    assert not it.allows(4.9) and not it.enter(4.9)
    assert it.allows(5.0)
    assert it.enter(5.0)
    assert not it.allows(5.0) and not it.enter(5.0), "one is enough"
    it.told("failed", True, 6.0)
    assert not it.allows(10.9) and it.allows(11.0)


def test_the_next_tries_it_when_nothing_was_learnt() -> None:
    it, _ = breaker("half_open")
    it.told("dropped", True, 6.0)
    assert it.enter(6.0)


EVENTS = st.tuples(st.sampled_from(["enter", *get_args(Verdict)]), st.floats(0.0, 4.0))


@given(st.lists(EVENTS, max_size=60))
def test_at_most_one_tries_it_and_the_count_is_of_those_not_closed(
    events: list[tuple[str, float]],
) -> None:
    it, tripped = breaker()
    now_s, trying = 0.0, 0
    for event, after_s in events:
        now_s += after_s
        if event == "enter":
            trying += it.enter(now_s)
        else:
            tries = trying > 0 and it.state == "half_open"
            it.told(event, tries, now_s)  # type: ignore[arg-type]
            trying -= tries
        if it.state == "closed":
            trying = 0  # closed by another: what tried it says nothing any more
        assert trying <= 1
        assert tripped.count == (it.state != "closed")


def test_one_that_has_begun_to_answer_lets_others_in_until_the_next_failure() -> None:
    it, tripped = breaker("half_open")
    assert not it.allows(5.0)
    it.began(5.0)
    assert (it.state, tripped.count) == ("closed", 0)
    it.told("failed", False, 6.0)
    assert (it.state, tripped.count) == ("open", 1)
    other, _ = breaker("half_open")
    other.began(5.0)
    other.told("worked", False, 6.0)
    other.told("failed", False, 7.0)
    assert other.state == "closed", "it has answered: only failures in a row open it again"


@pytest.mark.parametrize(
    ("state", "verdict", "after"),
    [
        ("closed", "worked", "closed"),
        ("open", "worked", "closed"),
        ("open", "failed", "open"),
        ("half_open", "worked", "closed"),
        ("half_open", "failed", "half_open"),
    ],
)
def test_a_probe_turns_it_as_a_request_that_came_before(
    state: State, verdict: Verdict, after: State
) -> None:
    it, tripped = breaker(state)
    it.probed(verdict, False, 5.0)
    assert it.state == after
    assert tripped.count == (after != "closed")


def test_a_probe_that_fails_keeps_requests_away_for_longer() -> None:
    it, _ = breaker("open")
    it.probed("failed", False, 4.0)
    assert not it.allows(8.9) and it.allows(9.0)
    assert it.opened == 1, "it has not opened again"


def test_probes_alone_open_it() -> None:
    it, tripped = breaker()
    for at_s in (0.0, 1.0, 2.0):
        it.probed("failed", False, at_s)
    assert (it.state, tripped.count) == ("open", 1)
