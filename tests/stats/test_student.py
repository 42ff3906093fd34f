"""Against printed tables and exact closed forms."""

from math import atan, comb, pi, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.stats.student import beta_share, half_width, t_quantile, t_share


@pytest.mark.parametrize(
    ("share", "freedom", "quantile"),
    [(0.95, 1, 6.3138), (0.95, 5, 2.0150), (0.975, 30, 2.0423), (0.995, 2, 9.9248)],
)
def test_a_printed_table_is_met(share: float, freedom: float, quantile: float) -> None:
    assert t_quantile(share, freedom) == pytest.approx(quantile, abs=5e-5)


@given(st.floats(-50, 50))
def test_one_and_two_degrees_have_closed_forms(t: float) -> None:
    assert t_share(t, 1) == pytest.approx(0.5 + atan(t) / pi, abs=1e-12)
    assert t_share(t, 2) == pytest.approx(0.5 + t / (2 * sqrt(2 + t * t)), abs=1e-12)


@given(st.floats(0.001, 0.999), st.floats(1, 500))
def test_a_quantile_is_the_inverse(share: float, freedom: float) -> None:
    assert t_share(t_quantile(share, freedom), freedom) == pytest.approx(share, abs=1e-9)


@given(st.integers(1, 60), st.integers(1, 60))
def test_the_beta_function_is_the_binomials_tail(a: int, b: int) -> None:
    tosses = a + b - 1
    tail = sum(comb(tosses, heads) for heads in range(a, tosses + 1)) / 2**tosses
    assert beta_share(a, b, 0.5) == pytest.approx(tail, abs=1e-12)


def test_a_million_degrees_are_the_normal_distribution() -> None:
    assert t_quantile(0.95, 1e7) == pytest.approx(1.644854, abs=1e-6)
    assert t_quantile(0.95, 9e5) == pytest.approx(1.644854, abs=1e-4)


def test_a_width_needs_two_values() -> None:
    assert half_width(4, 4.0, 0.95) == pytest.approx(2.3534, abs=1e-4)
    with pytest.raises(ValueError, match="freedom"):
        half_width(1, 1.0, 0.95)
