"""Priority classes: their order, and who may lower what."""

from typing import get_args

from tidegate.core.priority import PRIORITIES, Priority, lower, rank


def test_interactive_goes_first_and_batch_last() -> None:
    assert sorted(get_args(Priority), key=rank) == ["interactive", "standard", "batch"]


def test_the_lower_one_is_what_is_granted_whoever_asks() -> None:
    for one in PRIORITIES:
        for other in PRIORITIES:
            assert rank(lower(one, other)) == max(rank(one), rank(other))
