"""Who has no place hears why, and when to come again."""

import pytest

from tidegate.gateway.no_place import MAX_RETRY_AFTER_S, MIN_RETRY_AFTER_S, overloaded, too_short


@pytest.mark.parametrize(
    ("wait_s", "retry_after_s"),
    [(None, MIN_RETRY_AFTER_S), (0.01, MIN_RETRY_AFTER_S), (7.5, 7.5), (1e9, MAX_RETRY_AFTER_S)],
)
def test_when_to_come_again_is_within_bounds(wait_s: float | None, retry_after_s: float) -> None:
    assert overloaded("too many", wait_s).retry_after_s == retry_after_s


def test_a_deadline_is_set_against_what_the_wait_would_be() -> None:
    no = too_short(2.0, 7.2)
    assert no.retry_after_s == 7.2
    assert "free in about 8 s, and the caller waits 2 s" in no.message
    assert "has passed" in too_short(-1.0, None).message
