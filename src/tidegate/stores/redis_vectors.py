"""Vectors in a Redis or Valkey with search (Redis Stack, Redis 8, RediSearch), for all gateways.

A question is one hash below the prefix of its route; the index over them (HNSW, cosine) is made by
whoever needs it first, and made again where the server has lost it. A search is one `FT.SEARCH`
within its partition and the deadline of the connection: what cannot be had in time is not found.
What would expire soonest makes room. A server without search is said once, and nothing is kept.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from tidegate.core.encoding import Vector
from tidegate.core.neighbours import Neighbour
from tidegate.core.vector_record import checksum
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.redis_address import RedisAddress
from tidegate.stores.redis_link import DEADLINE_S, RedisLink
from tidegate.stores.redis_wire import RedisRefused, Reply, encode

log = logging.getLogger(__name__)

_VERSION: Final = "1"
# What one costs there beside its numbers, twice, and its question.
_ENTRY_BYTES: Final = 1200
# KEYS: the entry, what expires when. ARGV: milliseconds, most entries, partition, vector, question,
# key, checksum. A server that is full refuses, and nothing has happened.
_PUT: Final = """
local made = redis.pcall('HSET', KEYS[1], 'p', ARGV[3], 'v', ARGV[4], 'q', ARGV[5], 'k', ARGV[6],
  'c', ARGV[7])
if type(made) == 'table' and made.err then return -1 end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
redis.call('ZADD', KEYS[2], now + ARGV[1], KEYS[1])
local over = redis.call('ZCARD', KEYS[2]) - ARGV[2]
if over > 0 then
  for _, entry in ipairs(redis.call('ZRANGE', KEYS[2], 0, over - 1)) do redis.call('DEL', entry) end
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, over - 1)
end
redis.call('PEXPIRE', KEYS[2], 3456000000)
return math.max(over, 0)
"""
_RETURNED: Final = ("RETURN", "5", "k", "q", "v", "c", "d")


class RedisVectors:
    """The connection, and the vectors of every route behind it. `run` keeps it until cancelled.
    `without_search` is the life of a server that has none."""

    def __init__(self, address: RedisAddress, name: str, *, deadline_s: float = DEADLINE_S) -> None:
        self.link = RedisLink(address, f"{name}-vectors", _nothing, deadline_s=deadline_s)
        self._routes: dict[str, _OfRoute] = {}
        self._without_search: str | None = None
        self.errors = self.damaged = self.evicted = self.full = 0

    @property
    def open(self) -> bool:
        return self.link.open

    @property
    def searches(self) -> bool:
        """Whether its server is not known to have no search."""
        return self._without_search is None or self._without_search != self.link.server_run

    async def run(self) -> None:
        await self.link.keep()

    def stop(self) -> None:
        """The end of `run` has closed it."""

    @property
    def busy(self) -> bool:
        """Whether what is told now is not done: it never is."""
        return False

    def of(self, route: str, max_bytes: int) -> "_OfRoute":
        found = self._of(route)
        found.max_bytes = max_bytes
        return found

    def drop(self, route: str, partition: bytes, key: bytes) -> None:
        self._of(route).drop(partition, key)

    async def ask(self, command: bytes) -> Reply:
        """None where there is no answer, or not in time."""
        try:
            return await self.link.call(command)
        except StoreUnavailable as error:
            self.errors += 1
            self.heard_of(error)
            return None

    def tell(self, command: bytes, heard: Callable[[Reply], None]) -> None:
        """Sends what nobody waits for."""
        try:
            if not self.link.open:
                raise StoreUnavailable("Redis is away")
            future = self.link.send(command)
        except StoreUnavailable:
            self.errors += 1
            return
        future.add_done_callback(lambda done: self._told(done, heard))

    def heard_of(self, error: Exception) -> None:
        """A refusal may say that the server cannot search, or has lost its indexes."""
        if not isinstance(error, RedisRefused):
            return
        said = str(error).lower()
        if "unknown command" in said and "ft." in said and self.searches:
            self._without_search = self.link.server_run
            log.error(
                "the Redis of `storage.vectors`, else of `storage.limits`, has no search: semantic "
                "answers are not kept; take Redis 8, Redis Stack or a Valkey with a search module, "
                "or name another store as `storage.vectors` (%s)",
                error,
            )
        elif "no such index" in said or "unknown index" in said or "not found" in said:
            for route in self._routes.values():
                route.indexed.clear()

    def _of(self, route: str) -> "_OfRoute":
        found = self._routes.get(route)
        if found is None:
            found = self._routes[route] = _OfRoute(self, route)
        return found

    def _told(self, done: "asyncio.Future[Reply]", heard: Callable[[Reply], None]) -> None:
        if done.cancelled() or done.exception() is not None:
            self.errors += 1
            return
        reply = done.result()
        if not isinstance(reply, RedisRefused):
            heard(reply)
        elif "exists" not in str(reply):  # another gateway has made the index
            self.errors += 1
            self.heard_of(reply)
            if self.searches:
                log.warning("a question could not be kept: %s", reply)


class _OfRoute:
    """core.neighbours.Vectors of one route. `indexed` are the lengths that have an index."""

    def __init__(self, store: RedisVectors, route: str) -> None:
        self._space = f"{{tidegate:vectors:{_VERSION}:{route}}}"
        self._store = store
        self.max_bytes = 0
        self.indexed: set[tuple[str, int]] = set()

    async def nearest(self, partition: bytes, vector: Vector, most: int) -> list[Neighbour]:
        store = self._store
        if not vector or not store.open or not store.searches or most < 1:
            return []
        index = self._index(len(vector))
        query = f"(@p:{{{partition.hex()}}})=>[KNN {most} @v $q AS d]"
        asked = encode(
            *("FT.SEARCH", index, query, "PARAMS", "2", "q", vector),
            *(*_RETURNED, "LIMIT", "0", most, "DIALECT", "2"),
        )
        reply = await store.ask(asked)
        found = [self._read(partition, row) for row in _rows(reply)]
        return sorted((it for it in found if it is not None), key=lambda it: -it.score)

    def put(
        self, partition: bytes, key: bytes, vector: Vector, question: str, keep_s: float
    ) -> None:
        store, keep_ms = self._store, int(keep_s * 1000)
        size = 2 * len(vector) + len(question) + _ENTRY_BYTES
        if not vector or keep_ms <= 0 or not store.searches or size > self.max_bytes:
            return
        self._index(len(vector))
        text = question.encode("utf-8", "surrogatepass")
        crc = checksum(partition, key, vector, question)
        lists = (self._entry(partition, key, len(vector)), f"{self._space}:until")
        most = max(self.max_bytes // size, 1)
        values = (keep_ms, most, partition.hex(), vector, text, key, crc)
        store.tell(encode("EVAL", _PUT, 2, *lists, *values), self._kept)

    def drop(self, partition: bytes, key: bytes) -> None:
        for _, size in self.indexed:
            entry = self._entry(partition, key, size)
            self._store.tell(encode("DEL", entry), _ignored)
            self._store.tell(encode("ZREM", f"{self._space}:until", entry), _ignored)

    def _index(self, size: int) -> str:
        """The one of vectors of so many bytes. What is sent after it finds it there."""
        index = f"{self._space}:{size}"
        server = self._store.link.server_run
        if (server, size) not in self.indexed and self._store.open:
            self.indexed.add((server, size))
            schema = ("p", "TAG", "v", "VECTOR", "HNSW", "6", "TYPE", "FLOAT32", "DIM", size // 4)
            self._store.tell(
                encode(
                    *("FT.CREATE", index, "ON", "HASH", "PREFIX", "1", f"{index}:of:"),
                    *("SCHEMA", *schema, "DISTANCE_METRIC", "COSINE"),
                ),
                _ignored,
            )
        return index

    def _entry(self, partition: bytes, key: bytes, size: int) -> str:
        return f"{self._space}:{size}:of:{partition.hex()}:{key.hex()}"

    def _read(self, partition: bytes, row: dict[bytes, bytes]) -> Neighbour | None:
        try:
            key, question = row[b"k"], row[b"q"].decode("utf-8", "surrogatepass")
            if checksum(partition, key, row[b"v"], question) == row[b"c"]:
                return Neighbour(key, 1.0 - float(row[b"d"]), question)
        except (KeyError, ValueError):
            pass
        self._store.damaged += 1
        return None

    def _kept(self, reply: Reply) -> None:
        if isinstance(reply, int) and reply < 0:
            self._store.full += 1
        elif isinstance(reply, int):
            self._store.evicted += reply


def _rows(reply: Reply) -> list[dict[bytes, bytes]]:
    """The fields of what was found; what has expired meanwhile has none."""
    rows = []
    for fields in reply[2::2] if isinstance(reply, list) else ():
        if isinstance(fields, list):
            parts = [part for part in fields if isinstance(part, bytes)]
            rows.append(dict(zip(parts[::2], parts[1::2], strict=False)))
    return rows


def _ignored(reply: Reply) -> None:
    del reply


async def _nothing(link: RedisLink) -> None:
    """A connection that is new is good as it is."""
    del link
