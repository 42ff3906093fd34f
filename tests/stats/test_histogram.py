"""Histograms: how far a reading may be from the truth, and that merging loses nothing."""

from math import ceil, inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.stats import histogram as h

VALUES = st.floats(min_value=2e-6, max_value=1e11)


def of(values: list[float]) -> dict[int, int]:
    return h.merged({h.bucket_of(value): 1} for value in values)


def upto(values: list[float], threshold: float) -> float:
    counts = of(values)
    buckets = sorted(counts)
    return h.count_upto(buckets, [counts[bucket] for bucket in buckets], threshold)


@given(VALUES)
def test_a_bucket_is_read_within_two_per_cent_of_any_value_in_it(value: float) -> None:
    assert h.value_of(h.bucket_of(value)) == pytest.approx(value, rel=h.ERROR * 1.000001)


@given(st.lists(VALUES, min_size=1, max_size=60), st.sampled_from((0.0, 0.5, 0.95, 0.99, 1.0)))
def test_a_quantile_is_within_two_per_cent_of_the_sorted_values_own(
    values: list[float], share: float
) -> None:
    exact = sorted(values)[max(ceil(share * len(values) - 1e-9), 1) - 1]
    assert h.quantile(of(values), share) == pytest.approx(exact, rel=h.ERROR * 1.000001)


@given(st.lists(VALUES), st.lists(VALUES))
def test_merging_two_counts_what_one_of_all_values_counts(
    some: list[float], others: list[float]
) -> None:
    into = of(some)
    h.merge(into, of(others))
    assert into == of(some + others)


@given(st.lists(VALUES, min_size=1, max_size=60), VALUES)
def test_a_count_up_to_a_threshold_is_off_by_one_bucket_at_most(
    values: list[float], threshold: float
) -> None:
    low = sum(value <= threshold / h.GAMMA for value in values)
    high = sum(value <= threshold * h.GAMMA for value in values)
    assert low <= upto(values, threshold) <= high


def test_nothing_and_less_are_read_as_nothing() -> None:
    assert h.bucket_of(0.0) == h.bucket_of(-3.0) == h.bucket_of(h.LEAST) == h.LOWEST
    assert h.quantile(of([0.0, 0.0, 5.0]), 0.5) == 0.0
    assert upto([0.0, 5.0], 0.0) == 1.0
    assert upto([0.0, 5.0], -1.0) == 0.0


def test_what_is_too_large_keeps_its_place_at_the_end() -> None:
    assert h.bucket_of(inf) == h.bucket_of(1e300) == h.HIGHEST
    assert upto([1.0, 1e300], inf) == 2.0


def test_no_value_has_no_quantile() -> None:
    assert h.quantile({}, 0.5) is None
    assert upto([], 1.0) == 0.0
