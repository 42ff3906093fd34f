"""`cache.worth` of the plan file, and what the loop obeys of it."""

from decimal import Decimal

from tidegate.core.cache_worth import Worth
from tidegate.core.declared_worth import DeclaredWorth


def test_what_is_not_written_is_as_the_loop_has_it() -> None:
    assert DeclaredWorth().worth() == Worth()


def test_dollars_are_numbers_for_the_loop() -> None:
    written = DeclaredWorth(
        "act",
        usd_per_s=Decimal("0.0001"),
        usd_per_cpu_h=Decimal("0.04"),
        store_usd_per_h=Decimal("0.02"),
        wrong_answer_usd=Decimal(2),
        most_wrong=0.02,
        window_s=7200.0,
        least=1000,
        retry_s=3600.0,
    )
    assert written.worth() == Worth("act", 0.0001, 0.04, 0.02, 2.0, 0.02, 7200.0, 1000, 3600.0)
