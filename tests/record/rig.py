"""Journals as gateways write them, and what a recorder made of them."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, select
from tests.stores import rig as stores

from tidegate.core.layout import segment_name
from tidegate.core.receipt import SEGMENT_MAGIC, Receipt, encode_frame
from tidegate.record.tail import JournalTail
from tidegate.stores import database, schema

receipt = stores.receipt

# Makes a tail of a folder, from a position; it is closed when the test ends.
Follow = Callable[..., JournalTail]


class Writer:
    """A gateway's journal: one growing segment after another."""

    def __init__(self, folder: Path, segment: int = 1) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.segment = segment
        self.raw(SEGMENT_MAGIC)

    @property
    def path(self) -> Path:
        return self.folder / segment_name(self.segment)

    def raw(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)

    def add(self, *several: Receipt) -> list[str]:
        self.raw(b"".join(encode_frame(one) for one in several))
        return [one.id for one in several]

    def add_new(self, count: int) -> list[str]:
        return self.add(*(receipt() for _ in range(count)))

    def roll(self) -> None:
        self.segment += 1
        self.raw(SEGMENT_MAGIC)


def taken(tail: JournalTail, max_receipts: int = 1000) -> list[str]:
    """Ids of everything there is to take now."""
    ids: list[str] = []
    while True:
        entries = tail.take(max_receipts)
        if not entries:
            return ids
        ids += [one.id for one, _ in entries]


def framed(payload: bytes) -> bytes:
    """`payload` as a journal's frame, whatever it is."""
    return struct.pack("<II", len(payload), zlib.crc32(payload)) + payload


def ledger_ids(engine: Engine) -> list[str]:
    """Ids in the order of arrival, each as often as it is there."""
    with database.reading(engine) as connection:
        query = select(schema.receipts.c.id).order_by(schema.receipts.c.seq)
        return list(connection.execute(query).scalars())


class HandClock:
    """A monotonic clock that moves when told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s
