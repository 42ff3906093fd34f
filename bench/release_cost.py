"""CPU of folding a release's receipts, and of judging its blocks."""

import copy
import time

from bench.release_traffic import LOOK_S, Release, Traffic
from tidegate.core.rollout import Rollout
from tidegate.stats.analysis import begin, take
from tidegate.stats.block_fold import BlockFold
from tidegate.stats.verdict import verdicts

A_BLOCK, BLOCKS, ROUNDS = 2000, 20, 5


def run() -> int:
    """Prints the best of some rounds: microseconds."""
    traffic = Traffic(Release(a_user=8, source="made"), 1)
    receipts = [copy.copy(traffic.request(0.1, 1.0)) for _ in range(A_BLOCK * BLOCKS)]
    rollout = Rollout("chat/next", "chat", "", "bench", {})
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, us in _round(receipts, rollout).items():
            best[name] = min(us, best.get(name, us))
    for name, us in best.items():
        print(f"{name}: {us:.1f} us")
    return 0


def _round(receipts: list, rollout: Rollout) -> dict[str, float]:
    fold, blocks, added, closed = BlockFold("chat/next"), [], 0.0, 0.0
    for number in range(BLOCKS):
        start = time.process_time()
        for receipt in receipts[number * A_BLOCK : (number + 1) * A_BLOCK]:
            fold.add(receipt)
        added += time.process_time() - start
        start = time.process_time()
        blocks.append(fold.close(number * LOOK_S, (number + 1) * LOOK_S, 0.1))
        closed += time.process_time() - start
    analysis = begin(rollout)
    start = time.process_time()
    for block in blocks:
        analysis = take(analysis, rollout, block)
    taken = time.process_time() - start
    start = time.process_time()
    for _ in blocks:
        verdicts(analysis, rollout)
    judged = time.process_time() - start
    return {
        "folding a receipt": 1e6 * added / len(receipts),
        "closing a block, by receipt": 1e6 * closed / len(receipts),
        f"taking a block, {len(analysis.metrics)} metrics": 1e6 * taken / BLOCKS,
        "all verdicts": 1e6 * judged / BLOCKS,
    }
