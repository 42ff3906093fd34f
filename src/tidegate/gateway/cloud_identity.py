"""cloud_identity: one provider's identity: its token of now, renewed by one task ahead of its end.

Requests take the token that there is and wait for none but the first. A token is used until it
really ends, however long a new one is not to be had; its end is counted by the time since the boot
from the moment that it was asked for, so that no step of the wall clock shortens or stretches it,
and a machine that slept knows that it has ended.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from tidegate.core import clock
from tidegate.core.credential import SigningKey
from tidegate.core.outcome import Refusal
from tidegate.core.secret import Secret
from tidegate.core.sign_in import Lease, NotSignedIn
from tidegate.gateway.sign_in import Entry

log = logging.getLogger("tidegate.gateway")

# How long a request waits for the first token.
WAIT_S: Final = 5.0
# How long before a token's end another is asked for, and of a short one which part of its life.
LEAD_S: Final = 300.0
_LEAD_SHARE: Final = 0.25
_JITTER: Final = 0.1
# What is still on its way when a token ends is late: nobody is sent with one that ends so soon.
_MARGIN_S: Final = 5.0
FIRST_PAUSE_S: Final = 1.0
MOST_PAUSE_S: Final = 60.0
# A provider that refuses a token has it renewed at once, so often at most.
_REFUSED_EVERY_S: Final = 60.0


class CloudIdentity:
    """`problem` says why there is no token, or no newer one; `written` are headers that the plan
    has of its own, in lower case, which go before those of a token."""

    def __init__(self, provider: str, entry: Entry, renewed: Callable[[], None]) -> None:
        self.provider = provider
        self.problem: str | None = None
        self.failures = 0
        self.written: frozenset[str] = frozenset()
        self._entry = entry
        self._renewed = renewed
        self._lease: Lease | None = None
        self._before: Lease | None = None
        self._since_s = self._refused_s = self._sent_s = -_REFUSED_EVERY_S
        self._until_s = 0.0  # by the time since the boot
        self._lead_s = 0.0
        self._signing = False
        self._ended = asyncio.Event()  # of the sign-in that is under way, or the next
        self._early = asyncio.Event()
        self._tried = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Signs in, and goes on doing so. Once."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._live())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def lease(self) -> Lease | None:
        """What is good now."""
        return self._lease if clock.since_boot_s() < self._until_s - _MARGIN_S else None

    @property
    def left_s(self) -> float | None:
        """How long it is good still; None where there has been none."""
        return None if self._lease is None else self._until_s - clock.since_boot_s()

    @property
    def key(self) -> SigningKey | None:
        """The key that requests are signed with, where this is an identity of AWS."""
        lease = self.lease
        return None if lease is None else lease.key

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Also of the token before: an answer to what was sent with it may come still."""
        return tuple(
            secret
            for lease in (self._lease, self._before)
            if lease is not None
            for secret in lease.secrets
        )

    def headers(self) -> tuple[tuple[str, str], ...]:
        """What a request has besides its own. Refusal (`credential_missing`) without a token."""
        lease = self.lease
        if lease is None:
            raise self._missing()
        besides = tuple([it for it in lease.headers if it[0] not in self.written])
        if lease.token is None:
            return besides
        return (("authorization", f"Bearer {lease.token.reveal()}"), *besides)

    async def ready(self, most_s: float = WAIT_S) -> None:
        """Waits for the first token, or the one after a token that has ended. Refusal
        (`credential_missing`) where it does not come."""
        if self.lease is not None:
            return
        try:
            async with asyncio.timeout(min(most_s, WAIT_S)):
                await self._tried.wait()
        except TimeoutError:
            pass
        if self.lease is None:
            raise self._missing()

    def refused(self, sent_s: float) -> None:
        """The provider did not accept what was sent with a token then: perhaps it was revoked."""
        now_s = clock.monotonic_s()
        if sent_s >= self._since_s and now_s - self._refused_s >= _REFUSED_EVERY_S:
            self._refused_s, self._sent_s = now_s, sent_s
            self._early.set()

    async def renewed(self, sent_s: float, most_s: float = WAIT_S) -> bool:
        """The same; whether there is another token, by the end of one sign-in, which is waited for
        no longer than a first one."""
        self.refused(sent_s)
        try:
            async with asyncio.timeout(min(most_s, WAIT_S)):
                while sent_s >= self._since_s:
                    if not self._early.is_set() and not self._signing:
                        return False  # it is not long ago, and nobody asks now
                    await self._ended.wait()
                    if self.failures:
                        return False
        except TimeoutError:
            return False
        return self.lease is not None

    async def look(self) -> None:
        """Signs in anew where a file that it was done with has changed, or the machine slept
        through the time for it."""
        left_s = self.left_s
        slept = left_s is not None and left_s < self._lead_s / 2 and not self.failures
        if slept or await asyncio.to_thread(self._entry.has_changed):
            self._early.set()

    async def _live(self) -> None:
        while True:
            self._early.clear()
            await self._sign_in()
            try:
                async with asyncio.timeout(self._pause_s()):
                    await self._early.wait()
            except TimeoutError:
                pass

    async def _sign_in(self) -> None:
        if self.lease is None and not self.failures:
            self._tried.clear()  # whoever comes waits for how this ends
        self._signing = True
        try:
            lease, since_s = await self._entry.sign_in()
        except NotSignedIn as no:
            self._failed(str(no))
        except Exception as error:  # a plug's mistake must not end the renewing
            log.exception("signing in for the provider %s", self.provider)
            self._failed(f"signing in failed ({type(error).__name__})")
        else:
            self._take(lease, since_s)
        self._signing = False
        self._tried.set()
        ended, self._ended = self._ended, asyncio.Event()
        ended.set()

    def _take(self, lease: Lease, since_s: float) -> None:
        self._before, self._lease, self._since_s = self._lease, lease, since_s
        took_s = clock.monotonic_s() - since_s
        self._until_s = clock.since_boot_s() - took_s + lease.lives_s
        self._lead_s = min(LEAD_S, lease.lives_s * _LEAD_SHARE)
        self.problem, self.failures = None, 0
        if since_s > self._sent_s:
            self._early.clear()  # what was refused was the one before
        self._renewed()

    def _failed(self, why: str) -> None:
        self.failures += 1
        if why != self.problem:
            log.warning("provider %s: its identity has no new token: %s", self.provider, why)
        self.problem = why

    def _pause_s(self) -> float:
        """Until it is signed in again: ahead of the token's end, or soon after a failure."""
        chance = 1 - _JITTER * clock.fraction()
        if self.failures:
            return min(FIRST_PAUSE_S * 2.0 ** min(self.failures - 1, 16), MOST_PAUSE_S) * chance
        left_s = self._until_s - clock.since_boot_s()
        return max((left_s - self._lead_s) * chance, FIRST_PAUSE_S)

    def _missing(self) -> Refusal:
        why = self.problem or "it has not been given one yet"
        message = f"the identity of the provider {self.provider} has no token: {why}"
        return Refusal("credential_missing", message)
