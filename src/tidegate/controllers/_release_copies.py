"""What copies for a release have cost, all gateways together: each knows of its own alone."""

from tidegate.controllers._release_words import ShadowSeen
from tidegate.core.rollout import Shadow


def spent(shadow: Shadow, seen: ShadowSeen) -> bool:
    """Whether they have cost all that they may. One whose cost nobody knows counts as the others do
    on average; where none is known, nobody knows that anything is left."""
    priced = seen.copies - seen.unpriced
    if seen.unpriced and not priced:
        return True
    if not priced:
        return False
    return seen.cost_nanousd * seen.copies >= shadow.budget_nanousd * priced
