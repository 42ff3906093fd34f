"""One arm of a block that is still open: what its requests have said so far, and how that becomes
the sums of a closed one."""

from math import log1p
from operator import mul
from typing import Final

from tidegate.core.block import ArmBlock, Moments, Tally
from tidegate.stats.marks import BAD, PLAINLY_BAD, SHARES

# What is said of a unit's request: its marks, its tokens and its cost where they are known.
Said = tuple[int, int | None, int | None]
_SHARES: Final = tuple(enumerate(SHARES))
_ALL: Final = (1 << len(SHARES)) - 1


class OpenArm:
    """Until its block is closed."""

    def __init__(self) -> None:
        self.block = ArmBlock()
        self.by_marks: dict[int, int] = {}
        self.tokens: list[int] = []
        self.costs: list[int] = []
        self.warm_costs: list[int] = []
        self.ttft_s: list[float] = []
        self.total_s: list[float] = []
        self.itl_s: list[float] = []
        self.together: list[list[Said]] = []

    def closed(self) -> ArmBlock:
        block = self.block
        for marks, count in self.by_marks.items():
            block.assigned += count
            if marks & PLAINLY_BAD:
                block.bad += count
            for index, name in _SHARES:
                if marks >> index & 1:
                    tally = block.tallies.get(name)
                    if tally is None:
                        tally = block.tallies[name] = Tally()
                    tally.judged += count
                    tally.bad += count if marks >> index + BAD & 1 else 0
        block.costed, block.cost_nanousd = len(self.costs), sum(self.costs)
        for name, values in (("output_tokens", self.tokens), ("cost", self.warm_costs)):
            if values:
                logs = [log1p(value) for value in values]
                block.moments[name] = Moments(len(logs), sum(logs), sum(map(mul, logs, logs)))
        self._join_units()
        return block

    def _join_units(self) -> None:
        """Each unit's mean of what its requests say. Most say nothing bad: those go by the set of
        metrics that judged them."""
        of = self.block.by_unit
        quiet: dict[int, int] = {}
        for said in self.together:
            self.block.inverse_sizes += 1 / len(said)
            whole = 0
            for marks, _, _ in said:
                whole |= marks
            bad = whole >> BAD
            silent = whole & _ALL & ~bad
            quiet[silent] = quiet.get(silent, 0) + 1
            if bad:
                _join_bad(of, said, bad)
            _join_mean(of, "output_tokens", [tokens for _, tokens, _ in said if tokens is not None])
            _join_mean(of, "cost", [cost for _, _, cost in said if cost is not None])
        for silent, count in quiet.items():
            for index, name in _SHARES:
                if silent >> index & 1:
                    _moments(of, name).count += count


def _join_bad(of: dict[str, Moments], said: list[Said], bad: int) -> None:
    for index, name in _SHARES:
        if bad >> index & 1:
            judged = sum(marks >> index & 1 for marks, _, _ in said)
            _moments(of, name).add(sum(marks >> index + BAD & 1 for marks, _, _ in said) / judged)


def _join_mean(of: dict[str, Moments], name: str, values: list[int]) -> None:
    if values:
        _moments(of, name).add(sum(map(log1p, values)) / len(values))


def _moments(of: dict[str, Moments], name: str) -> Moments:
    found = of.get(name)
    if found is None:
        found = of[name] = Moments()
    return found
