import pytest

from tidegate.controllers._release_copies import spent
from tidegate.controllers._release_words import ShadowSeen
from tidegate.core.rollout import Shadow

BUDGET = Shadow(budget_nanousd=1000)


@pytest.mark.parametrize(
    ("seen", "is_spent"),
    [
        (ShadowSeen(), False),
        (ShadowSeen(copies=9, cost_nanousd=999), False),
        (ShadowSeen(copies=9, cost_nanousd=1000), True),
        (ShadowSeen(copies=1000, cost_nanousd=0), False),  # an engine of one's own
        (ShadowSeen(copies=10, cost_nanousd=500, unpriced=4), False),
        (ShadowSeen(copies=10, cost_nanousd=500, unpriced=5), True),
        (ShadowSeen(copies=1, unpriced=1), True),
    ],
)
def test_what_nobody_knows_the_cost_of_is_never_nothing(seen: ShadowSeen, is_spent: bool) -> None:
    assert spent(BUDGET, seen) is is_spent
