"""Whatever fails in whatever order: each way is told each thing once, and its end once."""

import random
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from tests.stores import rig
from tests.stores.test_notices import NOON_S, tell

from tidegate.core.notice import NotDelivered, Notice
from tidegate.stores import database, deliveries, notices
from tidegate.stores.deliveries import LEASE_S
from tidegate.stores.schema_notices import notices as table

WAYS = {"knows": True, "forgets": False}  # whether the receiver knows a message again


class Receiver:
    """Takes messages, loses answers, is away; its sender may die at any moment."""

    def __init__(self, repeatable: bool) -> None:
        self.repeatable = repeatable
        self.told: dict[str, tuple[str | None, frozenset[str]]] = {}
        self.copies: Counter[str] = Counter()

    def take(self, message: str, ends: str | None, found: list[Notice]) -> None:
        what = ends, frozenset(one.id for one in found)
        assert self.told.setdefault(message, what) == what  # the same at each try
        self.copies[message] += 1


class World:
    def __init__(self, engine: Engine, seed: int) -> None:
        self.engine = engine
        self.random = random.Random(seed)
        self.now_s = NOON_S
        self.receivers = {name: Receiver(knows) for name, knows in WAYS.items()}

    def note(self) -> None:
        severity = self.random.choice(["page", "ticket", "info"])
        over = self.random.random() < 0.4
        one = tell(f"k{self.random.randrange(12)}", severity=severity, resolved=over)
        with database.writing(self.engine) as connection:
            notices.note(connection, one, self.now_s)

    def look(self) -> None:
        with database.writing(self.engine) as connection:
            deliveries.route(connection, lambda _: WAYS, self.now_s)
            deliveries.end_told(connection, self.now_s)

    def send(self, way: str, calm: bool = False) -> None:
        receiver = self.receivers[way]
        with database.writing(self.engine) as connection:
            claimed = deliveries.claim(connection, way, self.now_s, receiver.repeatable)
        if claimed is None:
            return
        delivery, found = claimed
        fate = "taken" if calm else self.random.choice(["taken"] * 4 + ["away", "lost", "killed"])
        if fate in ("taken", "lost") or (fate == "killed" and self.random.random() < 0.5):
            receiver.take(delivery.id, delivery.ends, found)
        if fate == "killed":
            return
        with database.writing(self.engine) as connection:
            if fate == "taken":
                deliveries.delivered(connection, delivery, self.now_s)
            else:
                unknown = fate == "lost" and not receiver.repeatable
                why = NotDelivered(fate, unknown=unknown)
                deliveries.failed(connection, delivery, why, self.now_s)

    def step(self) -> None:
        self.now_s += self.random.choice([0.0, 0.5, 1.0, 7.0, LEASE_S])
        what = self.random.random()
        if what < 0.35:
            self.note()
        elif what < 0.6:
            self.look()
        else:
            self.send(self.random.choice(list(WAYS)))

    def settle(self) -> None:
        """Everybody answers now, until nothing is left to send."""
        with database.reading(self.engine) as connection:
            still = notices.recent(connection, only_open=True, limit=1000)
        for one in still:
            with database.writing(self.engine) as connection:
                notices.note(connection, tell(one.key, resolved=True), self.now_s)
        for _ in range(200):
            self.now_s += LEASE_S + 1
            self.look()
            for way in WAYS:
                self.send(way, calm=True)
            with database.reading(self.engine) as connection:
                if not deliveries.busy(connection) and not deliveries.anything_new(
                    connection, self.now_s
                ):
                    return
        raise AssertionError("it never comes to rest")


@pytest.mark.parametrize("seed", range(3))
def test_each_way_is_told_each_thing_once_and_its_end_once(tmp_path: Path, seed: int) -> None:
    engine = rig.migrated(tmp_path / "ledger.db")
    world = World(engine, seed)
    for _ in range(160):
        world.step()
    world.settle()
    for receiver in world.receivers.values():
        told = Counter(
            one for ends, found in receiver.told.values() if ends is None for one in found
        )
        assert set(told.values()) <= {1}
        ended = Counter(ends for ends, _ in receiver.told.values() if ends is not None)
        assert set(ended.values()) <= {1}
        assert receiver.repeatable or set(receiver.copies.values()) <= {1}
        for ends, found in receiver.told.values():
            assert ends is None or ends not in receiver.told or found == receiver.told[ends][1]
    with database.reading(engine) as connection:
        rows = connection.execute(select(table.c.id, table.c.resolution)).all()
    noted = {row.id for row in rows if row.resolution is not None}  # nothing graver followed
    knows = world.receivers["knows"].told
    new = {one: found for one, (ends, found) in knows.items() if ends is None}
    assert noted <= frozenset().union(*new.values())
    ended = {ends for ends, _ in knows.values()}
    assert {one for one, found in new.items() if found & noted} == ended - {None}
    assert len(noted) > 10
    engine.dispose()
