"""Counters that many gateways share, in Redis or Valkey: what `admit` calls.

Exact mode asks the server for every request and never passes a limit. Slice mode spends slices
here, without a wait, and is exact when little is left. Where the server cannot be asked, soft
limits let pass and hard ones say that they are away; nothing waits longer than the deadline.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, Final, Literal, cast

from tidegate.core import clock
from tidegate.core.limit import Reading
from tidegate.stores.redis_address import RedisAddress
from tidegate.stores.redis_asking import Asking, No, by_group
from tidegate.stores.redis_epoch import Epoch
from tidegate.stores.redis_exact import Exact
from tidegate.stores.redis_learn import Learning
from tidegate.stores.redis_link import DEADLINE_S, RedisLink
from tidegate.stores.redis_scripts import Scripts, run_early, words
from tidegate.stores.redis_settling import Return, Settling
from tidegate.stores.redis_slices import Slices
from tidegate.stores.redis_wants import Refused, Taken, Unlearnt, Want, word, words_of
from tidegate.stores.redis_wire import RedisRefused, RedisUnavailable, encode

log = logging.getLogger(__name__)

TICK_S: Final = 1.0
_SIGNED_MS: Final = 5_000
_GATEWAYS: Final = "tidegate:gateways"
_DRAIN_POLL_S: Final = 0.005


class RedisCounters:
    """Run `run` for as long as the gateway lives. `gateway` is its name.

    Counters of another `space` are others, and are filled anew.
    """

    def __init__(
        self,
        address: RedisAddress,
        gateway: str,
        mode: Literal["exact", "slice"] = "exact",
        *,
        deadline_s: float = DEADLINE_S,
        space: str = "",
    ) -> None:
        scripts = Scripts()
        # A gateway that was started again under its name has no part in what it held before.
        self._id = f"{gateway}/{clock.random_bytes(6).hex()}"
        self._beat = scripts.beat
        self._load = encode("SCRIPT", "LOAD", scripts.take.text)
        self._link = RedisLink(address, f"tidegate:{gateway}", self._opened, deadline_s=deadline_s)
        self._epoch = Epoch(scripts, self._again, space)
        self._settling = Settling(self._link, scripts, self._epoch)
        self._asking = Asking(self._link, scripts, self._epoch, self._settling)
        self._learning = Learning(self._link, scripts, self._epoch)
        self._ahead_s: float | None = None  # the server's clock, of our monotonic one
        self._slices = Slices(self._asking, self._settling, self._id)
        self._exact = Exact(self._asking, self._settling)
        self._way: Exact | Slices = self._exact if mode == "exact" else self._slices

    @property
    def available(self) -> bool:
        """Whether counters are asked, and not only passed by or spent from hand."""
        return self._asking.open

    @property
    def unseeded(self) -> bool:
        """Redis is there, and its counters are not good: somebody is to `seed` them."""
        return self._link.open and self._epoch.token is None

    def take(self, id: str, wants: Sequence[Want]) -> Coroutine[Any, Any, Taken | No]:
        """All or none. `id` is the request's and the attempt's, used once."""
        return self._way.take(id, wants)

    def hold(self, id: str, wants: Sequence[Want]) -> Taken:
        """Of gauges: what is there already is held, also beyond what is allowed, now or soon."""
        return self._way.hold(id, wants)

    def give_back(self, taken: Taken, used: Sequence[int]) -> None:
        """What was held becomes what was used, for each want, now or soon."""
        self._way.give_back(taken, used)

    def spent(self, id: str, want: Want, amount: int) -> None:
        """So much was used of which nothing was held, also beyond what is allowed: it is told now
        or soon. `id` is used once."""
        self._settling.add(Return(want, id, amount, unknown=True, seq=1))

    async def tell(self) -> None:
        """Sends now what the server would be told within a second, where it is there."""
        await self._way.tell(pause_s=0.0)
        self._settling.flush()

    async def read(self, wants: Sequence[Want]) -> list[Reading] | Unlearnt:
        """How the counters stand on the server, for one who wants these amounts. Raises
        StoreUnavailable."""
        readings: dict[int, Reading] = {}
        asked = [
            (i, want, word(self._id) + word(want.amount) + words_of(want, want.quota.lease_s))
            for i, want in enumerate(wants)
        ]
        for group, some in by_group(asked):
            granted = await self._asking.ask(group, some, "read")
            if isinstance(granted, Unlearnt):
                return granted
            if not isinstance(granted, Refused):
                for (i, _, _), one in zip(some, granted, strict=True):
                    readings[i] = one.reading
        return [readings[i] for i in range(len(wants))]

    async def begin(self, want: Want) -> str | None:
        """Of a counter that is Unlearnt: the word with which the asker is to `fill` it once it has
        read what was spent; None when nothing is to be done. Raises StoreUnavailable."""
        return await self._learning.begin(want)

    async def fill(self, want: Want, nonce: str, past: Iterable[tuple[float, int]]) -> bool:
        """(wall clock, amount) of what was spent before. Raises StoreUnavailable."""
        return await self._learning.fill(want, nonce, past)

    def wall_s(self) -> float:
        """The server's clock, which periods go by; ours until it has told."""
        ahead_s = self._ahead_s
        return clock.wall_s() if ahead_s is None else clock.monotonic_s() + ahead_s

    async def seed(self, epoch: int, rows: Callable[[], Awaitable[Iterable[Want]]]) -> bool:
        """Fills counters with the ledger's amounts, in one process at a time; False when another
        one does or has. `rows` is called only in that one. A later `epoch` is a higher number.

        Raises StoreUnavailable, and what `rows` raises.
        """
        return await self._epoch.seed(self._link, epoch, rows)

    async def run(self) -> None:
        """Keeps the connection and the shares; returns never."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._link.keep())
            tasks.create_task(self._tick())

    async def drain(self) -> None:
        """Gives back what is in hand, and returns when everything has arrived."""
        while True:
            await self._slices.tell(everything=True)
            if not len(self._settling):
                return
            self._settling.flush()
            await asyncio.sleep(_DRAIN_POLL_S)

    def gauges(self) -> dict[str, float]:
        return {
            "tidegate_limits_store_up": float(self.available),
            "tidegate_limits_store_waiting": float(len(self._settling)),
            "tidegate_limits_slices": float(len(self._slices)),
            "tidegate_limits_gateways": float(self._slices.gateways),
        }

    def counters(self) -> dict[str, float]:
        return {
            "tidegate_limits_passed_uncounted_total": float(self._asking.passed),
            "tidegate_limits_store_breaks_total": float(self._link.breaks),
            "tidegate_limits_store_timeouts_total": float(self._link.timeouts),
            "tidegate_limits_store_lost_total": float(self._settling.lost),
        }

    async def _opened(self, link: RedisLink) -> None:
        await link.ask(self._load)  # or all who come first would send its whole text
        await self._epoch.check(link)
        # Leases may have ended meanwhile: before anybody takes what is held.
        await self._way.tell(pause_s=0.0)
        self._settling.flush(opening=True)
        await self._sign()

    def _again(self) -> None:
        self._settling.again()
        self._way.again()

    async def _sign(self) -> None:
        keys, rest = words([_GATEWAYS]), words([self._id, _SIGNED_MS])
        answer = await run_early(self._link, self._beat, keys, rest)
        count, now_ms = cast(list[int], answer)
        self._slices.gateways = max(1, count)
        self._ahead_s = now_ms / 1000 - clock.monotonic_s()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if not self._link.open:
                continue
            try:
                if self._epoch.token is not None:
                    await self._way.tell()  # first: what is late must not end leases
                await self._epoch.check(self._link)
                if self._epoch.token is None:
                    continue
                await self._settling.mend()
                await self._sign()
            except (RedisUnavailable, RedisRefused) as error:
                log.warning("counters in Redis: %s", error)
