"""Of whom, and before when, something is deleted."""

import pytest

from tidegate.core.deletion import Deletion


@pytest.mark.parametrize(
    ("what", "covered"),
    [
        (Deletion(10.0), True),
        (Deletion(9.0), False),
        (Deletion(10.0, "acme"), True),
        (Deletion(10.0, "beta"), False),
        (Deletion(10.0, "acme", "ana"), True),
        (Deletion(10.0, None, "bob"), False),
    ],
)
def test_it_covers_what_was_said_before_by_whom_it_names(what: Deletion, covered: bool) -> None:
    assert what.covers(9.0, "acme", "ana") is covered
