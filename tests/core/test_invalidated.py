"""What is void is so by what was invalidated after it was asked for, and by nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core import clock
from tidegate.core.cache_labels import EVERYTHING, Labels, Selector
from tidegate.core.invalidated import Invalidated, Times

WORDS = st.sampled_from(["a", "b", "c"])
MAYBE = st.none() | WORDS
LABELS = st.builds(
    Labels,
    route=WORDS,
    team=MAYBE,
    customer=MAYBE,
    model=MAYBE,
    served=MAYBE,
    tags=st.lists(WORDS, max_size=3).map(tuple),
    sources=st.lists(WORDS, max_size=2).map(tuple),
)
SELECTORS = st.one_of(
    st.builds(Selector, tag=WORDS, team=MAYBE, source=MAYBE, model=MAYBE),
    st.builds(Selector, route=WORDS, customer=MAYBE, team=WORDS),
    st.just(EVERYTHING),
)
SAID = st.lists(SELECTORS, max_size=30)


@given(SAID, LABELS, st.integers(0, 30), st.randoms(use_true_random=False))
def test_it_is_void_by_what_it_matches_that_came_after_it(
    said: list[Selector], labels: Labels, since: int, chance: object
) -> None:
    log, numbered = Invalidated(0), list(enumerate(said, 1))
    chance.shuffle(numbered)  # type: ignore[attr-defined]
    for number, selector in numbered:
        log.add(number, selector)
    after = [one for number, one in numbered if number > since and one.matches(labels)]
    assert log.voids(labels, since) == bool(after)


@given(SAID, LABELS, st.integers(0, 30), st.integers(1, 4))
def test_what_is_forgotten_makes_more_void_and_never_less(
    said: list[Selector], labels: Labels, since: int, most: int
) -> None:
    log, whole = Invalidated(0, most), Invalidated(0)
    for number, selector in enumerate(said, 1):
        log.add(number, selector)
        whole.add(number, selector)
        assert len(log) <= most
    assert log.voids(labels, since) or not whole.voids(labels, since)
    assert not log.voids(labels, len(said)), "it was asked for after all of them"


def test_times_say_what_was_the_newest_before(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [10.0]
    monkeypatch.setattr(clock, "monotonic_s", lambda: now[0])
    times = Times("none")
    assert times.before(99.0) == "none"
    for at_s, value in ((10.0, "a"), (12.0, "b"), (12.0, "c")):
        now[0] = at_s
        times.add(value)
    assert [times.before(s) for s in (9.0, 10.0, 11.0, 12.0, 12.5)] == [
        "none",
        "none",
        "a",
        "a",
        "c",
    ]


def test_of_what_is_too_long_ago_nothing_is_known() -> None:
    times = Times(0)
    for number in range(1, 3000):
        times.add(number)
    assert times.before(0.0) == 0
    assert times.before(clock.monotonic_s() + 1.0) == 2999
