"""Which counters in Redis are good: those of the epoch that was filled from the ledger last.

An epoch belongs to one life of the server. When that was flushed, restored, replaced or started
anew, nothing is admitted on what it holds until one process has filled a new epoch, under other
keys, from the ledger. Every script looks at the epoch first.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from tidegate.core import clock
from tidegate.stores.redis_link import RedisLink
from tidegate.stores.redis_scripts import Scripts, epoch_key, run_early, words
from tidegate.stores.redis_wants import Want, keys_of, word, words_of
from tidegate.stores.redis_wire import RedisRefused, RedisUnavailable, encode

log = logging.getLogger(__name__)

_EPOCH: Final = "tidegate:epoch"
_LOCK: Final = "tidegate:epoch:lock"
_LOCK_MS: Final = 10_000  # and again while its holder is at work
_RENEW_S: Final = 2.0
_PATIENCE_S: Final = 5.0  # of work in the background
_ROWS_AT_ONCE: Final = 50
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"


class Epoch:
    """The epoch in force: `token` as the server keeps it, `name` as keys have it.

    Both are None while the counters are not good; `on_new` is told when there is another one.
    Epochs of another `space` are filled from others.
    """

    def __init__(self, scripts: Scripts, on_new: Callable[[], None], space: str = "") -> None:
        self.space = space
        self._epoch_name, self._lock_name = _EPOCH + space, _LOCK + space
        self._scripts = scripts
        self._on_new = on_new
        self._newest = 0
        self._marked: set[str | None] = set()
        self._joining: dict[str | None, asyncio.Task[None]] = {}
        self._last: str | None = None
        self.token: str | None = None
        self.name = ""

    async def check(self, link: RedisLink) -> None:
        """Believes what the server says, if it is of this life of it and not an old one."""
        found = await link.ask(encode("GET", self._epoch_name))
        token = found.decode() if isinstance(found, bytes) else ""
        number, _, rest = token.partition(".")
        nonce, _, life = rest.partition(".")
        if not number.isdecimal() or int(number) < self._newest or life != link.server_run:
            self._lose()
            return
        self._newest = int(number)
        self.token, self.name = token, f"{number}.{nonce}"
        if token != self._last:
            self._last = token
            self._marked.clear()
            log.info("counters in Redis are good: epoch %s", self.name)
            self._on_new()

    async def join(self, link: RedisLink, group: str | None) -> None:
        """The group's counters have no epoch: they are new, or lost. RedisUnavailable if lost.
        All who come at once join together."""
        task = self._joining.get(group)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._join(link, group))
            self._joining[group] = task
            task.add_done_callback(lambda _: self._joining.pop(group))
        await asyncio.shield(task)

    async def _join(self, link: RedisLink, group: str | None) -> None:
        await self.check(link)
        token = self.token
        if token is not None and group in self._marked:
            key = epoch_key(group, self.space)
            if await link.ask(b"*2\r\n" + word("GET") + key) != token.encode():
                self._newest += 1  # lost alone: this epoch is not good any more
                self._lose()
        elif token is not None:
            await self._mark(link, group, token)
            self._marked.add(group)
        if self.token is None:
            raise RedisUnavailable("counters in Redis are not good yet")

    def _lose(self) -> None:
        if self.token is not None:
            log.warning("counters in Redis are gone; waiting until they are filled again")
        self.token = None

    async def _mark(self, link: RedisLink, group: str | None, token: str) -> None:
        await link.ask(b"*3\r\n" + word("SET") + epoch_key(group, self.space) + word(token))

    async def seed(
        self, link: RedisLink, number: int, rows: Callable[[], Awaitable[Iterable[Want]]]
    ) -> bool:
        """Fills a new epoch with the amounts of `rows`; False when somebody else does or has.

        `rows` is called once the lock is held. Raises RedisUnavailable, and what `rows` raises.
        """
        nonce = clock.random_text(_ALPHABET, 12)
        lock = encode("SET", self._lock_name, nonce, "NX", "PX", _LOCK_MS)
        if await link.ask(lock, _PATIENCE_S) is None:
            return False
        renewing = asyncio.get_running_loop().create_task(self._renew(link, nonce))
        try:
            await self.check(link)
            return self.token is None and await self._seed(link, number, nonce, await rows())
        finally:
            renewing.cancel()
            await self._unlock(link, nonce)

    async def _seed(self, link: RedisLink, number: int, nonce: str, rows: Iterable[Want]) -> bool:
        name = f"{max(number, self._newest + 1)}.{nonce}"
        token = f"{name}.{link.server_run}"
        await self._fill(link, name, token, list(rows))
        keys, rest = words([self._lock_name, self._epoch_name]), words([nonce, token])
        published = await run_early(link, self._scripts.publish, keys, rest)
        await self.check(link)
        return published == 1

    async def _renew(self, link: RedisLink, nonce: str) -> None:
        """The lock is short, so that one who dies with it does not keep others from filling."""
        while True:
            await asyncio.sleep(_RENEW_S)
            with contextlib.suppress(RedisUnavailable, RedisRefused):
                await self._hold(link, nonce, _LOCK_MS)

    async def _unlock(self, link: RedisLink, nonce: str) -> None:
        """Another may fill at once, also where this one has failed."""
        with contextlib.suppress(RedisUnavailable, RedisRefused):
            await self._hold(link, nonce, 0)

    async def _hold(self, link: RedisLink, nonce: str, kept_ms: int) -> None:
        keys, rest = words([self._lock_name]), words([nonce, kept_ms])
        await link.ask(self._scripts.hold.by_text(*keys, *rest), _PATIENCE_S)

    async def _fill(self, link: RedisLink, name: str, token: str, rows: list[Want]) -> None:
        by_group: dict[str | None, list[Want]] = {}
        for row in rows:
            by_group.setdefault(row.group, []).append(row)
        for group, wants in by_group.items():
            await self._mark(link, group, token)
            for at in range(0, len(wants), _ROWS_AT_ONCE):
                some = wants[at : at + _ROWS_AT_ONCE]
                keys = epoch_key(group, self.space) + b"".join(keys_of(want, name) for want in some)
                rest, count = words([token])
                for want in some:
                    rest += words(["seed", 0, want.amount, 0, 1])[0]
                    rest += words_of(want, want.quota.lease_s)
                    count += 15
                call = self._scripts.settle.by_text(keys, 1 + 2 * len(some), rest, count)
                await link.ask(call, _PATIENCE_S)
