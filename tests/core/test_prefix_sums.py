"""Shares of what was cached, honest about what nobody told."""

from tidegate.core.prefix_sums import PrefixSums


def sums(**fields: int) -> PrefixSums:
    usual = dict.fromkeys(PrefixSums.__struct_fields__[3:], 0)
    return PrefixSums("chat", "7", "m", **{**usual, **fields})


def test_a_share_is_of_what_was_told_and_at_least_of_all() -> None:
    found = sums(input_tokens=200, told_tokens=100, read_tokens=50)
    assert (found.cached_share, found.least_cached_share) == (0.5, 0.25)


def test_where_nobody_told_no_share_is_known() -> None:
    found = sums(input_tokens=200, untold=3)
    assert found.cached_share is found.least_cached_share is None
