"""Receipts of releases to their blocks: one fold for each release that is under way.

A fold remembers units and what it has seen of them, so one that is begun in the middle of a release
(after a restart, or a transaction that failed) is first shown the receipts before, cut where they
were cut then.
"""

import logging
from collections.abc import Callable, Container
from math import inf
from typing import Final, Protocol

from sqlalchemy import Engine

from tidegate.core.arm import dial_scope
from tidegate.core.block import Block
from tidegate.core.receipt import Receipt
from tidegate.stores import blocks, database, release_weights, unfolded, unit_homes
from tidegate.stores.blocks import Look
from tidegate.stores.unfolded import Stretch

# Of so many receipts of the ledger at most; those before have had their say.
MAX_SHOWN: Final = 300_000
# Each has as many units as its release had, at most `stats.block_fold.MAX_UNITS`.
MAX_FOLDS: Final = 512
# Looks without a receipt of it, after which a release is forgotten until there is one.
IDLE_LOOKS: Final = 360
_A_READ: Final = 5000
# After a weight was set the last gateway may have the one before for so long.
SPREAD_S: Final = 2.0

_log = logging.getLogger(__name__)


class Fold(Protocol):
    """What one release's receipts are folded by, such as `stats.block_fold.BlockFold`."""

    def add(self, receipt: Receipt) -> None: ...

    def arrived(self) -> set[int]: ...

    def disown(self, guests: Container[int], nodes: int) -> None: ...

    def close(self, began_s: float, ended_s: float, weight: float | None) -> Block | None: ...


class _Open:
    """A fold whose block began at `began_s`. `weight` has been the canary's since `since_s` at the
    latest; `oldest_s` is when the first to begin of its requests did."""

    def __init__(self, fold: Fold, route: str, began_s: float) -> None:
        self.fold = fold
        self.route = route
        self.began_s = began_s
        self.weight: float | None = None
        self.since_s = inf
        self.oldest_s = inf
        self.idle_looks = 0

    def weigh(self, weight: float, now_s: float) -> float | None:
        """The weight at which all requests of the block were assigned. None where it moved
        meanwhile: of such a block nobody can say what share of units the canary should have."""
        if weight != self.weight:
            self.weight, self.since_s = weight, now_s + SPREAD_S
            return None
        return weight if self.oldest_s >= self.since_s else None


class Blocks:
    """Folds what one recorder stores, each release by what `fold_of` makes for it. One thread."""

    def __init__(self, engine: Engine, node: str, fold_of: Callable[[str], Fold]) -> None:
        self._engine = engine
        self._node = node
        self._fold_of = fold_of
        self._open: dict[str, _Open] = {}
        # The other recorders that a release's units came to first.
        self._homes: dict[str, set[str]] = {}
        self._is_full = False

    def add(self, receipt: Receipt, folded_seq: int, now_s: float) -> None:
        """Count a receipt of a release; those up to `folded_seq` are in stored blocks. StoreError
        when what was before it cannot be read."""
        rollout = receipt.rollout
        if rollout is None:
            return
        found = self._open.get(rollout)
        if found is None:
            if len(self._open) >= MAX_FOLDS and not self._make_room(rollout):
                return
            found = self._begin(rollout, receipt.route or "", folded_seq, now_s)
        found.idle_looks = 0
        found.oldest_s = min(found.oldest_s, receipt.started_at_s)
        found.fold.add(receipt)

    def close(self, now_s: float) -> list[Block]:
        """The blocks that end now, of all releases. StoreError when weights cannot be read."""
        if not self._open:
            return []
        self._is_full = False
        with database.reading(self._engine) as connection:
            weights = release_weights.by_scope(connection, now_s)
        closed = []
        for rollout, one in list(self._open.items()):
            self._settle_homes(rollout, one.fold, now_s)
            ended_s = max(now_s, one.began_s)
            in_lane = dial_scope(one.route, rollout, in_lane=True)
            weight = one.weigh(weights.get(in_lane, weights.get(one.route, 0.0)), now_s)
            block = one.fold.close(one.began_s, ended_s, weight)
            if block is not None:
                closed.append(block)
            one.began_s, one.oldest_s = ended_s, inf
            one.idle_looks += 1
            if one.idle_looks > IDLE_LOOKS:
                self._drop(rollout)
        return closed

    def forget(self) -> None:
        """After a transaction that failed, or may have: what is in memory may be stored or not."""
        self._open.clear()
        self._homes.clear()

    def _drop(self, rollout: str) -> None:
        del self._open[rollout]
        self._homes.pop(rollout, None)

    def _begin(self, rollout: str, route: str, folded_seq: int, now_s: float) -> _Open:
        fold = self._fold_of(rollout)
        with database.reading(self._engine) as connection:
            cuts = blocks.looks(connection, rollout, self._node)
        began_s = cuts[-1].ended_s if cuts else now_s
        if cuts:
            self._show(fold, (rollout, route), cuts, folded_seq)
        one = self._open[rollout] = _Open(fold, route, min(began_s, now_s))
        return one

    def _settle_homes(self, rollout: str, fold: Fold, now_s: float) -> None:
        """Where several record, each unit is counted by the one that it came to first."""
        arrived = fold.arrived() if self._node else None
        if not arrived:
            return
        with database.writing(self._engine, alone=False) as connection:
            guests = unit_homes.claim(connection, rollout, self._node, arrived, now_s)
        homes = self._homes.setdefault(rollout, set())
        homes.update(guests.values())
        fold.disown(guests, len(homes) + 1)

    def _make_room(self, rollout: str) -> bool:
        """Forgets the release that has had no receipt for longest. Whether there is one: a block
        that has begun is never forgotten, so what came last of too many is in none."""
        longest = max(self._open, key=lambda name: self._open[name].idle_looks)
        if self._open[longest].idle_looks > 0:
            self._drop(longest)
            return True
        if not self._is_full:
            _log.error("more than %d releases at once: %s is not judged", MAX_FOLDS, rollout)
        self._is_full = True
        return False

    def _show(self, fold: Fold, whose: tuple[str, str], cuts: list[Look], folded_seq: int) -> None:
        """The receipts before of the rollout and its route, in the blocks that they were in, which
        are stored."""
        rollout, route = whose
        seq = max(cuts[0].after_seq, folded_seq - MAX_SHOWN)
        waiting = [cut for cut in reversed(cuts) if cut.upto_seq > seq]
        while True:
            with database.reading(self._engine) as connection:
                which = Stretch(seq, folded_seq, route)
                rows = unfolded.stored(connection, self._node, which, most=_A_READ)
            for seq, receipt in rows:
                while waiting and seq > waiting[-1].upto_seq:
                    self._cut(fold, rollout, waiting.pop())
                if receipt is not None and receipt.rollout == rollout:
                    fold.add(receipt)
            if len(rows) < _A_READ:
                break
        while waiting:
            self._cut(fold, rollout, waiting.pop())

    def _cut(self, fold: Fold, rollout: str, cut: Look) -> None:
        self._settle_homes(rollout, fold, cut.ended_s)
        fold.close(cut.began_s, cut.ended_s, cut.weight)
