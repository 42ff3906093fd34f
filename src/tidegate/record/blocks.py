"""Receipts of releases to their blocks: one fold for each release that is under way.

A fold remembers units and what it has seen of them, so one that is begun in the middle of a release
(after a restart, or a transaction that failed) is first shown the receipts before, cut where they
were cut then.
"""

from collections.abc import Callable
from typing import Final, Protocol

from sqlalchemy import Engine

from tidegate.core.block import Block
from tidegate.core.receipt import Receipt
from tidegate.stores import blocks, database, unfolded
from tidegate.stores.blocks import Look

# Of so many receipts of the ledger at most; those before have had their say.
MAX_SHOWN: Final = 300_000
MAX_FOLDS: Final = 64
# Looks without a receipt of it, after which a release is forgotten until there is one.
IDLE_LOOKS: Final = 360
# How long gateways may take to obey a weight that moved, or was held again after it had lapsed.
SETTLES_S: Final = 3.0
_A_READ: Final = 5000

WeightOf = Callable[[str], float | None]


class Fold(Protocol):
    """What one release's receipts are folded by, such as `stats.block_fold.BlockFold`."""

    def add(self, receipt: Receipt) -> None: ...

    def close(self, began_s: float, ended_s: float, weight: float | None) -> Block | None: ...


class _Open:
    """A fold with the time and the canary's weight at which its block began. Requests that started
    before `steady_s` may have been assigned at another: with one of them it `is_blurred`."""

    def __init__(self, fold: Fold, began_s: float, now_s: float, weight: float | None) -> None:
        self.fold = fold
        self.began_s = began_s
        self.weight = weight
        self.steady_s = now_s + SETTLES_S
        self.is_blurred = False
        self.idle_looks = 0


class Blocks:
    """Folds what one recorder stores. `weight_of` says the share of units that a rollout's canary
    has by the plan now, None where that is not known. One thread."""

    def __init__(
        self, engine: Engine, node: str, fold_of: Callable[[str], Fold], weight_of: WeightOf
    ) -> None:
        self._engine = engine
        self._node = node
        self._fold_of = fold_of
        self._weight_of = weight_of
        self._open: dict[str, _Open] = {}

    def add(self, receipt: Receipt, folded_seq: int, now_s: float) -> None:
        """Count a receipt of a release; those up to `folded_seq` are in stored blocks. StoreError
        when what was before it cannot be read."""
        rollout = receipt.rollout
        if rollout is None:
            return
        found = self._open.get(rollout)
        if found is None:
            found = self._begin(rollout, folded_seq, now_s)
        found.idle_looks = 0
        if receipt.started_at_s < found.steady_s:
            found.is_blurred = True
        found.fold.add(receipt)

    def close(self, now_s: float) -> list[Block]:
        """The blocks that end now, of all releases."""
        closed = []
        for rollout, one in list(self._open.items()):
            weight = self._weight_of(rollout)
            ended_s = max(now_s, one.began_s)
            # Of a block in which the weight moved nobody can say what share it should have had.
            steady = weight if weight == one.weight and not one.is_blurred else None
            if weight != one.weight:
                one.steady_s = now_s + SETTLES_S
            block = one.fold.close(one.began_s, ended_s, steady)
            if block is not None:
                closed.append(block)
            one.began_s, one.weight, one.is_blurred = ended_s, weight, False
            one.idle_looks += 1
            if one.idle_looks > IDLE_LOOKS:
                del self._open[rollout]
        return closed

    def forget(self) -> None:
        """After a transaction that failed, or may have: what is in memory may be stored or not."""
        self._open.clear()

    def _begin(self, rollout: str, folded_seq: int, now_s: float) -> _Open:
        if len(self._open) >= MAX_FOLDS:
            del self._open[max(self._open, key=lambda name: self._open[name].idle_looks)]
        fold = self._fold_of(rollout)
        with database.reading(self._engine) as connection:
            cuts = blocks.looks(connection, rollout, self._node)
        began_s = cuts[-1].ended_s if cuts else now_s
        if cuts:
            self._show(fold, rollout, cuts, folded_seq)
        weight = self._weight_of(rollout)
        one = self._open[rollout] = _Open(fold, min(began_s, now_s), now_s, weight)
        return one

    def _show(self, fold: Fold, rollout: str, cuts: list[Look], folded_seq: int) -> None:
        """The rollout's receipts before, in the blocks that they were in, which are stored."""
        seq = max(cuts[0].after_seq, folded_seq - MAX_SHOWN)
        waiting = [cut for cut in reversed(cuts) if cut.upto_seq > seq]
        while True:
            with database.reading(self._engine) as connection:
                rows = unfolded.stored_after(
                    connection, self._node, seq, most=_A_READ, upto_seq=folded_seq
                )
            for seq, receipt in rows:
                while waiting and seq > waiting[-1].upto_seq:
                    _cut(fold, waiting.pop())
                if receipt is not None and receipt.rollout == rollout:
                    fold.add(receipt)
            if len(rows) < _A_READ:
                break
        while waiting:
            _cut(fold, waiting.pop())


def _cut(fold: Fold, cut: Look) -> None:
    fold.close(cut.began_s, cut.ended_s, None)
