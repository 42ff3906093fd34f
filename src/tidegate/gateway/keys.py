"""The keys that this gateway has seen, bounded; everything else is one indexed read away."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from tidegate.core import key as keys
from tidegate.core.caller import Caller, Revocation
from tidegate.core.key import KeyRecord
from tidegate.core.key_limits import KeyLimits
from tidegate.core.outcome import Refusal
from tidegate.stores.errors import StoreError

MAX_KNOWN = 16_384
MAX_UNKNOWN = 16_384
MAX_READS_WAITING = 1024
READ_TIMEOUT_S = 1.0

T = TypeVar("T")


class KeyStore(Protocol):
    """Where keys are read from: blocking, called from one thread."""

    def get(self, key_id: str) -> KeyRecord | None:
        """The key's row, or None. An exception when the store cannot be read."""

    def revoked(self, ids: tuple[str, ...]) -> list[Revocation]:
        """What was said of callers, issuers and tokens of these ids. An exception likewise."""


class Tokens(Protocol):
    """Who tells callers by tokens that others have signed."""

    async def read(self, presented: bytes) -> Caller | None:
        """The caller; None for what is no token of anybody's. Refusal."""


class Keys:
    """A presented key becomes its record. A known key costs one digest and one look-up.

    `peppers` are by version; `read_peppers` is asked again, in a thread, when a key names a
    version that came since.
    """

    def __init__(
        self,
        store: KeyStore,
        peppers: dict[int, bytes],
        read_peppers: Callable[[], dict[int, bytes]] | None = None,
    ) -> None:
        self._store = store
        self._peppers = peppers
        self._read_peppers = read_peppers
        self._pepper = peppers[max(peppers)]  # of what is remembered here: any one would do
        self._known: OrderedDict[bytes, KeyRecord] = OrderedDict()
        self._unknown: OrderedDict[bytes, None] = OrderedDict()
        self._digests_of: dict[str, set[bytes]] = {}
        self._reading: dict[str, asyncio.Future[KeyRecord | None]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="keys")
        self.tokens: Tokens | None = None
        self.epoch = 0

    def known(self, presented: bytes) -> KeyRecord | None:
        """The record of a key that was seen before and not forgotten since."""
        digest = keys.digest_of(presented, self._pepper)
        record = self._known.get(digest)
        if record is not None:
            self._known.move_to_end(digest)
        return record

    async def read(self, presented: bytes) -> KeyRecord | None:
        """The record of any key, from the store; None when there is no such key. Refusal."""
        found = keys.read(presented)
        if found is None and self.tokens is None:
            return None
        digest = keys.digest_of(presented, self._pepper)
        if digest in self._unknown:
            return None
        if found is None:
            return await self._read_token(presented, digest)
        key_id, material = found
        epoch = self.epoch
        record = await self._row(key_id)
        if record is not None and record.pepper_version not in self._peppers:
            await self._learn_peppers()
        if record is None or not self._matches(material, record):
            if epoch == self.epoch:  # it may have been created while we read
                _remember(self._unknown, digest, None, MAX_UNKNOWN)
            return None
        if epoch == self.epoch:  # a key that changed while it was read is not kept
            self._keep(digest, record)
        return record

    async def _read_token(self, presented: bytes, digest: bytes) -> Caller | None:
        """Whoever shows it, until a plan, its issuer's keys or a revocation may say otherwise."""
        assert self.tokens is not None  # noqa: S101 - see `read`
        epoch = self.epoch
        caller = await self.tokens.read(presented)
        if caller is None:
            if epoch == self.epoch:
                _remember(self._unknown, digest, None, MAX_UNKNOWN)
            return None
        loop = asyncio.get_running_loop()
        told = await self._told(loop.run_in_executor(self._thread, self._store.revoked, caller.ids))
        caller = caller.after(told)
        if epoch == self.epoch:
            self._keep(digest, caller)
        return caller

    async def record(self, key_id: str) -> KeyRecord | None:
        """The key's row as it is in the store, whoever presents it. Refusal."""
        return await self._row(key_id)

    def limits_of(self, caller_id: str) -> KeyLimits | None:
        """What a caller without a key brings with it, which stands in no store: as it was last let
        in here. None where it brings none, or has not called."""
        for digest in self._digests_of.get(caller_id, ()):
            record = self._known[digest]
            if record.id == caller_id:
                return record.limits
        return None

    def digests(self, text: bytes) -> list[bytes]:
        """Of any text, under the pepper of now first and then under those before it."""
        return [keys.digest_of(text, self._peppers[v]) for v in sorted(self._peppers, reverse=True)]

    def forget(self, key_id: str) -> None:
        """The key has changed: the next request reads it anew."""
        self.epoch += 1
        self._unknown.clear()
        self._reading.pop(key_id, None)
        for digest in tuple(self._digests_of.get(key_id, ())):
            self._drop(digest, self._known.pop(digest))

    def forget_all(self) -> None:
        self.epoch += 1
        self._unknown.clear()
        self._reading.clear()
        self._known.clear()
        self._digests_of.clear()

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def __len__(self) -> int:
        return len(self._known)

    def _keep(self, digest: bytes, record: KeyRecord) -> None:
        for name in record.ids or (record.id,):
            self._digests_of.setdefault(name, set()).add(digest)
        dropped = _remember(self._known, digest, record, MAX_KNOWN)
        if dropped is not None:
            self._drop(*dropped)

    def _drop(self, digest: bytes, record: KeyRecord) -> None:
        for name in record.ids or (record.id,):
            of = self._digests_of.get(name)
            if of is not None:
                of.discard(digest)
                if not of:
                    del self._digests_of[name]

    def _matches(self, material: bytes, record: KeyRecord) -> bool:
        pepper = self._peppers.get(record.pepper_version)
        return pepper is not None and keys.same_digest(
            keys.digest_of(material, pepper), record.digest
        )

    async def _learn_peppers(self) -> None:
        if self._read_peppers is None:
            return
        loop = asyncio.get_running_loop()
        try:
            self._peppers = await loop.run_in_executor(self._thread, self._read_peppers)
        except OSError as error:
            raise _unavailable() from error

    async def _row(self, key_id: str) -> KeyRecord | None:
        """One read for all who ask for the same key at the same time."""
        reading = self._reading.get(key_id)
        if reading is None:
            if len(self._reading) >= MAX_READS_WAITING:
                raise Refusal("overloaded", "too many keys are being looked up")
            loop = asyncio.get_running_loop()
            reading = asyncio.ensure_future(
                loop.run_in_executor(self._thread, self._store.get, key_id)
            )
            self._reading[key_id] = reading
            reading.add_done_callback(lambda done: self._read_done(key_id, done))
        return await self._told(asyncio.shield(reading))

    async def _told(self, reading: "asyncio.Future[T]") -> T:
        """What a read of the store comes to, in time. Refusal."""
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                return await reading
        except TimeoutError:
            raise _unavailable() from None
        except StoreError as error:
            raise _unavailable() from error

    def _read_done(self, key_id: str, done: "asyncio.Future[KeyRecord | None]") -> None:
        if self._reading.get(key_id) is done:
            del self._reading[key_id]
        if not done.cancelled():
            done.exception()  # whoever waited has it; nobody waiting is no defect


def _unavailable() -> Refusal:
    return Refusal("store_unavailable", "the key cannot be checked now", retry_after_s=1.0)


def _remember(
    known: "OrderedDict[bytes, T]", digest: bytes, value: T, most: int
) -> tuple[bytes, T] | None:
    known[digest] = value
    return known.popitem(last=False) if len(known) > most else None
