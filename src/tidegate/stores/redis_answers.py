"""Answers kept in Redis or Valkey, for all gateways: bounded in bytes a route, and in time.

A lookup is one `GET` within the deadline of the connection, which is its own: what cannot be had in
time is a miss. What would expire soonest makes room. A value is checked by a CRC-32 over its key
too, so that one that stands under another's is as good as none.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from tidegate.core import clock
from tidegate.core.cache import MOST_VECTOR_BYTES, Tier
from tidegate.core.cache_labels import Selector
from tidegate.core.kept_answer import Found, KeptAnswer, packed, unpacked
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.redis_address import RedisAddress
from tidegate.stores.redis_invalidations import LOOK_S, RedisInvalidations
from tidegate.stores.redis_link import RedisLink
from tidegate.stores.redis_purge import DROP, SPACES, RedisPurge, lists_of, prefix_of, written
from tidegate.stores.redis_wire import RedisRefused, Reply, encode

log = logging.getLogger(__name__)

_VERSION: Final = "3"
# What one takes there beside its value and its labels, measured with Redis 7.
ENTRY_BYTES: Final = 400
# Of several answers so many are one reply, or fewer if they may be long: a longer one breaks the
# connection.
_AT_ONCE: Final = 16
_AT_ONCE_BYTES: Final = 3 * 1024 * 1024
_LABELS_BYTES: Final = 64 * 1024
# KEYS: what expires when, sizes, their sum, labels. ARGV: entry, value, milliseconds, most bytes,
# prefix, labels, bytes beside. Where the bound has become much less, others would wait while all
# that is too much makes room: so many do with each put.
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
  redis.call('HDEL', KEYS[4], entry)
  redis.call('ZREM', KEYS[1], entry)
  redis.call('DECRBY', KEYS[3], size)
end
for _, entry in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 100)) do
  if entry ~= ARGV[1] then forget(entry) end
end
forget(ARGV[1])
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
local size = #ARGV[2] + #ARGV[6] + ARGV[7]
redis.call('HSET', KEYS[2], ARGV[1], size)
redis.call('HSET', KEYS[4], ARGV[1], ARGV[6])
redis.call('INCRBY', KEYS[3], size)
local evicted = 0
if redis.call('ZCARD', KEYS[1]) == 1 then redis.call('SET', KEYS[3], size) end
while evicted < 1000 and tonumber(redis.call('GET', KEYS[3])) > tonumber(ARGV[4]) do
  local first = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
  if not first then break end
  redis.call('DEL', ARGV[5] .. first)
  forget(first)
  evicted = evicted + 1
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, 3456000000) end
return evicted
"""


def _ignore(name: str, selector: Selector) -> None:
    """Nothing is kept elsewhere."""


def _ignore_reply(reply: Reply) -> None:
    """Nobody waits for it."""


class RedisAnswers:
    """The connection, and the answers of every route behind it. `run` keeps it until cancelled.
    `heard` is told of each invalidation that others have told, `known` are those of control."""

    def __init__(
        self,
        address: RedisAddress,
        name: str,
        heard: Callable[[str, Selector], None] = _ignore,
        known: Mapping[str, Selector] = MappingProxyType({}),
    ) -> None:
        self._link = RedisLink(address, f"{name}-answers", self._opened)
        self.invalidations = RedisInvalidations(heard, known)
        self.purge = RedisPurge(self._link, self.invalidations)
        self._routes: dict[tuple[str, Tier], _OfRoute] = {}
        self._listed: set[str] = set()
        self._server_run = ""
        self.errors = self.damaged = self.evicted = self.full = self.void = 0

    @property
    def open(self) -> bool:
        return self._link.open

    @property
    def purged(self) -> int:
        """Void answers that this gateway has taken out."""
        return self.purge.gone

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for work in (self._link.keep(), self._listen(), self.purge.run()):
                tasks.create_task(work)

    def invalidate(self, name: str, selector: Selector) -> None:
        """Tells the other gateways, and whoever joins them, what control has told this one."""
        self.invalidations.place(self._link, name, selector)

    def of(
        self, route: str, tier: Tier, max_bytes: int, max_entry_bytes: int = MOST_VECTOR_BYTES
    ) -> "_OfRoute":
        found = self._routes.get((route, tier))
        if found is None:
            found = self._routes[route, tier] = _OfRoute(self, f"{tier}:{route}")
        found.max_bytes = max_bytes
        most = _AT_ONCE_BYTES // (max_entry_bytes + _LABELS_BYTES)
        found.at_once = max(min(most, _AT_ONCE), 1)
        return found

    async def read(self, key: bytes) -> Reply:
        """None where it is not there, or not in time, or nobody knows what has been invalidated."""
        if not self.invalidations.is_current:
            self.errors += 1
            return None
        return await self.ask(encode("GET", key))

    async def ask(self, command: bytes) -> Reply:
        """None where there is no answer in time."""
        try:
            return await self._link.call(command)
        except StoreUnavailable:
            self.errors += 1
            return None

    async def read_many(self, keys: Sequence[bytes], at_once: int) -> list[Reply]:
        """The same of each key; what is asked is a few at a time, as others wait behind it."""
        found: list[Reply] = []
        if not self.invalidations.is_current:
            self.errors += 1
            return [None] * len(keys)
        for start in range(0, len(keys), at_once):
            some = keys[start : start + at_once]
            try:
                reply = await self._link.call(encode("MGET", *some))
            except (StoreUnavailable, RedisRefused):
                self.errors += 1
                break
            if not isinstance(reply, list) or len(reply) != len(some):
                break
            found += reply
        return found + [None] * (len(keys) - len(found))

    async def said(self, commands: Sequence[bytes], heard: Callable[[Reply], None]) -> None:
        """As `tell`, and back once all of it has been answered."""
        sent = [it for it in (self.tell(command, heard) for command in commands) if it is not None]
        await asyncio.gather(*sent, return_exceptions=True)

    def tell(self, command: bytes, heard: Callable[[Reply], None]) -> asyncio.Future[Reply] | None:
        """Sends what nobody has to wait for; None where it could not be sent."""
        try:
            if not self._link.open:
                raise StoreUnavailable("Redis is away")
            future = self._link.send(command)
        except StoreUnavailable:
            self.errors += 1
            return None
        future.add_done_callback(lambda done: self._told(done, heard))
        return future

    def enlist(self, space: str) -> None:
        """Has what is void looked for there."""
        if self._link.open and space not in self._listed:
            self._listed.add(space)
            self.tell(encode("SADD", SPACES, space), _ignore_reply)

    async def _opened(self, link: RedisLink) -> None:
        """Nothing is given before it is known what others have invalidated meanwhile."""
        self._listed.clear()
        await self.invalidations.read(link)
        if link.server_run == self._server_run:
            self.invalidations.place_rest(link)
        else:
            self.invalidations.place_all(link)
            self._server_run = link.server_run

    async def _listen(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            if not self._link.open:
                continue
            try:
                await self.invalidations.read(self._link)
                self.invalidations.place_rest(self._link)
            except StoreUnavailable as error:
                log.warning("what others invalidate cannot be heard: %s", error)
            except Exception:  # nothing may end the listening
                log.exception("what others invalidate cannot be heard")

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
        self.at_once = 1
        self._store = store
        self._space = space
        self._prefix = prefix_of(space).encode()
        self._lists = lists_of(space)

    async def get(self, key: bytes) -> Found | None:
        return self._found(key, await self._store.read(self._prefix + key))

    async def get_many(self, keys: Sequence[bytes]) -> list[Found | None]:
        wanted = [self._prefix + key for key in keys]
        data = await self._store.read_many(wanted, self.at_once)
        return [self._found(key, one) for key, one in zip(keys, data, strict=True)]

    def _found(self, key: bytes, data: Reply) -> Found | None:
        if not isinstance(data, bytes):
            return None
        answer = unpacked(data, key)
        if answer is None:
            self._store.damaged += 1
            return None
        if self._store.invalidations.voids(answer.labels):
            self._store.void += 1
            self._drop(key, answer)
            return None
        return Found(answer, max(clock.wall_s() - answer.made_at_s, 0.0), {})

    def put(self, key: bytes, answer: KeptAnswer, keep_s: float) -> None:
        if int(keep_s * 1000) > 0:
            self._store.enlist(self._space)
            self._store.tell(self._put(key, answer, keep_s), self._kept)

    async def put_many(self, entries: Sequence[tuple[bytes, KeptAnswer]], keep_s: float) -> None:
        if int(keep_s * 1000) > 0:
            self._store.enlist(self._space)
            puts = [self._put(key, answer, keep_s) for key, answer in entries]
            await self._store.said(puts, self._kept)

    def _put(self, key: bytes, answer: KeptAnswer, keep_s: float) -> bytes:
        lists, value, keep_ms = self._lists, packed(answer, key), int(keep_s * 1000)
        words = (key, value, keep_ms, self.max_bytes, self._prefix, written(answer.labels))
        return encode("EVAL", _PUT, len(lists), *lists, *words, ENTRY_BYTES)

    async def remove(self, key: bytes) -> bool | None:
        lists = self._lists
        drop = encode("EVAL", DROP, len(lists), *lists, self._prefix, key, "")
        reply = await self._store.ask(drop)
        return reply > 0 if isinstance(reply, int) else None

    def _drop(self, key: bytes, answer: KeptAnswer) -> None:
        """Unless something else was put there meanwhile."""
        lists, labels = self._lists, written(answer.labels)
        drop = encode("EVAL", DROP, len(lists), *lists, self._prefix, key, labels)
        self._store.tell(drop, _ignore_reply)

    def grew(self, key: bytes, by_bytes: int) -> None:
        """Forms are not kept there."""

    def _kept(self, reply: Reply) -> None:
        if isinstance(reply, int) and reply < 0:
            self._store.full += 1
        elif isinstance(reply, int):
            self._store.evicted += reply
