"""What signals must say of a ledger: every receipt in it folded once, in one go."""

import random
from collections.abc import Container, Iterator
from itertools import pairwise
from typing import Any

from msgspec import structs
from sqlalchemy import Engine, select
from tests.stores import rig as stores

from tidegate.core.bin import BinKey
from tidegate.core.block import ArmBlock, Block, Tally
from tidegate.core.receipt import Receipt
from tidegate.record.bins import Bins
from tidegate.stores import blocks, database, unfolded
from tidegate.stores.schema_signals import release_blocks, signal_details, signal_scopes, signals
from tidegate.stores.signal_bins import SPANS_S, together
from tidegate.stores.signal_rows import Row, add, copied, row_of, unpacked
from tidegate.stores.unfolded import Stretch

Slot = tuple[int, int, str, str, str, str]


class CountingFold:
    """A release's fold that counts requests, and units each once as long as it lives."""

    def __init__(self, rollout: str) -> None:
        self.rollout = rollout
        self.units: set[int | None] = set()
        self.arms = (ArmBlock(), ArmBlock())

    def add(self, receipt: Receipt) -> None:
        arm = self.arms[receipt.arm == "canary"]
        arm.assigned += 1
        arm.units += receipt.unit not in self.units
        self.units.add(receipt.unit)
        tally = arm.tallies.setdefault("error", Tally())
        tally.judged += 1
        tally.bad += receipt.error_code is not None

    def arrived(self) -> set[int]:
        return set()

    def disown(self, guests: Container[int], nodes: int) -> None:
        raise AssertionError("nobody has arrived")

    def close(self, began_s: float, ended_s: float, weight: float | None) -> Block | None:
        arms, self.arms = self.arms, (ArmBlock(), ArmBlock())
        if not any(arm.assigned for arm in arms):
            return None
        return Block(self.rollout, 0, began_s, ended_s, weight, *arms)


def receipts(draw: random.Random, count: int, at_s: float = stores.NOON_S) -> Iterator[Receipt]:
    """Requests of all kinds, of an hour and more."""
    for _ in range(count):
        failed = draw.random() < 0.1
        rollout = draw.choice((None, "faster"))
        yield stores.receipt(
            at_s + draw.uniform(0, 4000),
            route="chat" if rollout else draw.choice(("chat", "search", None)),
            target=draw.choice(("small", "large")),
            customer=draw.choice((None, "acme", "bolt")),
            rollout=rollout,
            arm=draw.choice(("stable", "canary")) if rollout else None,
            unit=draw.randrange(9) if rollout else None,
            unit_kind="user" if rollout else None,
            stream=True,
            ttft_s=draw.uniform(0.01, 3),
            total_s=draw.uniform(0.1, 90),
            itl_mean_s=draw.uniform(0.001, 0.1),
            output_tokens=draw.randrange(1, 500),
            cost_nanousd=draw.choice((None, 5, 7000)),
            error_code="upstream_unavailable" if failed else None,
            error_fault="provider" if failed else None,
        )


def in_ledger(engine: Engine) -> list[Receipt]:
    with database.reading(engine) as connection:
        rows = unfolded.stored(connection, "", Stretch(0), most=10**9)
    return [receipt for _, receipt in rows if receipt is not None]


def expected(engine: Engine) -> dict[Slot, dict[str, Any]]:
    """By span, start and scope, from the ledger alone."""
    bins = Bins()
    for one in in_ledger(engine):
        bins.fold(one)
    slots: dict[Slot, Row] = {}
    for key, whole in bins.take().items():
        for span_s in SPANS_S:
            slot = span_s, _start(key, span_s), *key[1:]
            if slot in slots:
                add(slots[slot], row_of(whole))
            else:
                slots[slot] = copied(row_of(whole))
    return {slot: comparable(row) for slot, row in slots.items()}


def stored(engine: Engine) -> dict[Slot, dict[str, Any]]:
    """By span, start and scope, as the store has it."""
    c, scope, beside = signals.c, signal_scopes.c, signal_details.c
    names = (scope.route, scope.arm, scope.release, scope.target)
    query = select(c.span_s, c.start_s, *names, *list(c)[5:], *list(beside)[4:])
    joined = query.join(signal_scopes, scope.id == c.scope).join(signal_details, together())
    with database.reading(engine) as connection:
        rows = connection.execute(joined).all()
    found = {tuple(row[:6]): comparable(unpacked(row[6:])) for row in rows}
    assert len(found) == len(rows)
    return found


def comparable(row: Row) -> dict[str, Any]:
    """Without the moments of units, whose parts of ten seconds are cut by the recorder's clock."""
    said = structs.asdict(row)
    said["detail"] = row.detail.by
    return said


def blocks_of(engine: Engine, rollout: str = "faster") -> list[tuple[int, Block]]:
    with database.reading(engine) as connection:
        found = blocks.after(connection, rollout, 0, most=10**9)
        looks = connection.execute(
            select(release_blocks.c.after_seq, release_blocks.c.upto_seq).order_by(
                release_blocks.c.seq
            )
        ).all()
    for before, after in pairwise(looks):
        assert before.upto_seq <= after.after_seq
    return found


def _start(key: BinKey, span_s: int) -> int:
    return key.minute_s - key.minute_s % span_s
