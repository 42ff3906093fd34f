"""Answers kept in Redis or Valkey, for all gateways: bounded in bytes a route, and in time.

A lookup is one `GET` within the deadline of the connection, which is its own: what cannot be had in
time is a miss. What would expire soonest makes room. A value is checked by a CRC-32 over its key
too, so that one that stands under another's is as good as none.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from tidegate.core import clock
from tidegate.core.cache import Tier
from tidegate.core.kept_answer import Found, KeptAnswer, packed, unpacked
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.redis_address import RedisAddress
from tidegate.stores.redis_link import RedisLink
from tidegate.stores.redis_wire import RedisRefused, Reply, encode

log = logging.getLogger(__name__)

_VERSION: Final = "3"
# KEYS: what expires when, sizes, their sum. ARGV: entry, value, milliseconds, most bytes, prefix.
# A server that is full refuses the value, and nothing has happened. Lists outlive what is in them;
# where the server has thrown one away, the sum begins anew, or it would have no room for ever.
_PUT: Final = """
local made = redis.pcall('SET', ARGV[5] .. ARGV[1], ARGV[2], 'PX', ARGV[3])
if type(made) == 'table' and made.err then return -1 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function forget(entry)
  local size = tonumber(redis.call('HGET', KEYS[2], entry) or '0')
  redis.call('HDEL', KEYS[2], entry)
  redis.call('ZREM', KEYS[1], entry)
  redis.call('DECRBY', KEYS[3], size)
end
for _, entry in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 100)) do
  if entry ~= ARGV[1] then forget(entry) end
end
forget(ARGV[1])
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], #ARGV[2])
redis.call('INCRBY', KEYS[3], #ARGV[2])
local evicted = 0
if redis.call('ZCARD', KEYS[1]) == 1 then redis.call('SET', KEYS[3], #ARGV[2]) end
while tonumber(redis.call('GET', KEYS[3])) > tonumber(ARGV[4]) do
  local first = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
  if not first then break end
  redis.call('DEL', ARGV[5] .. first)
  forget(first)
  evicted = evicted + 1
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, 259200000) end
return evicted
"""


class RedisAnswers:
    """The connection, and the answers of every route behind it. `run` keeps it until cancelled."""

    def __init__(self, address: RedisAddress, name: str) -> None:
        self._link = RedisLink(address, f"{name}-answers", _nothing)
        self._routes: dict[tuple[str, Tier], _OfRoute] = {}
        self.errors = self.damaged = self.evicted = self.full = 0

    @property
    def open(self) -> bool:
        return self._link.open

    async def run(self) -> None:
        await self._link.keep()

    def of(self, route: str, tier: Tier, max_bytes: int) -> "_OfRoute":
        found = self._routes.get((route, tier))
        if found is None:
            found = self._routes[route, tier] = _OfRoute(self, f"{tier}:{route}")
        found.max_bytes = max_bytes
        return found

    async def read(self, key: bytes) -> Reply:
        """None where it is not there, or not in time."""
        try:
            return await self._link.call(encode("GET", key))
        except StoreUnavailable:
            self.errors += 1
            return None

    def tell(self, command: bytes, heard: Callable[[Reply], None]) -> None:
        """Sends what nobody waits for."""
        try:
            if not self._link.open:
                raise StoreUnavailable("Redis is away")
            future = self._link.send(command)
        except StoreUnavailable:
            self.errors += 1
            return
        future.add_done_callback(lambda done: self._told(done, heard))

    def _told(self, done: asyncio.Future[Reply], heard: Callable[[Reply], None]) -> None:
        if done.cancelled() or done.exception() is not None:
            self.errors += 1
            return
        reply = done.result()
        if isinstance(reply, RedisRefused):
            self.errors += 1
            log.warning("an answer could not be kept: %s", reply)
        else:
            heard(reply)


class _OfRoute:
    """core.kept_answer.Answers of one route's tier."""

    def __init__(self, store: RedisAnswers, whose: str) -> None:
        space = f"{{tidegate:answers:{_VERSION}:{whose}}}"
        self.max_bytes = 0
        self._store = store
        self._prefix = f"{space}:of:".encode()
        self._lists = [f"{space}:{name}" for name in ("until", "sizes", "size")]

    async def get(self, key: bytes) -> Found | None:
        data = await self._store.read(self._prefix + key)
        if not isinstance(data, bytes):
            return None
        answer = unpacked(data, key)
        if answer is None:
            self._store.damaged += 1
            return None
        return Found(answer, max(clock.wall_s() - answer.made_at_s, 0.0), {})

    def put(self, key: bytes, answer: KeptAnswer, keep_s: float) -> None:
        keep_ms = int(keep_s * 1000)
        if keep_ms <= 0:
            return
        value, prefix = packed(answer, key), self._prefix
        lists, most = self._lists, self.max_bytes
        command = encode("EVAL", _PUT, len(lists), *lists, key, value, keep_ms, most, prefix)
        self._store.tell(command, self._kept)

    def grew(self, key: bytes, by_bytes: int) -> None:
        """Forms are not kept there."""

    def _kept(self, reply: Reply) -> None:
        if isinstance(reply, int) and reply < 0:
            self._store.full += 1
        elif isinstance(reply, int):
            self._store.evicted += reply


async def _nothing(link: RedisLink) -> None:
    """A connection that is new is good as it is."""
    del link
