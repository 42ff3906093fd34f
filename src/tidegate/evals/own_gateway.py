"""How online work asks judges: through the gateway, with a key that control makes for itself.

Its secret is nowhere but in memory. It may call the judges' routes alone and spend in a day what
all routes together allow; it is revoked when it is not needed any more, and ends by itself where
nobody could revoke it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tidegate.control.online import Given
from tidegate.core import clock
from tidegate.core.compile_limits import counts_alone
from tidegate.core.declared import Declared
from tidegate.core.grading import Answered
from tidegate.core.key import ONLINE_QUALITY, KeyRecord, generate
from tidegate.core.key_limits import KeyLimits
from tidegate.core.purpose import EVAL
from tidegate.core.units import usd_to_nanousd
from tidegate.evals.asking import Gateway, Patience
from tidegate.evals.grading import Judge
from tidegate.stores import database, judges, keys
from tidegate.stores.audit import Author
from tidegate.stores.keys import KeyFilter, KeyNotFound

NAME: Final = ONLINE_QUALITY  # of its key, and of who makes it in the audit trail
SESSION: Final = "online-quality"
_DAY_S: Final = 86_400.0
KEY_LIFE_S: Final = 2 * _DAY_S
_RENEWED_S: Final = _DAY_S
# One that the gateway refuses, such as after an operator has revoked it, is replaced so often.
_REPLACED_S: Final = 600.0
_REFUSED: Final = frozenset({"invalid_api_key", "revoked_api_key", "expired_api_key"})
_AT_ONCE: Final = 64  # of all jobs together
_PAGE: Final = 100
# Nobody waits for it, and what fails is tried again later: each try is one receipt.
PATIENCE: Final = Patience(tries=1, connect_s=5.0, answer_s=120.0)


class OwnJudge(Judge):
    """A route that judges, which remembers what became of each question: its receipt, and in a word
    why there was no answer."""

    def __init__(
        self, gateway: Gateway, route: str, parameters: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(gateway, route, parameters)
        self.asked = 0
        self.receipts: list[str] = []
        self.failures: list[str] = []

    def note(self, answered: Answered) -> None:
        super().note(answered)
        self.asked += 1
        if answered.receipt_id is not None:
            self.receipts.append(answered.receipt_id)
        if answered.failure is not None:
            # A code or a word of ours; what follows it may be a provider's words.
            self.failures.append(answered.failure.partition(":")[0])


class NoGateway(Exception):
    """Nobody has said where the gateway is."""


class _Wanted(Struct, frozen=True):
    """What the key and its way are for. `budget_nanousd` of a `day` (of UTC) is for all keys of it
    together. None: no limit of its own, where each of several gateway processes would count it
    alone."""

    url: str
    routes: tuple[str, ...]
    budget_nanousd: int | None
    day: int


class _Way:
    """One key's way to the gateway; closed once nobody uses it."""

    def __init__(self, wanted: _Wanted, key_id: str, gateway: Gateway, made_s: float) -> None:
        self.wanted = wanted
        self.key_id = key_id
        self.gateway = gateway
        self.made_s = made_s
        self.users = 0
        self.is_refused = False


class OwnGateway:
    """Used as a context in one event loop, while this control leads."""

    def __init__(self, given: Given, patience: Patience = PATIENCE) -> None:
        self._given = given
        self._patience = patience
        self._way: _Way | None = None
        self._turn = asyncio.Lock()
        self._replaced_s = float("-inf")

    async def __aenter__(self) -> "OwnGateway":
        self._turn = asyncio.Lock()
        await asyncio.to_thread(self._revoke_all)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._way is not None:
            await self._end(self._way)
            self._way = None

    @asynccontextmanager
    async def judge(
        self, route: str, parameters: tuple[tuple[str, str], ...] = ()
    ) -> AsyncIterator[OwnJudge]:
        """A route that judges, which a route of the plan names as its judge. NoGateway,
        StoreError."""
        way = await self._usable()
        way.users += 1
        judge = OwnJudge(way.gateway, route, parameters)
        try:
            yield judge
        finally:
            way.users -= 1
            way.is_refused |= not _REFUSED.isdisjoint(judge.failures)
            if way is not self._way and not way.users:
                await self._end(way)

    async def _usable(self) -> _Way:
        async with self._turn:
            wanted, now_s = self._wanted(), clock.monotonic_s()
            held = self._way
            if held is not None and held.wanted == wanted and now_s < held.made_s + _RENEWED_S:
                if not held.is_refused or now_s < self._replaced_s + _REPLACED_S:
                    return held
                self._replaced_s = now_s
            self._way = fresh = await self._made(wanted, now_s)
            if held is not None and not held.users:
                await self._end(held)
            return fresh

    def _wanted(self) -> _Wanted:
        """NoGateway."""
        declared = self._given.declared()
        url = declared.control.gateway_url or self._written_url()
        if url is None:
            raise NoGateway("control.gateway_url does not say where the gateway is")
        asked = [it.quality for it in declared.routes.values() if it.quality is not None]
        asked_of = {it.judge for it in asked if it.judge is not None}
        most = sum(usd_to_nanousd(it.most_usd_per_day) for it in asked if it.judge is not None)
        budget = None if counts_alone(declared) else most
        return _Wanted(url, tuple(sorted(asked_of)), budget, int(clock.wall_s() // _DAY_S))

    def _written_url(self) -> str | None:
        """Where the gateway of this machine is."""
        try:
            return (self._given.layout.run / "gateway.url").read_text("utf-8").strip() or None
        except OSError:
            return None

    async def _made(self, wanted: _Wanted, now_s: float) -> _Way:
        key_id, secret = await asyncio.to_thread(self._make_key, wanted)
        gateway = Gateway(wanted.url, secret, SESSION, _AT_ONCE, self._patience)
        await gateway.__aenter__()
        return _Way(wanted, key_id, gateway, now_s)

    def _make_key(self, wanted: _Wanted) -> tuple[str, str]:
        key_id, secret = generate()
        wall_s = clock.wall_s()
        if wanted.budget_nanousd is not None:
            with database.reading(self._given.engine) as connection:
                spent = judges.spent_nanousd(connection, NAME, wanted.day * _DAY_S)
            wanted = replace(wanted, budget_nanousd=max(1, wanted.budget_nanousd - spent))
        record = _record(self._given.declared(), wanted, key_id, self._given.digest(secret), wall_s)
        keys.create(self._given.engine, record, Author(NAME, wall_s))
        return key_id, secret

    async def _end(self, way: _Way) -> None:
        await way.gateway.__aexit__()
        await asyncio.to_thread(self._revoke, [way.key_id])

    def _revoke_all(self) -> None:
        """Of those that came before: their secrets are with nobody who needs them."""
        which = KeyFilter(name_prefix=NAME, include_revoked=False)
        after: str | None = None
        while found := keys.find(self._given.engine, which, limit=_PAGE, after_id=after):
            ours = [it.id for it in found if it.name == NAME and it.purpose == EVAL]
            self._revoke(ours)
            after = found[-1].id

    def _revoke(self, ids: Sequence[str]) -> None:
        for key_id in ids:
            try:
                keys.revoke(self._given.engine, key_id, Author(NAME, clock.wall_s()))
            except KeyNotFound:
                continue


def _record(
    declared: Declared, wanted: _Wanted, key_id: str, digest: tuple[bytes, int], now_s: float
) -> KeyRecord:
    limits = None
    if wanted.budget_nanousd is not None:
        limits = KeyLimits(wanted.budget_nanousd, "day", budget_alerts=())
    return KeyRecord(
        id=key_id,
        digest=digest[0],
        pepper_version=digest[1],
        name=NAME,
        team=declared.keys.team,
        created_at_s=now_s,
        routes=wanted.routes,
        environment=declared.keys.environment,
        purpose=EVAL,
        attributes=declared.keys.attributes,
        expires_at_s=now_s + KEY_LIFE_S,
        limits=limits,
    )
