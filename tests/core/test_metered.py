"""The most that a ranking can count as."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.metered import DOCUMENTS_A_SEARCH, search_units


def test_a_hundred_documents_are_one_search() -> None:
    assert search_units([100] * DOCUMENTS_A_SEARCH) == 1
    assert search_units([100] * (DOCUMENTS_A_SEARCH + 1)) == 2
    assert search_units([250 * 150]) == 2  # cut into so many parts


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=50))
def test_more_documents_are_no_fewer_searches(sizes: list[int]) -> None:
    assert 1 <= search_units(sizes[1:] or sizes) <= search_units(sizes)
