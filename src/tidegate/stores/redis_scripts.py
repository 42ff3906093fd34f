"""The scripts that run inside Redis, and how they are called.

The text of a script is sent only when the server does not have it. Settlements go out in batches
and must keep their order, so they always carry theirs.
"""

import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import Final

from msgspec import Struct

from tidegate.stores.redis_link import RedisLink
from tidegate.stores.redis_wants import tag_of, word
from tidegate.stores.redis_wire import RedisAway, RedisRefused, Reply

_HEAD_WORDS: Final = 3


class Script(Struct, frozen=True):
    """One Lua script, and the digest by which the server knows it."""

    text: bytes
    digest: bytes

    def by_digest(self, keys: bytes, key_count: int, rest: bytes, rest_count: int) -> bytes:
        return self._call(b"EVALSHA", self.digest, (keys, key_count), (rest, rest_count))

    def by_text(self, keys: bytes, key_count: int, rest: bytes, rest_count: int) -> bytes:
        return self._call(b"EVAL", self.text, (keys, key_count), (rest, rest_count))

    @staticmethod
    def _call(verb: bytes, what: bytes, keys: tuple[bytes, int], rest: tuple[bytes, int]) -> bytes:
        head = b"*%d\r\n" % (_HEAD_WORDS + keys[1] + rest[1])
        return b"".join((head, word(verb), word(what), word(keys[1]), keys[0], rest[0]))


class Scripts:
    """All scripts, read once."""

    def __init__(self) -> None:
        self.take = _read("redis_shapes.lua", "redis_take.lua")
        self.settle = _read("redis_shapes.lua", "redis_settle.lua")
        self.learn = _read("redis_shapes.lua", "redis_learn.lua")
        self.beat = _read("redis_beat.lua")
        self.hold = _read("redis_hold.lua")
        self.publish = _read("redis_publish.lua")


def _read(*names: str) -> Script:
    folder = resources.files("tidegate.stores")
    text = b"\n".join((folder / name).read_bytes() for name in names)
    return Script(text, hashlib.sha1(text, usedforsecurity=False).hexdigest().encode())


async def run(
    link: RedisLink, script: Script, keys: tuple[bytes, int], rest: tuple[bytes, int]
) -> Reply:
    """The script's answer within the deadline. Raises RedisUnavailable and RedisRefused."""
    if not link.open:
        raise RedisAway("Redis is away")
    return await run_early(link, script, keys, rest)


async def run_early(
    link: RedisLink, script: Script, keys: tuple[bytes, int], rest: tuple[bytes, int]
) -> Reply:
    """As `run`, while the connection is still being opened too."""
    try:
        return await link.ask(script.by_digest(*keys, *rest))
    except RedisRefused as refused:
        if refused.kind != "NOSCRIPT":
            raise
        return await link.ask(script.by_text(*keys, *rest))


def words(values: Sequence[bytes | str | float]) -> tuple[bytes, int]:
    return b"".join(map(word, values)), len(values)


def epoch_key(group: str | None, space: str = "") -> bytes:
    """The key that says, beside the counters of a group, which epoch's are good. Epochs of another
    `space` are others."""
    return word(f"tidegate:{tag_of(group)}:epoch{space}")
