"""sign_in: takes the steps by which a plug in `identities/` comes to a token."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tidegate.core import clock, plugs
from tidegate.core.address import parse_url
from tidegate.core.identity import Identity
from tidegate.core.plan import Tls
from tidegate.core.sign_in import (
    Around,
    Fetch,
    Lease,
    NotSignedIn,
    ReadFile,
    Sign,
    SignIn,
    Step,
)
from tidegate.gateway.http.fetch import FetchFailed, fetch
from tidegate.stores.file_stamp import FileStamp, stamp_of

MAX_FILE_BYTES: Final = 256 * 1024
_MOST_STEPS: Final = 20


class Entry:
    """Signs in as one identity, as often as is wanted. `stamps` tells of the files that were read
    when they have changed."""

    def __init__(self, identity: Identity, tls: Tls, environ: Mapping[str, str]) -> None:
        (cloud,) = identity.clouds
        self._plug: SignIn = plugs.load("identities", cloud)
        self._wanted: Any = getattr(identity, cloud)
        self._tls = tls
        self._environ = environ
        self.stamps: dict[str, FileStamp | None] = {}

    async def sign_in(self) -> tuple[Lease, float]:
        """(what is lent, when it was, by the monotonic clock). NotSignedIn."""
        self.stamps = {}
        steps = self._plug.steps(self._wanted, Around(self._environ, clock.wall_s()))
        asked_s, told = clock.monotonic_s(), None
        for _ in range(_MOST_STEPS):
            try:
                step = steps.send(told)
            except StopIteration as end:
                lease: Lease = end.value
                return lease, asked_s
            asked_s = clock.monotonic_s()
            told = await self._take(step)
        raise NotSignedIn("there is no end of steps")

    async def _take(self, step: Step) -> Any:
        if isinstance(step, ReadFile):
            return await asyncio.to_thread(self._read, step.path)
        if isinstance(step, Sign):
            return await asyncio.to_thread(_sign, step)
        try:
            return await fetch(step, self._tls, self._environ)
        except FetchFailed as error:
            raise NotSignedIn(f"{_origin(step)} gave no token: {error}") from None

    def _read(self, path: str) -> str | None:
        file = Path(path)
        self.stamps[path] = stamp_of(file)
        try:
            with file.open("rb") as opened:
                return opened.read(MAX_FILE_BYTES).decode()
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            raise NotSignedIn(f"the file {path} cannot be read") from None

    def has_changed(self) -> bool:
        """Whether a file that was read is another now. Blocks for as long as the files do."""
        return any(stamp_of(Path(path)) != before for path, before in list(self.stamps.items()))


def _sign(step: Sign) -> bytes:
    try:
        plug = plugs.load("signatures", "rsa")
    except plugs.PlugError:
        raise NotSignedIn(
            "it takes a signature, and the package for that is not here: install tidegate[clouds]"
        ) from None
    try:
        signature: bytes = plug.sign(step.key_pem.reveal(), step.message, step.algorithm)
    except ValueError as error:
        raise NotSignedIn(str(error)) from None
    return signature


def _origin(step: Fetch) -> str:
    url = parse_url(step.url.partition("?")[0])
    return f"{url.scheme}://{url.authority}"
