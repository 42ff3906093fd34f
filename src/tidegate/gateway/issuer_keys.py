"""issuer_keys: the public keys of one issuer, as they were last heard of.

They are asked for off the way of requests: every so often, and once more when a token names a key
that is not among them, at most every `LEAST_GAP_S`. While the issuer is away its last keys go on,
for as long as the plan says, also in a gateway that begins (from the state directory).
"""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from tidegate.core import clock
from tidegate.core.address import parse_url
from tidegate.core.caller import KeySet, PublicKey, Verifier
from tidegate.core.plan import Tls
from tidegate.core.plan_callers import Issuer
from tidegate.core.sign_in import Fetch
from tidegate.gateway.http.fetch import MAX_ANSWER_BYTES, Bounds, FetchFailed, fetch
from tidegate.gateway.secrets import secret_of
from tidegate.stores.file_stamp import FileStamp, stamp_of

log = logging.getLogger(__name__)

# Between two looks, whatever asks for them.
LEAST_GAP_S: Final = 30.0
FILE_EVERY_S: Final = 5.0
JITTER: Final = 0.1
_BOUNDS: Final = Bounds(total_s=6.0)
_ACCEPT: Final = ("accept", "application/jwk-set+json, application/json")


class _Kept(Struct):
    """What lies in the state directory: whose keys, from where, heard when."""

    issuer: str
    url: str
    at_s: float
    jwks: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Kept).decode


class HeldKeys:
    """`key_set` are those of now, none before the first were heard of. `heard_at_s` is of the wall
    clock; `problem` says why none came the last time. `changed` is told of other keys, whether
    whoever wanted them still waits or not."""

    def __init__(
        self, issuer: Issuer, verifier: Verifier, kept: Path, environ: Mapping[str, str]
    ) -> None:
        self.issuer = issuer
        self.changed: Callable[[], None] = _nobody
        self._environ = environ
        self.key_set = KeySet()
        self.heard_at_s: float | None = None
        self.problem: str | None = None
        self._verifier = verifier
        self._kept = kept
        self._jwks = b""
        self._stamp: FileStamp | None = None
        self._due_s = float("-inf")
        self._asked_s = float("-inf")
        self._asking: asyncio.Task[bool] | None = None

    def find(self, key_id: str | None, algorithm: str) -> tuple[PublicKey, ...]:
        """The keys that a token may mean: those of the id that it names, or those without one, or
        all of the only id that there is."""
        keys = self.key_set.keys
        found = keys.get((key_id, algorithm)) or keys.get((None, algorithm))
        if found is not None or key_id is not None:
            return found or ()
        of = [those for (_, name), those in keys.items() if name == algorithm]
        return of[0] if len(of) == 1 else ()

    @property
    def believed(self) -> bool:
        """Whether its keys may still be used."""
        at_s = self.heard_at_s
        return at_s is not None and clock.wall_s() - at_s <= self.issuer.keys.keep_s

    def begin(self) -> None:
        """What is at hand without asking anybody: the file, or what was kept. Blocks."""
        if self.issuer.keys.file is not None:
            self._read_file()
            return
        try:
            kept = _decode(self._kept.read_bytes())
        except (OSError, msgspec.DecodeError):
            return
        if (kept.issuer, kept.url) != (self.issuer.issuer, self.issuer.keys.url):
            return
        try:
            self._take(kept.jwks, kept.at_s)
        except ValueError as error:  # such as keys for algorithms that the plan had before
            log.info("issuer %s: its kept keys are of no use: %s", self.issuer.name, error)

    async def look(self, now_s: float) -> bool:
        """Asks where it is time to; whether there are other keys than before. Called by a timer
        (monotonic seconds)."""
        if now_s < self._due_s:
            return False
        return await self._ask(now_s)

    async def look_again(self, now_s: float) -> bool:
        """The same for a token whose key is not there, however soon after the last time a look is
        due; but not before `LEAST_GAP_S` has gone by. Who comes while it is asked waits with it."""
        asking = self._asking is not None and not self._asking.done()
        if not asking and now_s - self._asked_s < self._gap_s():
            return False
        return await self._ask(now_s)

    def _gap_s(self) -> float:
        return FILE_EVERY_S if self.issuer.keys.file is not None else LEAST_GAP_S

    async def _ask(self, now_s: float) -> bool:
        """One look for all that want one at the same time."""
        if self._asking is None or self._asking.done():
            self._asked_s = now_s
            self._asking = asyncio.get_running_loop().create_task(self._look_and_tell(now_s))
        return await asyncio.shield(self._asking)

    async def _look_and_tell(self, now_s: float) -> bool:
        changed = await self._look(now_s)
        if changed:
            self.changed()
        return changed

    async def _look(self, now_s: float) -> bool:
        keys = self.issuer.keys
        if keys.file is not None:
            self._due_s = now_s + FILE_EVERY_S
            return await asyncio.to_thread(self._read_file)
        try:
            changed = self._take(await self._fetch(), clock.wall_s())
        except (FetchFailed, ValueError) as error:
            self._due_s = now_s + LEAST_GAP_S * (1 + JITTER * clock.fraction())
            self._fail(str(error))
            return False
        self._due_s = now_s + keys.every_s * (1 + JITTER * (2 * clock.fraction() - 1))
        self._succeed()
        await asyncio.to_thread(self._keep)
        return changed

    async def _fetch(self) -> bytes:
        """The key set at its address. FetchFailed, ValueError."""
        keys, headers = self.issuer.keys, [_ACCEPT]
        url = keys.url or ""
        if keys.credential is not None:
            secret = await asyncio.to_thread(secret_of, keys.credential, self._environ)
            if secret is None:
                raise ValueError(f"the credential {keys.credential} is not set here")
            headers.append(("authorization", f"Bearer {secret.reveal()}"))
        # Only this machine is asked in plain text, and no proxy stands between us and it.
        direct = parse_url(url).scheme == "http"
        asked = Fetch("GET", url, tuple(headers), direct=direct)
        answer = await fetch(asked, Tls(keys.ca_file), self._environ, _BOUNDS)
        if answer.status != 200:
            raise ValueError(f"it answered {answer.status}")
        return answer.body

    def _read_file(self) -> bool:
        path = Path(self.issuer.keys.file or "")
        stamp = stamp_of(path)
        if stamp is not None and stamp == self._stamp:
            self.heard_at_s = clock.wall_s()
            return False
        try:
            with path.open("rb") as file:
                changed = self._take(file.read(MAX_ANSWER_BYTES + 1), clock.wall_s())
        except (OSError, ValueError) as error:
            self._fail(str(error))
            return False
        self._stamp = stamp
        self._succeed()
        return changed

    def _take(self, jwks: bytes, at_s: float) -> bool:
        """Whether these are others than before. ValueError where they are none."""
        changed = jwks != self._jwks
        if changed:
            found = self._verifier.keys(jwks, self.issuer.algorithms)
            if found.skipped and found.skipped != self.key_set.skipped:
                told = self.issuer.name, "; ".join(found.skipped)
                log.warning("issuer %s: keys of its set are left out: %s", *told)
            self.key_set, self._jwks = found, jwks
        self.heard_at_s = at_s
        return changed

    def _keep(self) -> None:
        """For a gateway that begins while the issuer is away. Without it, nothing is lost now."""
        keys = self.issuer.keys
        told = _Kept(self.issuer.issuer, keys.url or "", self.heard_at_s or 0.0, self._jwks)
        fresh = self._kept.with_suffix(f".{os.getpid()}")
        try:
            self._kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh.write_bytes(_encode(told))
            fresh.replace(self._kept)
        except OSError as error:
            log.warning("the keys of issuer %s cannot be kept: %s", self.issuer.name, error)

    def _fail(self, problem: str) -> None:
        if problem != self.problem:
            log.warning("issuer %s: its keys were not to be had: %s", self.issuer.name, problem)
        self.problem = problem

    def _succeed(self) -> None:
        if self.problem is not None:
            log.info("issuer %s: its keys are there again", self.issuer.name)
        self.problem = None


def _nobody() -> None:
    pass
