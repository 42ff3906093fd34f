"""Places at providers, and the page that counts them."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.beside.places import Busy, Places


def test_so_many_at_once_and_each_given_back_however_it_ends() -> None:
    places = Places(at_once=2)
    with places.taken("a"), places.taken("b"), places.taken("a"):
        with pytest.raises(Busy, match="2 requests are under way at a"), places.taken("a"):
            pass
        with places.taken("b"):
            pass
    with pytest.raises(KeyError), places.taken("a"):
        raise KeyError
    with pytest.raises(asyncio.CancelledError), places.taken("a"):
        raise asyncio.CancelledError
    page = places.page().decode()
    for line in (
        'tidegate_any_llm_requests_total{provider="a"} 4',
        'tidegate_any_llm_refused_total{provider="a"} 1',
        'tidegate_any_llm_failures_total{provider="a"} 1',
        'tidegate_any_llm_left_total{provider="a"} 1',
        "# TYPE tidegate_any_llm_requests_in_flight gauge",
    ):
        assert f"{line}\n" in page
    assert "in_flight{" not in page


@given(st.lists(st.text(max_size=60), max_size=200))
def test_whatever_a_provider_is_called_the_page_is_bounded_and_whole(names: list[str]) -> None:
    places = Places()
    for name in names:
        with places.taken(name):
            pass
    rows = [row for row in places.page().decode().splitlines() if not row.startswith("#")]
    assert len(rows) <= 65
    assert sum(int(row.rpartition(" ")[2]) for row in rows) == len(names)
    assert all(row.count('"') == 2 and row.isprintable() for row in rows)
