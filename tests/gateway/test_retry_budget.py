"""How much may be sent once more: never more than the share, whatever comes when."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.resilience import Retry
from tidegate.gateway.retry_budget import MONEY_BIN_S, REQUESTS_BIN_S, RetryBudget


@given(st.integers(1, 3000), st.integers(0, 3))
def test_with_every_attempt_failing_no_more_than_a_tenth_is_added(
    requests: int, wanted_each: int
) -> None:
    it = RetryBudget(Retry())
    again = 0
    for _ in range(requests):
        it.request(0.0)
        again += sum(it.take(0.0) for _ in range(wanted_each))
    assert again <= max(requests // 10, 20)
    assert again + it.refused == requests * wanted_each


@given(st.lists(st.tuples(st.floats(0.0, 20.0), st.integers(0, 300)), min_size=1, max_size=30))
def test_in_any_two_bins_no_more_than_their_share(bursts: list[tuple[float, int]]) -> None:
    it = RetryBudget(Retry(budget_least=0))
    now_s, requests, again = 0.0, 0, 0
    for after_s, count in bursts:
        now_s += after_s
        for _ in range(count):
            it.request(now_s)
            requests += 1
            again += it.take(now_s)
    assert again <= requests // 10


def test_what_was_saved_up_is_forgotten() -> None:
    it = RetryBudget(Retry(budget_least=1))
    for _ in range(1000):
        it.request(0.0)
    assert it.take(3 * REQUESTS_BIN_S)
    assert not it.take(3 * REQUESTS_BIN_S)


def test_none_is_none() -> None:
    it = RetryBudget(Retry(budget_percent=0, budget_least=0))
    it.request(0.0)
    assert not it.take(0.0)


def test_money_that_was_wasted_ends_them_for_a_while() -> None:
    it = RetryBudget(Retry(wasted_nanousd_per_hour=100))
    it.wasted(99, 0.0)
    assert it.take(0.0)
    it.wasted(1, 0.0)
    assert not it.take(0.0)
    assert not it.take(1.9 * MONEY_BIN_S)
    assert it.take(4 * MONEY_BIN_S)


def test_no_money_is_only_asked_of_what_costs() -> None:
    it = RetryBudget(Retry(wasted_nanousd_per_hour=0))
    assert it.take(0.0)
    it.wasted(1, 0.0)
    assert not it.take(0.0)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=500))
def test_what_is_answered_is_there_again(requests: list[tuple[bool, bool]]) -> None:
    """Of requests (does the first attempt fail, is the second answered)."""
    it = RetryBudget(Retry(budget_least=3))
    in_vain = 0
    for fails, answered in requests:
        it.request(0.0)
        if fails and it.take(0.0):
            if answered:
                it.give_back(1)
            else:
                in_vain += 1
    assert in_vain <= max(len(requests) // 10, 3)
    if all(answered for _, answered in requests):
        assert it.refused == 0


def test_what_was_taken_before_is_given_back_after_a_turn() -> None:
    it = RetryBudget(Retry(budget_percent=0, budget_least=1))
    assert it.take(0.0)
    assert not it.take(REQUESTS_BIN_S)
    it.give_back(1)
    assert it.take(REQUESTS_BIN_S)
    it.give_back(2)
    assert it.take(REQUESTS_BIN_S)
    assert not it.take(REQUESTS_BIN_S)


@given(
    st.integers(0, 2),
    st.lists(
        st.tuples(st.floats(0.0, 2 * MONEY_BIN_S), st.sampled_from(["asked", "again", "vain"])),
        max_size=20,
    ),
)
def test_one_that_is_untouched_has_room_and_one_that_is_left_alone_becomes_so(
    least: int, steps: list[tuple[float, str]]
) -> None:
    it, now_s = RetryBudget(Retry(budget_least=least)), 0.0
    for after_s, what in steps:
        now_s += after_s
        if what == "asked":
            it.request(now_s)
        elif what == "again":
            it.take(now_s)
        else:
            it.wasted(1, now_s)
        assert it.untouched <= it.has_room(now_s)
        assert not (it.untouched and what == "vain")
    for turns in (4, 8):
        it.request(now_s + turns * MONEY_BIN_S)
    assert it.untouched == (least > 0)


def test_of_a_plan_that_allows_less_less_is_left_at_once() -> None:
    it = RetryBudget(Retry())
    assert it.untouched
    it.obey(Retry(budget_percent=0, budget_least=0))
    assert not it.untouched and not it.has_room(0.0)
    it.obey(Retry())
    assert it.untouched
