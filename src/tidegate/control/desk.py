"""All that an answer of the control API may draw on. One per process, passed to every call."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import Engine

from tidegate.control.errors import ApiError
from tidegate.control.feed_server import FeedServer
from tidegate.control.plans import Plans
from tidegate.core.key import digest_of
from tidegate.core.layout import Layout
from tidegate.stores import database, feed
from tidegate.stores.errors import StoreError

# How long an answer waits for gateways to obey before it names those that do not yet.
OBEY_TIMEOUT_S = 1.0

T = TypeVar("T")


class Desk(Struct):
    """`render_metrics` gives the text of `/metrics`; `peppers` are by version."""

    layout: Layout
    engine: Engine
    plans: Plans
    feed: FeedServer
    peppers: dict[int, bytes]
    render_metrics: Callable[[], bytes]
    ending: bool = False  # long polls answer at once

    def digest(self, key: str) -> tuple[bytes, int]:
        """The digest of a new key, and the version of the pepper that it is made under."""
        version = max(self.peppers)
        return digest_of(key.encode(), self.peppers[version]), version

    async def store(self, ask: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Run a blocking question to the store off the loop. ApiError when the store fails."""
        try:
            return await asyncio.to_thread(ask, self.engine, *arguments, **named)
        except StoreError as error:
            raise ApiError("store_unavailable", f"The database cannot be used: {error}") from error

    async def obeyed(self, seq: int) -> list[str]:
        """Hasten entry `seq` and wait for it; the gateways that do not obey it yet."""
        self.feed.wake()
        return await self.feed.acknowledged(seq, OBEY_TIMEOUT_S)

    async def newest_seq(self) -> int:
        """The number of the feed's newest entry."""
        return await self.store(_newest_seq)


def _newest_seq(engine: Engine) -> int:
    with database.reading(engine) as connection:
        return feed.newest_seq(connection)
