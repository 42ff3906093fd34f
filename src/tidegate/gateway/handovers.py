"""handovers: tells people that one of them is wanted, off the request's way.

Before its caller is told so each handover lies on disk as a file of its own, so that it is sent at
least once whatever becomes of this process; whoever gets it tells a second time by its id, which is
the request's. All gateways of a machine share the folder: one that has not been tried for long is
anybody's.
"""

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Raw, Struct

from tidegate.core import clock
from tidegate.core.ask import content_name
from tidegate.core.ladder import Handover, RungReason
from tidegate.core.secret import Secret, SecretRef
from tidegate.gateway.handover_post import Refused, post
from tidegate.gateway.progress import Progress
from tidegate.gateway.secrets import secret_of

log = logging.getLogger(__name__)

MAX_WAITING: Final = 1000
MAX_BODY_BYTES: Final = 1024 * 1024
MAX_AGE_S: Final = 3 * 86_400.0
# Nobody has tried it for so long: its gateway is gone, or never came back.
LEFT_S: Final = 600.0
LOOK_S: Final = 60.0
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 300.0
AT_ONCE: Final = 4
_SUFFIX: Final = ".handover"
_SYSTEMS: Final = ("system", "instructions")


class Said(Struct, frozen=True, omit_defaults=True):
    """What was said, as its caller wrote it."""

    dialect: str
    turns: Raw | None = None
    system: Raw | None = None
    left_out: bool = False


class Body(Struct, frozen=True, omit_defaults=True):
    """What the address gets, as JSON. Times are wall-clock seconds."""

    id: str
    at_s: float
    route: str
    rung: str
    reason: str
    team: str | None = None
    customer: str | None = None
    end_user: str | None = None
    session_id: str | None = None
    key_id: str | None = None
    conversation: Said | None = None


class Waiting(Struct, frozen=True, omit_defaults=True):
    """One as it lies on disk, by whom it was taken."""

    id: str
    at_s: float
    gateway: str
    to: Handover
    body: bytes


_pack: Final = msgspec.msgpack.Encoder().encode
_unpack: Final = msgspec.msgpack.Decoder(Waiting).decode
_encode: Final = msgspec.json.Encoder().encode


class Handovers:
    """Those of one gateway process. `sent` and `failed` count posts, `lost` by why it was given
    up or never taken."""

    def __init__(self, folder: Path, gateway: str, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self._gateway = gateway
        self.sent = self.failed = 0
        self.lost: Counter[str] = Counter()
        self._environ = environ
        self._waiting: dict[str, Waiting] = {}
        self._due: dict[str, float] = {}
        self._tries: dict[str, int] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._more = asyncio.Event()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def take(self, progress: Progress, to: Handover, rung: str, why: RungReason) -> bool:
        """Whether it will be sent. It will not where too many wait, or the disk refuses it."""
        if len(self._waiting) >= MAX_WAITING:
            self.lost["full"] += 1
            return False
        receipt = progress.receipt
        body = _body(progress, to, rung, why)
        found = Waiting(receipt.id, receipt.started_at_s, self._gateway, to, body)
        try:
            await asyncio.to_thread(self._write, found)
        except OSError as error:
            log.error("a handover cannot be written: %s", error)
            self.lost["disk"] += 1
            return False
        self._add(found, clock.monotonic_s())
        return True

    async def run(self) -> None:
        """Sends what waits; returns never."""
        looked_s = -LOOK_S
        while True:
            now_s = clock.monotonic_s()
            if now_s - looked_s >= LOOK_S:
                looked_s = now_s
                for found in await asyncio.to_thread(self._left):
                    self._add(found, now_s)
            self._begin(now_s)
            free = len(self._under_way) < AT_ONCE  # else the first that ends tells
            next_s = min((*(self._due.values() if free else ()), looked_s + LOOK_S))
            self._more.clear()
            try:
                async with asyncio.timeout(max(next_s - clock.monotonic_s(), 0.01)):
                    await self._more.wait()
            except TimeoutError:
                continue

    async def stop(self) -> None:
        """What is not sent yet stays on disk."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _add(self, found: Waiting, due_s: float) -> None:
        self._waiting[found.id], self._due[found.id] = found, due_s
        self._more.set()

    def _begin(self, now_s: float) -> None:
        for id, due_s in sorted(self._due.items(), key=lambda one: one[1]):
            if due_s > now_s or len(self._under_way) >= AT_ONCE:
                return
            del self._due[id]
            task = asyncio.get_running_loop().create_task(self._try(self._waiting[id]))
            self._under_way.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._under_way.discard(task)
        self._more.set()

    async def _try(self, found: Waiting) -> None:
        """Sends it once; it is forgotten, or due again."""
        id = found.id
        tries = self._tries[id] = self._tries.get(id, 0) + 1
        try:
            await asyncio.to_thread(os.utime, self._path(id))
            await self._post(found)
        except FileNotFoundError:
            self._forget(id)  # another gateway has sent it
            return
        except (Refused, OSError) as error:
            self.failed += 1
            log.warning("a handover was not taken by %s: %s", found.to.url, error)
        else:
            self.sent += 1
            await asyncio.to_thread(self._remove, id)
            self._forget(id)
            return
        if clock.wall_s() - found.at_s > MAX_AGE_S:
            log.error("a handover is given up after %g days: %s", MAX_AGE_S / 86_400, id)
            self.lost["old"] += 1
            await asyncio.to_thread(self._remove, id)
            self._forget(id)
            return
        pause_s = min(FIRST_PAUSE_S * 2.0 ** min(tries - 1, 16), LONGEST_PAUSE_S)
        self._due[id] = clock.monotonic_s() + pause_s * (0.5 + clock.fraction() / 2)

    async def _post(self, found: Waiting) -> None:
        token = None if found.to.token is None else await self._secret(found.to.token)
        await post(found.to, found.id, found.body, token, self._environ)

    async def _secret(self, ref: SecretRef) -> Secret:
        """OSError where it is not to be had."""
        secret = await asyncio.to_thread(secret_of, ref, self._environ)
        if secret is None:
            raise OSError(f"the token {ref} is not set")
        return secret

    def _forget(self, id: str) -> None:
        self._waiting.pop(id, None)
        self._tries.pop(id, None)
        self._due.pop(id, None)

    # on disk, in a thread

    def _path(self, id: str) -> Path:
        return self.folder / f"{id}{_SUFFIX}"

    def _write(self, found: Waiting) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._path(found.id)
        coming = path.with_suffix(".coming")
        descriptor = os.open(coming, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_pack(found))
                file.flush()
                os.fsync(file.fileno())
            coming.replace(path)
        except OSError:
            coming.unlink(missing_ok=True)
            raise

    def _remove(self, id: str) -> None:
        self._path(id).unlink(missing_ok=True)

    def _left(self) -> list[Waiting]:
        """What this gateway has left behind at its last end, and what nobody has tried for long: of
        one that is gone."""
        found: list[Waiting] = []
        if not self.folder.is_dir():
            return found
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            if len(found) + len(self._waiting) >= MAX_WAITING:
                break
            if path.stem in self._waiting:
                continue
            try:
                one = _unpack(path.read_bytes())
                untried_s = clock.wall_s() - path.stat().st_mtime
                if one.gateway == self._gateway or untried_s > LEFT_S:
                    found.append(one)
            except (OSError, msgspec.DecodeError) as error:
                log.error("a handover cannot be read: %s: %s", path, error)
        return found


def _body(progress: Progress, to: Handover, rung: str, why: str) -> bytes:
    receipt = progress.receipt
    body = Body(
        receipt.id,
        receipt.started_at_s,
        receipt.route or "",
        rung,
        why,
        receipt.team,
        receipt.customer,
        receipt.end_user,
        receipt.session_id,
        receipt.key_id,
    )
    ask = None if progress.climb is None else progress.climb.came
    if not to.conversation or ask is None:
        return _encode(body)
    system = next((ask.members[name] for name in _SYSTEMS if name in ask.members), None)
    said = Said(ask.dialect, ask.members.get(content_name(ask)), system)
    whole = _encode(msgspec.structs.replace(body, conversation=said))
    if len(whole) <= MAX_BODY_BYTES:
        return whole
    said = Said(ask.dialect, left_out=True)
    return _encode(msgspec.structs.replace(body, conversation=said))
