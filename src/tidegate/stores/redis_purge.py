"""Takes out of a shared store what may be given no more: it is a miss at once, and gone soon.

One gateway at a time looks through the labels, in small pieces between which others are answered.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from tidegate.core.cache_labels import Labels
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.redis_invalidations import MOST, STREAM, RedisInvalidations
from tidegate.stores.redis_link import RedisLink
from tidegate.stores.redis_wire import Reply, encode

log = logging.getLogger(__name__)

# The spaces in which answers were put.
SPACES: Final = "tidegate:answers:spaces"
_LOCK: Final = f"{STREAM}:purging"
_LOCK_MS: Final = 10_000
_PIECE: Final = 100
_PATIENCE_S: Final = 1.0
_AGAIN_S: Final = 1.0
# KEYS: what expires when, sizes, their sum, labels. ARGV: prefix, then entries and the labels by
# which each is void, "" for any: what was put in its place meanwhile stays.
DROP: Final = """
local gone = 0
for i = 2, #ARGV, 2 do
  if ARGV[i + 1] == '' or redis.call('HGET', KEYS[4], ARGV[i]) == ARGV[i + 1] then
    redis.call('DECRBY', KEYS[3], tonumber(redis.call('HGET', KEYS[2], ARGV[i]) or '0'))
    redis.call('HDEL', KEYS[2], ARGV[i])
    redis.call('HDEL', KEYS[4], ARGV[i])
    redis.call('ZREM', KEYS[1], ARGV[i])
    gone = gone + redis.call('DEL', ARGV[1] .. ARGV[i])
  end
end
return gone
"""
_decode: Final = msgspec.msgpack.Decoder(Labels).decode
written: Final = msgspec.msgpack.Encoder().encode


def lists_of(space: str) -> list[str]:
    """Beside the answers of a space: when each expires, its size, the sum of sizes, its labels."""
    return [f"{space}:{name}" for name in ("until", "sizes", "size", "labels")]


def prefix_of(space: str) -> str:
    return f"{space}:of:"


class RedisPurge:
    """`gone` counts answers that were taken out here, `forget` is told of each what it was labelled
    by, and its key."""

    def __init__(self, link: RedisLink, invalidations: RedisInvalidations) -> None:
        self.gone = 0
        self.forget: Callable[[Labels, bytes], Awaitable[None]] = _nothing
        self._link = link
        self._invalidations = invalidations
        self._done = invalidations.log.newest

    async def run(self, every_s: float = _AGAIN_S) -> None:
        """Returns never."""
        while True:
            await asyncio.sleep(every_s)
            newest = self._invalidations.log.newest
            if newest == self._done or not self._link.open:
                continue
            try:
                if await self._say("SET", _LOCK, "1", "NX", "PX", _LOCK_MS) is None:
                    continue  # another does, and may have heard less
                await self._purge()
                await self._say("DEL", _LOCK)
                self._done = newest
            except StoreUnavailable as error:
                log.info("void answers are not taken out now: %s", error)
            except Exception:  # nothing may end it
                log.exception("void answers are not taken out now")

    async def _purge(self) -> None:
        spaces = await self._say("SMEMBERS", SPACES)
        for space in spaces if isinstance(spaces, list) else ():
            if isinstance(space, bytes):
                await self._purge_space(space.decode())
        # Who says it with `XADD` alone bounds nothing.
        await self._say("XTRIM", STREAM, "MAXLEN", "~", MOST)

    async def _purge_space(self, space: str) -> None:
        lists, cursor = lists_of(space), "0"
        while True:
            reply = await self._say("HSCAN", lists[-1], cursor, "COUNT", _PIECE)
            if not isinstance(reply, list) or not isinstance(reply[0], bytes):
                return
            void = self._void_of(reply[1])
            if void:
                prefix = prefix_of(space)
                gone = await self._say("EVAL", DROP, len(lists), *lists, prefix, *void)
                self.gone += gone if isinstance(gone, int) else 0
                await self._forget(void)
            await self._say("PEXPIRE", _LOCK, _LOCK_MS)
            cursor = reply[0].decode()
            if cursor == "0":
                return

    async def _forget(self, void: list[bytes]) -> None:
        for entry, told in zip(void[::2], void[1::2], strict=True):
            with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
                await self.forget(_decode(told), entry)

    def _void_of(self, pairs: Reply) -> list[bytes]:
        """Entries with their labels. What cannot be read as labels is void too."""
        found: list[bytes] = []
        words = pairs if isinstance(pairs, list) else []
        for entry, told in zip(words[::2], words[1::2], strict=False):
            if isinstance(entry, bytes) and isinstance(told, bytes):
                try:
                    void = self._invalidations.voids(_decode(told))
                except (msgspec.DecodeError, UnicodeDecodeError):
                    void = True
                if void:
                    found += [entry, told]
        return found

    async def _say(self, *words: bytes | str | float) -> Reply:
        return await self._link.ask(encode(*words), _PATIENCE_S)


async def _nothing(labels: Labels, key: bytes) -> None:
    """Nothing is kept of it elsewhere."""
