"""issuers: who shows a token that an issuer of the plan has signed.

What is cheap is looked at first, so that garbage costs no cryptography: sizes, forms, names, times,
and whether there is a key at all. Nothing of a token is told to anybody, or decides what it may,
before its signature holds.
"""

import asyncio
import hashlib
import logging
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct

from tidegate.core import clock
from tidegate.core.caller import Caller, Verifier, id_of_issuer, load_verifier
from tidegate.core.outcome import Refusal
from tidegate.core.plan_callers import Issuer
from tidegate.gateway.grants import Granted, caller_of, granted
from tidegate.gateway.issuer_keys import HeldKeys
from tidegate.gateway.keys import Keys
from tidegate.text.jws import Signed, TokenProblem, looks_signed, read_signed, time_of

log = logging.getLogger(__name__)

# How long a request waits for the keys of an issuer that are being asked for.
WAIT_S: Final = 2.0


class Known(Struct, frozen=True):
    """One issuer of the plan, ready."""

    issuer: Issuer
    grants: tuple[Granted, ...]
    held: HeldKeys


Prepared = Mapping[str, Known]


class Issuers:
    """Those of one plan after another, by what they call themselves. Keys outlive a plan."""

    def __init__(self, folder: Path, keys: Keys, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._keys = keys
        self._environ = environ
        self._known: Prepared = {}

    def __iter__(self) -> Iterator[Known]:
        return iter(self._known.values())

    async def prepare(self, issuers: tuple[Issuer, ...]) -> Prepared:
        """Ready to be obeyed. PlugError where what reads their keys is not installed."""
        if not issuers:
            return {}
        verifier = load_verifier()
        found = {}
        for one in issuers:
            held = self._held(one) or await self._begin(one, verifier)
            found[one.issuer] = Known(one, granted(one), held)
        return found

    def adopt(self, prepared: Prepared) -> None:
        """From now on. Whoever was let in by an issuer of which another thing is said is looked at
        anew."""
        before, self._known = self._known, prepared
        for name in before.keys() | prepared.keys():
            old, new = before.get(name), prepared.get(name)
            if old is None or new is None or old.issuer != new.issuer:
                self._keys.forget(id_of_issuer(name))
        self._keys.tokens = self if prepared else None

    async def watch(self, every_s: float) -> None:
        """Refreshes for ever: issuers change their keys."""
        while True:
            await asyncio.sleep(every_s)
            try:
                await self.refresh()
            except Exception:  # the last keys go on, and so does looking for others
                log.exception("looking for the keys of issuers failed")

    async def refresh(self) -> None:
        """Looks for the keys that it is time to look for."""
        now_s = clock.monotonic_s()
        await asyncio.gather(*(self._look(it, again=False, now_s=now_s) for it in self))

    async def read(self, presented: bytes) -> Caller | None:
        """Who shows this token; None where it is nobody's, and will be for ever. Refusal where the
        token is good and its caller is not let in, or nobody can say now."""
        if not looks_signed(presented):
            return None
        try:
            token = read_signed(presented)
            known = self._known.get(_text(token.claims.get("iss")))
            if known is None or token.algorithm not in known.issuer.algorithms:
                return None
            until_s = _check(token, known.issuer)
        except TokenProblem:
            return None
        if not await self._is_signed(token, known):
            return None
        return caller_of(known.issuer, known.grants, token.claims, until_s)

    async def _is_signed(self, token: Signed, known: Known) -> bool:
        """Refusal where its key is not there."""
        held = known.held
        keys = held.find(token.key_id, token.algorithm)
        if not keys or not held.believed:
            await self._wait(known)
            keys = held.find(token.key_id, token.algorithm)
        if not held.believed:
            message = "the keys of the token's issuer cannot be had now"
            raise Refusal("issuer_unavailable", message, retry_after_s=5.0)
        if not keys:
            raise Refusal("invalid_api_key", "the token's key is not one of its issuer's")
        return any(key.verify(token.signed, token.signature) for key in keys)

    async def _wait(self, known: Known) -> None:
        try:
            async with asyncio.timeout(WAIT_S):
                await self._look(known, again=True, now_s=clock.monotonic_s())
        except TimeoutError:
            return

    async def _look(self, known: Known, *, again: bool, now_s: float) -> None:
        held = known.held
        await (held.look_again(now_s) if again else held.look(now_s))

    def _held(self, issuer: Issuer) -> HeldKeys | None:
        """The keys as they are, where they are found as before."""
        known = self._known.get(issuer.issuer)
        if known is None:
            return None
        before = known.issuer
        same = (before.keys, before.algorithms) == (issuer.keys, issuer.algorithms)
        if not same:
            return None
        known.held.issuer = issuer
        return known.held

    async def _begin(self, issuer: Issuer, verifier: Verifier) -> HeldKeys:
        name = hashlib.sha256(issuer.issuer.encode()).hexdigest()[:32]
        held = HeldKeys(issuer, verifier, self._folder / f"{name}.keys", self._environ)
        # A key that was taken back may have let somebody in.
        held.changed = partial(self._keys.forget, id_of_issuer(issuer.issuer))
        await asyncio.to_thread(held.begin)
        return held


def _check(token: Signed, issuer: Issuer) -> float:
    """Until when the token is good, leeway included. Refusal for one that is not for us, not now or
    not to be shown so; it is true of nobody yet, so it says no more than who wrote it knows."""
    claims = token.claims
    if token.kind not in issuer.kinds:
        raise Refusal("invalid_api_key", "the token's `typ` is none that may be shown here")
    if "cnf" in claims and not issuer.bound:
        message = "the token is bound to a key or a certificate (`cnf`), and no proof is asked for"
        raise Refusal("invalid_api_key", message)
    told = claims.get("aud")
    audiences = told if isinstance(told, list) else [told]
    if not any(isinstance(one, str) and one in issuer.audiences for one in audiences):
        raise Refusal("invalid_api_key", "the token is for another audience")
    now_s, leeway_s = clock.wall_s(), issuer.leeway_s
    ends_s, starts_s = time_of(claims, "exp"), time_of(claims, "nbf")
    if ends_s is None:
        raise Refusal("invalid_api_key", "the token does not say when it ends")
    if ends_s + leeway_s <= now_s:
        raise Refusal("expired_api_key", "the token has expired")
    if ends_s - now_s > issuer.longest_s + leeway_s:
        raise Refusal("invalid_api_key", "the token is good for longer than tokens may be here")
    issued_s = time_of(claims, "iat")
    if max(starts_s or 0.0, issued_s or 0.0) > now_s + leeway_s:
        raise Refusal("invalid_api_key", "the token is not good yet")
    return ends_s + leeway_s


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
