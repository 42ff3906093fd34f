"""What kept chunks of a route save, as applications say it, and what looking for them takes.

They leave no receipt, so that each gateway process counts them itself.
"""

from msgspec import Struct

from tidegate.core.kept_answer import KeptAnswer


class ChunkWorth(Struct, eq=False):
    """`untold_time` and `untold_money` are hits of which nobody said what they had taken, or cost;
    they are in no other sum. `looked_s` is what all lookups took their callers."""

    looked_s: float = 0.0
    saved_s: float = 0.0
    saved_nanousd: int = 0
    untold_time: int = 0
    untold_money: int = 0

    def hit(self, kept: KeptAnswer) -> None:
        if kept.took_s:
            self.saved_s += kept.took_s
        else:
            self.untold_time += 1
        if kept.cost_nanousd is None:
            self.untold_money += 1
        else:
            self.saved_nanousd += kept.cost_nanousd
