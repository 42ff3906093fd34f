"""What the copies of one release's requests have come to in this gateway process."""

from collections import Counter
from typing import Final

from msgspec import Struct, field

# At once, of one release: so many bodies are kept for it.
MOST_IN_FLIGHT: Final = 8


class Copies(Struct, eq=False):
    """`held_nanousd` is the most that those under way can cost. `skipped` counts, by reason, those
    that were drawn and not sent."""

    in_flight: int = 0
    sent: int = 0
    spent_nanousd: int = 0
    held_nanousd: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def full(self) -> bool:
        return self.in_flight >= MOST_IN_FLIGHT

    def affords(self, most_nanousd: int | None, budget_nanousd: int) -> bool:
        """Whether one that can cost so much is within what all of them may cost; nobody knows what
        may be lost with one whose cost is unknown."""
        if most_nanousd is None:
            return False
        return self.spent_nanousd + self.held_nanousd + most_nanousd <= budget_nanousd

    def begin(self, most_nanousd: int) -> None:
        """One is sent, and may cost so much."""
        self.sent += 1
        self.in_flight += 1
        self.held_nanousd += most_nanousd

    def end(self, most_nanousd: int, cost_nanousd: int) -> None:
        """It has ended, whatever came of it."""
        self.in_flight -= 1
        self.held_nanousd -= most_nanousd
        self.spent_nanousd += cost_nanousd
