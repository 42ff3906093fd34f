"""Both ends of a feed server: where its entries come from, and a gateway that follows."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable

from msgspec import Raw

from tidegate.control.feed_server import FeedServer
from tidegate.core import feed
from tidegate.core.feed import (
    AnswersInvalidated,
    ChangesInForce,
    Entry,
    Hello,
    InForce,
    Invalidation,
    KeyChanged,
    PlanPublished,
)
from tidegate.core.layout import Layout

PLAN = PlanPublished(3, Raw(b"\x80"))
IN_FORCE = ChangesInForce(1, (InForce("c1", "target_off", "small", 1.0, 60.0),))


Body = Callable[[FeedServer], Awaitable[None]]


class Source:
    """Entries in memory; those below `kept_from` are gone."""

    def __init__(self, count: int = 0) -> None:
        self.entries = [Entry(n + 1, KeyChanged(f"key{n:05d}")) for n in range(count)]
        self.kept_from = 1
        self.broken = False
        self.invalidations: tuple[Invalidation, ...] = ()
        self.epoch = self.beat = 0
        self.stall_at = -1
        self.stalled = threading.Event()
        self.go_on = threading.Event()

    def add(self) -> int:
        seq = len(self.entries) + 1
        self.entries.append(Entry(seq, KeyChanged(f"key{seq:05d}")))
        return seq

    def newest_seq(self) -> int:
        return len(self.entries)

    def entries_after(self, seq: int) -> list[Entry] | None:
        if self.broken:
            raise RuntimeError("the store is away")
        if not self.kept_from - 1 <= seq <= len(self.entries):
            return None
        found = self.entries[seq:]
        if seq == self.stall_at:
            self.stalled.set()
            self.go_on.wait(30)
        return found

    def current_plan(self) -> PlanPublished:
        return PLAN

    def current_changes(self) -> ChangesInForce:
        return IN_FORCE

    def invalidated_lately(self) -> AnswersInvalidated:
        return AnswersInvalidated(self.invalidations)

    def pulse(self) -> tuple[int, int]:
        return self.epoch, self.beat


class Gateway:
    """A gateway's end of the feed."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(
        cls, layout: Layout, last_seq: int, name: str = "gateway-0", plan_version: int = 0
    ) -> "Gateway":
        reader, writer = await asyncio.open_unix_connection(layout.feed_socket)
        gateway = cls(reader, writer)
        gateway.say(Hello(name, os.getpid(), last_seq, plan_version))
        return gateway

    def say(self, message: feed.FromGateway) -> None:
        self._writer.write(feed.encode_message(message))

    async def hear(self) -> feed.ToGateway:
        async with asyncio.timeout(10):
            (length,) = feed.LENGTH.unpack(await self._reader.readexactly(feed.LENGTH.size))
            return feed.decode_to_gateway(await self._reader.readexactly(length))

    async def entry(self) -> Entry:
        async with asyncio.timeout(10):  # heartbeats alone do not count
            while True:
                message = await self.hear()
                if isinstance(message, Entry):
                    return message

    def close(self) -> None:
        self._writer.transport.abort()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  (nothing tells of it)
            await asyncio.sleep(0.005)
