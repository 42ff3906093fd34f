"""identities: those of a plan's providers. One that does not change outlives a plan."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from tidegate.core.identity import Identity
from tidegate.core.plan import Target, Tls
from tidegate.gateway.cloud_identity import CloudIdentity
from tidegate.gateway.sign_in import Entry

# What a token may bring besides itself. With another header of the plan its identity is the same.
_BESIDES = frozenset({"x-goog-user-project"})
_Whose = tuple[str, Identity, Tls, frozenset[str]]


class Identities:
    def __init__(self, environ: Mapping[str, str], renewed: Callable[[str], None]) -> None:
        self._environ = environ
        self._renewed = renewed
        self._known: dict[_Whose, CloudIdentity] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[CloudIdentity]:
        return iter(self._known.values())

    def of(self, target: Target) -> CloudIdentity | None:
        """None where the target's provider declares none. PlugError."""
        if target.identity is None:
            return None
        written = _BESIDES.intersection(name.lower() for name, _ in target.headers)
        whose = target.provider, target.identity, target.tls, written
        found = self._known.get(whose)
        if found is None:
            entry = Entry(target.identity, target.tls, self._environ)
            renewed = partial(self._renewed, target.provider)
            found = self._known[whose] = CloudIdentity(target.provider, entry, renewed)
            found.written = written
        return found

    def adopt(self, used: list[CloudIdentity]) -> None:
        """These sign in from now on, and no others."""
        kept = {id(one) for one in used}
        for whose, one in list(self._known.items()):
            if id(one) in kept:
                one.begin()
            else:
                del self._known[whose]
                task = asyncio.get_running_loop().create_task(one.stop())
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)

    async def look(self) -> None:
        """Whether files that they sign in with have changed."""
        for one in list(self._known.values()):
            await one.look()

    async def stop(self) -> None:
        for one in list(self._known.values()):
            await one.stop()
